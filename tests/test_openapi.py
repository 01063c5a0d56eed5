import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from mmgit.openapi import openapi_document, swagger_document
from mmgit.sdk import generate_schema

FRAME = pd.DataFrame({"age": [40], "city": ["Oslo"], "plan": pd.Categorical(["a"], categories=["a", "b"])})


def run(x: Any, rows: Any, image: Any, options: Any = None) -> None:
    """What a score.py with every sort of argument has."""


SAMPLES = {"x": np.array([[1.5, np.nan]]), "rows": FRAME, "image": b"a", "options": {"k": [1, None]}}
SCHEMA = generate_schema(run, SAMPLES, outputs={"label": "cat", "p": np.array([0.5])})
SAMPLE = {
    "x": [[1.5, None]],
    "rows": [{"age": 40, "city": "Oslo", "plan": "a"}],
    "image": "YQ==",
    "options": {"k": [1]},
}
BY_HAND = {
    "type": "object",
    "properties": {
        "n": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "examples": [0.5]},
        "c": {"const": "only"},
        "l": {"type": "array", "maxItems": 3},
        "t": True,
        "o": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
    },
    "required": [],
}


@pytest.mark.parametrize("schema", [SCHEMA, BY_HAND, None])
@pytest.mark.parametrize("sample", [SAMPLE, None])
def test_both_documents_are_valid(schema: Any, sample: Any) -> None:
    validate(openapi_document(schema, sample, title="digits"))
    validate(swagger_document(schema, sample, title="digits"))


@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_a_body_may_be_missing_where_nothing_is_declared(schema: Any) -> None:
    openapi = openapi_document(schema, None, title="t")["paths"]["/score"]["post"]
    [body] = swagger_document(schema, None, title="t")["paths"]["/score"]["post"]["parameters"]

    assert openapi["requestBody"]["required"] is body["required"] is (schema is not None)


def test_the_sample_is_the_example() -> None:
    body = openapi_document(SCHEMA, SAMPLE, title="digits")["paths"]["/score"]["post"]["requestBody"]

    assert body["content"]["application/json"]["example"] == SAMPLE
    assert swagger_document(SCHEMA, SAMPLE, title="digits")["definitions"]["ServiceInput"]["example"] == SAMPLE


def test_a_request_is_judged_by_the_document_as_by_the_schema() -> None:
    schemas = openapi_document(SCHEMA, None, title="digits")["components"]["schemas"]

    published = Draft202012Validator(schemas["ServiceInput"])

    assert published.is_valid(SAMPLE)
    assert not published.is_valid({**SAMPLE, "x": [[1]]})
    assert not published.is_valid({"x": SAMPLE["x"]})


def test_the_result_is_described_where_outputs_were_given() -> None:
    openapi = openapi_document(SCHEMA, None, title="digits")["components"]["schemas"]["ServiceOutput"]
    swagger = swagger_document(SCHEMA, None, title="digits")["definitions"]["ServiceOutput"]

    assert openapi["properties"]["label"] == {"type": "string"}
    assert swagger["example"] == {"label": "cat", "p": [0.5]}


def test_every_refusal_of_the_server_is_described() -> None:
    answers = openapi_document(None, None, title="digits")["paths"]["/score"]["post"]["responses"]

    assert set(answers) == {"200", "400", "401", "413", "415", "500", "503", "504"}


def test_bytes_alone_may_be_the_body_itself() -> None:
    document = openapi_document(generate_schema(lambda image: image, {"image": b"a"}), None, title="Digits")

    validate(document)
    content = document["paths"]["/score"]["post"]["requestBody"]["content"]
    assert list(content) == ["application/json", "application/octet-stream", "image/*"]


def test_our_own_marks_stay_inside() -> None:
    for document in (openapi_document(SCHEMA, None, title="d"), swagger_document(SCHEMA, None, title="d")):
        assert "x-mmgit" not in json.dumps(document)


def test_swagger_says_what_it_can_in_its_own_words() -> None:
    given = swagger_document(SCHEMA, None, title="digits")["definitions"]["ServiceInput"]["properties"]
    row = given["rows"]["items"]["properties"]

    assert given["image"] == {"type": "string", "format": "byte"}
    assert given["x"]["items"]["items"] == {"type": "number", "format": "double", "x-nullable": True}
    assert row["plan"] == {"enum": ["a", "b"], "x-nullable": True}
    assert given["options"]["properties"]["k"] == {"type": "array", "items": {}}


def test_swagger_keeps_bounds_and_choices() -> None:
    given = swagger_document(BY_HAND, None, title="digits")["definitions"]["ServiceInput"]

    assert "required" not in given
    assert given["properties"]["n"] == {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 1,
        "exclusiveMaximum": True,
        "example": 0.5,
    }
    assert given["properties"]["c"] == {"enum": ["only"]}
    assert given["properties"]["o"]["additionalProperties"] == {}


def test_the_schema_that_was_given_is_not_changed() -> None:
    before = json.dumps(SCHEMA)

    swagger_document(SCHEMA, SAMPLE, title="digits")
    openapi_document(SCHEMA, SAMPLE, title="digits")

    assert json.dumps(SCHEMA) == before


def test_the_same_input_gives_the_same_document() -> None:
    one, two = (json.dumps(openapi_document(SCHEMA, SAMPLE, title="digits")) for _ in range(2))

    assert one == two
