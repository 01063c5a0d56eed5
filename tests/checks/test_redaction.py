"""What a schema declares, whatever it holds, and when all services are asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit import pipeline
from mmgit.checks.redaction import _declared
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.files import Root

HEADER = "apiVersion: mmgit.dev/v1\n"
MANIFEST = HEADER + 'kind: Manifest\npython: "3.11"\nmodels: [churn/1]\nschema: schema.json\n'
ENVIRONMENT = HEADER + "kind: Environment\ntarget: process\ndefaults: {telemetry: {redact: [age, plan]}}\n"
CLOSED = '{"type": "object", "properties": {"%s": {"type": "string"}}, "additionalProperties": false}'


@pytest.mark.parametrize(
    ("schema", "names", "is_open"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}, {"a"}, False),
        ({"type": ["object", "null"], "properties": {"a": {"type": "integer"}}}, {"a"}, True),
        ({"type": "array", "items": {"type": "number"}}, set(), False),
        ({"type": "array"}, set(), True),
        ({"type": "array", "prefixItems": [{"enum": [1]}, {}]}, set(), True),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}}, set(), False),
        ({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"b": True}}]}, {"b"}, True),
        ({"type": 5, "properties": [1], "items": {"properties": 3}, "anyOf": "x"}, set(), True),
        (None, set(), False),
    ],
)
def test_a_schema_says_which_fields_there_are_and_whether_there_may_be_others(
    schema: Any, names: set[str], *, is_open: bool
) -> None:
    assert _declared(schema) == (frozenset(names), is_open)


@pytest.fixture
def root(repository: Callable[..., Path]) -> Root:
    """Two services, each with a field of its own."""
    folder = "models/churn/manifests"
    files = {f"{folder}/{number}/manifest.yaml": MANIFEST for number in (2, 3)}
    files |= {f"{folder}/{number}/score.py": "def run():\n    pass\n" for number in (2, 3)}
    files |= {f"{folder}/2/schema.json": CLOSED % "age", f"{folder}/3/schema.json": CLOSED % "plan"}
    files |= {f"environments/dev/services/s-{n}.yaml": f"{HEADER}kind: Service\nnext: churn/{n}\n" for n in (2, 3)}
    files["environments/dev/environment.yaml"] = ENVIRONMENT
    return Root(repository({**files, "environments/dev/services/churn.yaml": None}))


@pytest.mark.parametrize("services", [None, ["environments/dev/services/s-2.yaml"]])
def test_what_an_environment_says_is_asked_of_all_its_services_or_not_at_all(
    root: Root, services: list[str] | None
) -> None:
    checked = pipeline.check(root, Surroundings(), services)

    assert [problem.code for problem in checked.problems] == []
