"""The shipped schemas are what their sources give, and each minor takes what the one before it took."""

import importlib.util
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config, dynamic

from mmgit.checks.objects import extraction, shapes

_PATH = Path(__file__).parent / "update_schemas.py"
_SPEC = importlib.util.spec_from_file_location("update_schemas", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
update_schemas = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(update_schemas)


def test_those_of_kubernetes_are_what_kubernetes_validate_gives() -> None:
    for minor, schema in update_schemas.shipped_kubernetes().items():
        assert extraction.shipped(f"kubernetes-{minor}") == schema


def test_each_minor_takes_what_the_one_before_it_took() -> None:
    for old, new in itertools.pairwise(shapes.SHIPPED_MINORS):
        before, after = extraction.shipped(f"kubernetes-{old}"), extraction.shipped(f"kubernetes-{new}")
        differences = list(narrower(before, after))
        assert differences == [], f"{new} is narrower than {old}"


def narrower(old: dict[str, Any], new: dict[str, Any], at: str = "") -> Any:
    """Where `new` could refuse what `old` accepts. References are compared by name, their targets on their own."""
    for key in old.keys() | new.keys():
        before, after, place = old.get(key), new.get(key), f"{at}/{key}"
        if key in ("properties", "definitions"):
            for name in before or ():
                if before is None or after is None or name not in after:
                    yield f"{place}/{name}"
                else:
                    yield from narrower(before[name], after[name], f"{place}/{name}")
        elif key == "required":
            if set(after or ()) - set(before or ()):
                yield place
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from narrower(before, after, place)
        elif before != after:
            yield place


@pytest.mark.parametrize(
    ("new", "place"),
    [
        ({"properties": {}}, "/properties/a"),
        ({"properties": {"a": {"type": "integer"}}}, "/properties/a/type"),
        ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, "/required"),
        ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, "/additionalProperties"),
    ],
)
def test_that_comparison_sees_what_is_narrower(new: dict[str, Any], place: str) -> None:
    assert list(narrower({"properties": {"a": {"type": "string"}}}, new)) == [place]


@pytest.mark.apiserver
def test_those_of_custom_kinds_are_what_their_definitions_give() -> None:
    api = dynamic.DynamicClient(config.new_client_from_config())  # type: ignore[no-untyped-call]
    kind = api.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    definitions = [each.to_dict() for each in kind.get().items]

    assert update_schemas.custom(definitions) == extraction.shipped("custom")
    admission = json.loads(update_schemas.ADMISSION.read_bytes())
    assert update_schemas.custom(definitions, update_schemas.ADMISSION_KINDS) == admission
