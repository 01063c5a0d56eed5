import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mmgit.repository import reading
from mmgit.spec.editor import DIALECT, KINDS, editor_schema, file_name

HEADER = {"apiVersion": "mmgit.dev/v1"}
SERVICE = {**HEADER, "kind": "Service", "next": "churn/1"}
PROJECT = {**HEADER, "kind": "Project", "mmgit": "==0.1.0"}


def validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(editor_schema(kind))


def parts(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from parts(part)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_schema_that_is_one(kind: str) -> None:
    schema = editor_schema(kind)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["title"] == f"mmgit {kind}"
    assert schema["properties"]["kind"]["const"] == kind
    assert schema["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema


def test_good_files_are_good_in_the_editor(repository: Callable[[], Path]) -> None:
    files = sorted(repository().rglob("*.yaml"))

    for path in files:
        value = reading.parse(path.read_bytes())
        assert list(validator(value["kind"]).iter_errors(value)) == [], path
    assert {reading.parse(path.read_bytes())["kind"] for path in files} == set(KINDS) - {"Evidence", "Image"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Service", {**SERVICE, "replica": 3}),
        ("Service", {**SERVICE, "replicas": "3"}),
        ("Service", {**SERVICE, "cpu": "much"}),
        ("Service", {**SERVICE, "autoscale": {"min": -1}}),
        ("Service", {**SERVICE, "variables": {"not-a-name": "x"}}),
        ("Service", {**SERVICE, "keys": [{"name": "third", "id": "abcd", "digest": "sha256:" + "0" * 64}]}),
        ("Service", {"kind": "Service", "next": "churn/1"}),
        ("Project", {**PROJECT, "mmgit": ">=0.1"}),
        ("Project", {**PROJECT, "kind": "Service"}),
    ],
)
def test_what_the_types_refuse_the_editor_marks(kind: str, value: dict[str, Any]) -> None:
    assert not validator(kind).is_valid(value)


def test_what_the_types_accept_the_editor_accepts() -> None:
    variables = {"DB_URL": {"secret": "churn-db", "key": "url"}, "LEVEL": "info"}
    autoscale = {"max": 8, "handover": 4}

    assert validator("Service").is_valid({**SERVICE, "variables": variables, "autoscale": {}, "timeout": "60s"})
    assert validator("Service").is_valid({**SERVICE, "autoscale": autoscale})
    assert validator("Project").is_valid({**PROJECT, "store": {"git_limit": "10Mi", "uri": "s3://acme-models"}})


def test_no_null_and_no_made_up_title_stands_in_the_way_of_completion() -> None:
    for kind in KINDS:
        whole, *found = parts(editor_schema(kind))

        assert {"type": "null"} not in found
        assert not [part for part in found if isinstance(part.get("title"), str)]
        assert whole["description"]


def test_fields_are_named_as_files_spell_them() -> None:
    assert "schema" in editor_schema("Manifest")["properties"]
    assert "schema_" not in editor_schema("Manifest")["properties"]


def test_file_names_are_lower_case() -> None:
    assert file_name("ModelVersion") == "modelversion.schema.json"
