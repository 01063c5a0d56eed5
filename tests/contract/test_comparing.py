"""What the clients of a service are told about a candidate."""

import json
from typing import Any

import numpy as np
import pytest

from mmgit.contract import Contract, compare
from mmgit.contract.comparing import SCHEMA_BYTES_MAX
from mmgit.documents import documents_of
from mmgit.sdk import generate_schema

Json = Any

ROW = {"age": {"type": "number"}}


def of(schema: Json) -> bytes:
    return json.dumps(schema).encode()


def asked(properties: Json, **keywords: Json) -> Json:
    """A contract whose argument `data` is a list of such closed rows."""
    row = {"type": "object", "properties": properties, "additionalProperties": False, **keywords}
    return {"type": "object", "properties": {"data": {"type": "array", "items": row}}, "required": ["data"]}


def answered(schema: Json) -> Json:
    return {"x-mmgit": {"output": schema}}


def answered_fields(properties: Json, **keywords: Json) -> Json:
    row = {"type": "object", "properties": properties, "required": sorted(properties), **keywords}
    return answered({"type": "array", "items": row})


def told(contract: Contract) -> list[str]:
    return [f"{'!' if each.is_breaking else ''}{each.path}: {each.text}" for each in contract.differences]


@pytest.mark.parametrize(
    ("running", "candidate", "verdict", "texts"),
    [
        (asked(ROW), asked(ROW, required=["age"]), "breaking", ["!input.data[].age: was optional, is required"]),
        (asked(ROW, required=["age"]), asked(ROW), "compatible", ["input.data[].age: was required, is optional"]),
        (asked(ROW), asked({}), "breaking", ["!input.data[].age: no longer accepted"]),
        (asked({}), asked(ROW), "compatible", ["input.data[].age: is new and optional"]),
        (asked({}), asked(ROW, required=["age"]), "breaking", ["!input.data[].age: is new and required"]),
        (
            asked({}, additionalProperties=True),
            asked(ROW, additionalProperties=True),
            "breaking",
            ["!input.data[].age: is new, and does not take everything that was accepted under this name"],
        ),
        (
            asked(ROW, additionalProperties=True),
            asked({}, additionalProperties=True),
            "compatible",
            ["input.data[].age: no longer declared: takes anything"],
        ),
    ],
)
def test_an_argument_is_asked_for_in_another_way(
    running: Json, candidate: Json, verdict: str, texts: list[str]
) -> None:
    found = compare(of(running), of(candidate))

    assert (found.verdict, told(found)) == (verdict, texts)


@pytest.mark.parametrize(
    ("running", "candidate", "text"),
    [
        ({"enum": ["a", "b", None]}, {"enum": ["b", "c", None]}, 'accepts fewer values: no longer "a"'),
        ({"type": ["number", "null"]}, {"type": "number"}, "accepts fewer values: no longer null"),
        ({}, {"type": "object"}, "accepts fewer values: no longer array, boolean, null, number, string"),
        ({"type": "number"}, {"type": "integer"}, 'accepts fewer values: `type` was "number", is "integer"'),
        ({"type": "string"}, {"enum": ["a"]}, 'accepts fewer values: `enum` was absent, is "a"'),
        ({"minimum": 0}, {"exclusiveMinimum": 0}, "accepts fewer values: `minimum` was 0, is 0 exclusive"),
        ({"maxLength": 9}, {"maxLength": 8}, "accepts fewer values: `maxLength` was 9, is 8"),
        ({"const": 20}, {"type": "number", "maximum": 8}, "accepts fewer values: no longer 20"),
        ({"type": "string"}, {"pattern": "^a"}, 'accepts fewer values: `pattern` was absent, is "^a"'),
        ({"pattern": "^b"}, {"pattern": "^a"}, 'cannot be compared: `pattern` was "^b", is "^a"'),
        ({"format": "int64"}, {"format": "int32"}, 'cannot be compared: `format` was "int64", is "int32"'),
        ({"format": "double"}, {"format": "float"}, 'cannot be compared: `format` was "double", is "float"'),
        ({"const": 1}, {"const": 1.0}, "accepts fewer values: no longer 1"),
        ({"type": "string"}, {"not": {"const": "a"}}, "cannot be compared: `not` is there, and this schema changed"),
        ({"type": "string"}, {"nullable": True}, "cannot be compared: `nullable` is there, and this schema changed"),
        (
            {"type": "number"},
            {"anyOf": [{"maximum": 1}, {"minimum": 1}]},
            "cannot be compared: no single alternative is seen to cover the number",
        ),
    ],
)
def test_a_stricter_argument_breaks_its_clients(running: Json, candidate: Json, text: str) -> None:
    found = compare(of(running), of(candidate))

    assert found.verdict == "breaking"
    assert f"!input: {text}" in told(found)


@pytest.mark.parametrize(
    ("running", "candidate"),
    [
        ({"format": "int32", "type": "integer"}, {"format": "int64", "type": "integer"}),
        ({"type": "integer", "minimum": 0, "maximum": 255}, {"type": "integer", "format": "int32"}),
        ({"type": "integer", "format": "int64"}, {"type": "number", "format": "double"}),
        ({"multipleOf": 4, "type": "number"}, {"multipleOf": 2}),
        ({"const": 4}, {"multipleOf": 2}),
        ({"enum": ["a"]}, {"oneOf": [{"const": "a"}, {"const": "b"}]}),
        ({"type": "array", "maxItems": 1}, {"uniqueItems": True}),
        ({"const": {"a": [1]}}, {"properties": {"a": {"items": {"type": "integer"}}}}),
        ({"prefixItems": [{"type": "null"}], "maxItems": 1, "type": "array"}, {"items": {"type": "null"}}),
        ({"allOf": [{"minimum": 1}, {"type": "number"}]}, {"minimum": 1}),
    ],
)
def test_a_looser_argument_keeps_its_clients(running: Json, candidate: Json) -> None:
    found = compare(of(running), of(candidate))

    assert found.verdict == "compatible"


@pytest.mark.parametrize(
    ("running", "candidate"),
    [
        ({"type": "array", "maxItems": 2}, {"type": "array", "prefixItems": [{}], "items": False}),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"additionalProperties": False}),
        ({"required": ["a"]}, {"allOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        ({"additionalProperties": {"type": "number"}}, {"additionalProperties": {"type": "integer"}}),
        ({"type": "string"}, {"type": "string", "contentEncoding": "base64"}),
    ],
)
def test_a_limit_in_a_corner_breaks_clients_too(running: Json, candidate: Json) -> None:
    found = compare(of(running), of(candidate))

    assert found.verdict == "breaking"


@pytest.mark.parametrize(
    ("running", "candidate", "verdict", "texts"),
    [
        (answered_fields({}), answered_fields(ROW), "compatible", ["output[].age: is new"]),
        (
            answered_fields({}, additionalProperties=False),
            answered_fields(ROW, additionalProperties=False),
            "compatible",
            ["output[].age: is new"],
        ),
        (answered_fields(ROW), answered_fields({}), "breaking", ["!output[].age: no longer returned"]),
        (
            answered_fields(ROW, required=[], additionalProperties=False),
            answered_fields({}, additionalProperties=False),
            "breaking",
            ["!output[].age: no longer returned"],
        ),
        (
            answered_fields(ROW),
            answered_fields(ROW, required=[]),
            "breaking",
            ["!output[].age: was always returned, may be missing"],
        ),
        (
            answered_fields(ROW, required=[]),
            answered_fields(ROW),
            "compatible",
            ["output[].age: may have been missing, is always returned"],
        ),
        (
            answered({"enum": ["a", "b"]}),
            answered({"enum": ["a", "c"]}),
            "breaking",
            ['!output: may return other values: now also "c"', 'output: returns fewer values: no longer "b"'],
        ),
        (
            answered({"type": "number", "minimum": 0}),
            answered({"type": "number"}),
            "breaking",
            ["!output: may return other values: `minimum` was 0, is absent"],
        ),
        (
            answered({"properties": {"a": False}}),
            answered({}),
            "breaking",
            ["!output.a: no longer returned"],
        ),
    ],
)
def test_an_answer_has_another_form(running: Json, candidate: Json, verdict: str, texts: list[str]) -> None:
    found = compare(of(running), of(candidate))

    assert (found.verdict, told(found)) == (verdict, texts)


def test_what_is_only_written_otherwise_is_the_same() -> None:
    running = {"title": "One", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"const": "x"}}}
    candidate = {"properties": {"a": {"oneOf": [{"enum": ["x"]}]}}, "x-mmgit": {"type": "standard"}}

    assert compare(of(running), of(candidate)) == Contract("same")


@pytest.mark.parametrize("keyword", ["not", "if", "contains", "dependentRequired"])
def test_what_cannot_be_understood_is_the_same_as_itself(keyword: str) -> None:
    schema = {"type": "object", "properties": {"a": {keyword: {}}}}

    found = compare(of(schema), json.dumps(schema | {"title": "Other"}, indent=3).encode())

    assert found.verdict == "same"


@pytest.mark.parametrize(
    ("running", "candidate", "who"),
    [(None, b"{}", "what runs"), (b"{}", None, "the candidate"), (None, None, "what runs and the candidate")],
)
def test_without_a_schema_nothing_is_known(running: bytes | None, candidate: bytes | None, who: str) -> None:
    found = compare(running, candidate)

    assert found.verdict == "unknown"
    assert told(found) == [f"schema.json: there is no schema.json of {who}; mmgit.sdk.generate_schema writes it"]


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"minimum": NaN}', b"\xff", b" " * SCHEMA_BYTES_MAX + b"{}"])
def test_what_is_no_schema_cannot_be_compared(data: bytes) -> None:
    found = compare(b"{}", data)

    assert found.verdict == "breaking"
    assert told(found)[0].startswith("!schema.json: cannot be compared: the schema of the candidate ")


def test_what_generate_schema_writes_of_a_further_default_argument_is_compatible() -> None:
    def run(rows: list[float]) -> list[float]:
        return rows

    def run_above(rows: list[float], threshold: float = 0.5) -> list[float]:
        return [row for row in rows if row > threshold]

    running = generate_schema(run, {"rows": [0.5]}, {"score": 0.5})
    candidate = generate_schema(run_above, {"rows": [0.5], "threshold": 0.5}, {"score": 0.5, "label": "leaves"})

    found = compare(of(running), of(candidate))

    assert (found.verdict, told(found)) == (
        "compatible",
        ["input.threshold: is new and optional", "output.label: is new"],
    )
    assert compare(of(candidate), of(running)).verdict == "breaking"


def test_names_that_would_be_read_as_a_path_are_quoted() -> None:
    found = compare(of({}), of({"required": ["a.b[]"]}))

    assert told(found)[0] == '!input["a.b[]"]: is new and required'


def test_a_promise_about_rows_is_none_to_clients() -> None:
    samples = {"x": np.zeros((1, 2))}
    plain, promised = (generate_schema(lambda x: x, samples, row_wise=is_promised) for is_promised in (False, True))

    assert compare(of(plain), of(promised)) == compare(of(promised), of(plain)) == Contract("same", ())
    assert documents_of(of(plain), None) == documents_of(of(promised), None)
