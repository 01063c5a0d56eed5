"""Schemas of both drafts, and schemas that somebody made to do harm."""

import json
from typing import Any

import pytest

from mmgit.contract import compare
from mmgit.contract.reading import Budget, NotComparable, Reader, TooMuch

Json = Any

ANYTHING: Json = {}
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}


def verdict(running: Json, candidate: Json) -> str:
    return compare(json.dumps(running).encode(), json.dumps(candidate).encode()).verdict


def why_not(candidate: Json, running: Json = ANYTHING) -> str:
    """The first difference from a contract; without one given, from the one that accepts anything."""
    found = compare(json.dumps(running).encode(), json.dumps(candidate).encode())
    assert found.verdict == "breaking"
    return f"{found.differences[0].path}: {found.differences[0].text}"


def doubling(depth: int, join: Any) -> Json:
    """A schema that is small as text and 2**depth schemas large when it is followed."""
    definitions = {f"d{n}": join({"$ref": f"#/$defs/d{n + 1}"}) for n in range(depth)}
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{depth}": {"type": "integer"}}}


@pytest.mark.parametrize(
    "schema",
    [
        doubling(25, lambda ref: {"allOf": [ref, {**ref}]}),
        doubling(25, lambda ref: {"anyOf": [{"minimum": 1, **ref}, {"maximum": 2, **ref}]}),
        doubling(25, lambda ref: {"oneOf": [{"minimum": 1, **ref}, {"maximum": 2, **ref}]}),
        doubling(25, lambda ref: {"properties": {"a": ref, "b": {**ref}}}),
        {"allOf": [{"anyOf": [{"minimum": n, "pattern": str(n)} for n in range(9)]}] * 50},
        {"allOf": [{"$ref": "#/$defs/e"}] * 2000, "$defs": {"e": {"enum": list(range(5000))}}},
        {"anyOf": [{"$ref": "#/$defs/o"}] * 9000, "$defs": {"o": {"properties": {f"p{n}": {} for n in range(9000)}}}},
        {"oneOf": [{"minimum": n} for n in range(9000)]},
        {"allOf": [{"pattern": str(n)} for n in range(9000)]},
        {"anyOf": [{f"k{n}": n, "k": n} for n in range(9000)]},
    ],
)
def test_the_work_for_a_schema_that_explodes_is_bounded(schema: Json) -> None:
    changed = {**schema, "title": "Other", "type": "object"}

    assert why_not(changed, schema) == "input: cannot be compared: the schemas are too large or too entangled"


def test_a_frame_of_thousands_of_columns_is_compared() -> None:
    row = {f"column {n}": {"type": ["number", "null"], "format": "double"} for n in range(5000)}
    running = {"type": "array", "items": {"properties": row, "required": sorted(row), "additionalProperties": False}}
    wider = {"properties": {**row, "more": {}}, "required": sorted(row), "additionalProperties": False}

    assert verdict(running, {**running, "items": wider}) == "compatible"


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "#"}, "a schema is defined by itself"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}, "a schema is defined by itself"),
        ({"$ref": "#/$defs/none"}, '`$ref` is "#/$defs/none", which is not there'),
        ({"$ref": "https://example.com/s"}, '`$ref` is "https://example.com/s", no place in this document'),
        ({"$ref": "#/$defs/a%20b"}, '`$ref` is "#/$defs/a%20b", no place in this document'),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "`$schema` is"),
        ({"$schema": 7}, "`$schema` is 7"),
        ({"allOf": [{"$id": "https://example.com/s"}]}, "a schema inside of another"),
        ({"type": "text"}, '`type` is ["text"]'),
        ({"type": 5}, "`type` is 5"),
        ({"required": [1]}, "`required` is [1]"),
        ({"properties": []}, "`properties` is []"),
        ({"exclusiveMinimum": True}, "`exclusiveMinimum` is true"),
        ({"anyOf": {}}, "`anyOf` is {}"),
        ({"enum": 5}, "`enum` is 5"),
        ({"allOf": ["no"]}, '"no" stands where a schema is expected'),
    ],
)
def test_what_cannot_be_read_is_said(schema: Json, why: str) -> None:
    assert why_not(schema).startswith(f"input: cannot be compared: {why}")


def test_a_fault_deep_inside_is_said_at_its_path() -> None:
    schema = {"properties": {"a": {"items": {"type": 5}}}}

    assert why_not({"x-mmgit": {"output": {}}, **schema}).startswith("input.a: is new")
    assert why_not(schema, {"properties": {"a": {"items": {}}}}) == "input.a[]: cannot be compared: `type` is 5"


@pytest.mark.parametrize("keyword", ["allOf", "items"])
def test_a_schema_nested_deep_cannot_be_compared(keyword: str) -> None:
    schema: Json = {"type": "integer"}
    for _ in range(100):
        schema = {keyword: [schema] if keyword == "allOf" else schema}

    assert "deep" in why_not(schema, {**schema, "title": "Other"})


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_a_document_nested_deeper_than_a_schema_is_cannot_be_compared(depth: int) -> None:
    found = compare(b"{}", b'{"not":' * depth + b"{}" + b"}" * depth)

    assert found.verdict == "breaking"
    assert found.differences[0].path == "schema.json"


def test_schemas_that_refer_to_themselves_are_compared() -> None:
    def tree(**leaf: Json) -> Json:
        node = {"type": "object", "properties": {"value": leaf, "next": {"$ref": "#/$defs/node"}}}
        return {"$ref": "#/$defs/node", "$defs": {"node": node}}

    assert verdict(tree(type="integer"), tree(type="number")) == "compatible"
    assert verdict(tree(type="number"), tree(type="integer")) == "breaking"


def test_a_schema_that_meets_itself_in_a_conjunction_comes_to_an_end() -> None:
    both = [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]

    assert verdict({"allOf": both, "type": "object"}, {"allOf": both}) == "compatible"
    assert verdict({"allOf": both}, {"allOf": both, "type": "object"}) == "breaking"


@pytest.mark.parametrize(
    ("schema", "same"),
    [
        (
            {"items": [{"type": "integer"}], "additionalItems": False},
            {"prefixItems": [{"type": "integer"}], "items": False},
        ),
        ({"items": {"type": "integer"}, "additionalItems": False}, {"items": {"type": "integer"}}),
        ({"$ref": "#/definitions/a", "type": "null", "definitions": {"a": {"const": 1}}}, {"const": 1}),
    ],
)
def test_draft_7_is_read_by_its_own_rules(schema: Json, same: Json) -> None:
    assert verdict({**DRAFT_7, **schema}, same) == "same"


def test_a_keyword_that_draft_7_does_not_know_limits_nothing() -> None:
    schema = {"prefixItems": [{"type": "integer"}]}

    assert verdict({**DRAFT_7, **schema}, schema) == "breaking"


def test_alternatives_that_overlap_are_more_than_their_union() -> None:
    running = {"type": "number", "minimum": 1}
    overlapping = {"oneOf": [{"type": "number", "minimum": 1}, {"const": 5}]}

    assert verdict(running, overlapping) == "breaking"


def test_alternatives_told_apart_by_a_constant_are_their_union() -> None:
    def kinds(*names: str) -> Json:
        return {"oneOf": [{"properties": {"kind": {"const": name}}, "required": ["kind"]} for name in names]}

    running = {"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]}

    assert verdict(running, kinds("a", "b")) == "compatible"
    assert verdict(kinds("a", "b"), running) == "breaking"


def test_what_is_compared_by_its_text_sees_the_definitions_that_it_refers_to() -> None:
    def other_than(**definition: Json) -> Json:
        return {"properties": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$defs": {"a": definition}}

    assert verdict(other_than(const=1), other_than(const=2)) == "breaking"


def test_a_budget_ends() -> None:
    reader = Reader({}, Budget(30))
    reader.shapes(({"type": "null"},))

    with pytest.raises(TooMuch):
        reader.shapes(({"type": "null"},))


def test_a_conjunction_without_common_values_accepts_nothing() -> None:
    reader = Reader({}, Budget())

    assert reader.shapes(({"type": "null"}, {"enum": [1, "a"]})) == []
    assert reader.shapes((False,)) == []


def test_a_reference_to_another_file_is_never_followed() -> None:
    reader = Reader({}, Budget())

    with pytest.raises(NotComparable, match="no place in this document"):
        reader.shapes(({"$ref": "file:///etc/passwd"},))
