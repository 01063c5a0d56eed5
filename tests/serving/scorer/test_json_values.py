from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mmgit.serving.scorer.json_values import bytes_of, check_value, refuse_unknown_keywords
from mmgit.serving.scorer.strict_json import Refused

NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -2.0])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "bb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minimum": NUMBERS,
            "exclusiveMaximum": NUMBERS,
            "maximum": NUMBERS,
            "exclusiveMinimum": NUMBERS,
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 2),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "pattern": st.sampled_from(["a", "^b", "^$"]),
            "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "items": inner,
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner),
            "additionalProperties": inner | st.booleans(),
        },
    ),
    max_leaves=4,
)


def is_taken(value: Any, schema: Any) -> bool:
    try:
        check_value(value, schema, "x")
    except Refused:
        return False
    return True


def has_booleans_among_numbers(value: Any) -> bool:
    """Python's `True == 1` makes jsonschema compare such lists loosely inside enum and const."""
    return isinstance(value, (list, dict)) and bool(value)


@given(VALUES, SCHEMAS)
def test_values_are_judged_as_json_schema_does(value: Any, schema: Any) -> None:
    choices = [*schema.get("enum", ()), schema.get("const")]
    if any(map(has_booleans_among_numbers, choices)):
        return

    assert is_taken(value, schema) == Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (1, {"type": ["string", "null"]}, "x: expected string or null, found the number 1"),
        ({}, {"required": ["a"]}, "x.a: this is required"),
        (
            {"a": [1, "b"]},
            {"properties": {"a": {"items": {"type": "number"}}}},
            "x.a[1]: expected number, found a string",
        ),
        ({"b": 1}, {"additionalProperties": False}, "x.b: not expected here"),
        (5, {"maximum": 4}, "x: expected at most 4"),
        ("b", {"enum": ["a", None]}, 'x: expected one of ["a", null]'),
        ("b", {"pattern": "^a"}, "x: expected a match of ^a"),
    ],
)
def test_the_deepest_path_is_named(value: Any, schema: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        check_value(value, schema, "x")

    assert refused.value.message == message


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": []},
        {"properties": {"a": {"$ref": "#/a"}}},
        {"items": {"format": "date", "multipleOf": 2}},
        {"additionalProperties": {"dependentRequired": {}}},
    ],
)
def test_a_keyword_that_is_not_checked_is_an_error(schema: Any) -> None:
    with pytest.raises(ValueError, match="is not among those that requests are checked against"):
        refuse_unknown_keywords(schema, "x")


def test_annotations_and_our_own_mark_are_no_such_keyword() -> None:
    refuse_unknown_keywords(
        {"title": "t", "items": {"examples": [1], "x-mmgit": {}}, "additionalProperties": True}, "x"
    )


def test_base64_becomes_bytes() -> None:
    assert bytes_of("aGVsbG8=", "x") == b"hello"


@pytest.mark.parametrize("value", ["aGVsbG8", "aGVs bG8=", "äöü", "aGVsbG8_", 1, None, ["aGVsbG8="]])
def test_anything_but_base64_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match=r"^x: "):
        bytes_of(value, "x")
