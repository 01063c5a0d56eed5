from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.clients.model import (
    ANYTHING,
    Array,
    Field,
    Record,
    Scalar,
    Table,
    Type,
    api_of,
    misfits,
    records_in,
    shape_of,
)
from mmgit.clients.naming import type_names
from mmgit.errors import UsageError
from mmgit.openapi import openapi_document
from mmgit.sdk import generate_schema

TEXT = Scalar("text")


def type_of(schema: Any) -> Type:
    """The type of the argument `a` with that schema."""
    document = openapi_document({"properties": {"a": schema}}, None, title="t")
    inputs = api_of(document).inputs
    assert isinstance(inputs, Record)
    return inputs.fields[0].type


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, TEXT),
        ({"type": "string", "contentEncoding": "base64"}, Scalar("bytes")),
        ({"type": ["number", "null"], "format": "double"}, Scalar("number", nullable=True, dtype="float64")),
        ({"type": "integer", "minimum": 0, "maximum": 255}, Scalar("integer", dtype="uint8")),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, Scalar("anything", nullable=True, dtype="uint64")),
        ({"enum": ["a", "b", None]}, Scalar("text", nullable=True, choices=("a", "b"))),
        ({"enum": [1, 2]}, Scalar("integer")),
        ({"const": True}, Scalar("flag")),
        ({"enum": [1, "a"]}, ANYTHING),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}, Array(TEXT, 2)),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, ANYTHING),
        ({"type": "object", "additionalProperties": {"type": "string"}}, Table(TEXT)),
        ({"type": "object"}, Table(ANYTHING)),
        ({"type": ["string", "integer"]}, ANYTHING),
        ({"anyOf": [{"type": "string"}], "type": "string"}, ANYTHING),
        ({"$ref": "#/$defs/elsewhere"}, ANYTHING),
        ({"$ref": "https://elsewhere.example/schema.json"}, ANYTHING),
        (True, ANYTHING),
        ({}, ANYTHING),
    ],
)
def test_what_a_schema_says_becomes_a_type_and_all_else_anything(schema: Any, expected: Type) -> None:
    assert type_of(schema) == expected


def test_a_schema_of_the_document_is_followed_and_one_within_itself_ends() -> None:
    assert type_of({"$ref": "#/components/schemas/ServiceOutput"}) == ANYTHING

    endless = type_of({"type": "array", "items": {"$ref": "#/components/schemas/ServiceInput"}})

    assert len(list(records_in(endless))) < 40


def test_arrays_are_described_in_the_words_of_numpy() -> None:
    schema = generate_schema(lambda **_: None, {"x": np.zeros((1, 28, 28), "float32"), "s": np.array(["a"])})
    inputs = api_of(openapi_document(schema, None, title="t")).inputs

    assert isinstance(inputs, Record)
    assert [shape_of(field.type) for field in inputs.fields] == ["(n, 28, 28) float32", "(n,) text"]


def test_frames_are_lists_of_records_that_are_named_after_their_argument() -> None:
    frame = pd.DataFrame({"age": [40], "deep": [{"a": 1}]})[["age"]]
    schema = generate_schema(lambda **_: None, {"rows": frame, "options": {"deep": {"on": True}}}, outputs=frame)
    api = api_of(openapi_document(schema, None, title="t"))

    names = type_names([*records_in(api.inputs), *records_in(api.result)])

    assert list(names.values()) == ["RowsItem", "OptionsDeepValue", "OptionsValue", "Input", "ResultItem"]


@pytest.mark.parametrize(
    ("type_", "value", "places"),
    [
        (Array(TEXT), ["a", 1, None], ["x[1]", "x[2]"]),
        (Record((), (Field("a", TEXT, required=True),)), {"b": 1}, ["x.'a'", "x.'b'"]),
        (Table(TEXT), {"a": "\ud800", "\udfff": "a"}, ["x.'a'", "x"]),
        (Scalar("number"), float("nan"), ["x"]),
        (Scalar("number"), 10**400, ["x"]),
        (Scalar("integer"), 2**63, ["x"]),
        (Scalar("integer"), True, ["x"]),
        (ANYTHING, {"deep": [2**63]}, ["x"]),
        (Scalar("text", nullable=True), None, []),
    ],
)
def test_what_is_not_of_a_type_is_found(type_: Type, value: Any, places: list[str]) -> None:
    assert list(misfits(type_, value, "x")) == places


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="no Unicode text"):
        type_of({"type": "object", "properties": {"\ud800": {}}})
