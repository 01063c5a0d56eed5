import datetime as dt
from typing import Any

import numpy as np
import pytest

from mmgit.sdk.json_samples import describe_bytes, describe_json, plain


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (None, {}),
        (True, {"type": "boolean"}),
        (1, {"type": "integer"}),
        (1.5, {"type": "number"}),
        ("a", {"type": "string"}),
        ([], {"type": "array"}),
        ([1, 2], {"type": "array", "items": {"type": "integer"}}),
        ([1, 2.5], {"type": "array", "items": {"type": "number"}}),
        ([1, "a"], {"type": "array"}),
        (["a", None], {"type": "array"}),
        ((True, False), {"type": "array", "items": {"type": "boolean"}}),
        ({"a": [1.5]}, {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "number"}}}}),
    ],
)
def test_a_value_shows_its_schema(value: Any, schema: dict[str, Any]) -> None:
    assert describe_json(value).schema == {**schema, "x-mmgit": {"type": "standard"}}


def test_an_object_may_bring_more_than_its_sample_shows() -> None:
    schema = describe_json({"a": 1}).schema

    assert "required" not in schema
    assert "additionalProperties" not in schema


def test_bytes_become_base64() -> None:
    described = describe_bytes(b"\x89PNG")

    assert described.sample == "iVBORw=="
    assert described.schema == {"type": "string", "contentEncoding": "base64", "x-mmgit": {"type": "bytes"}}


def test_numpy_values_and_dates_inside_are_made_plain() -> None:
    value = {"n": np.int8(1), "a": np.array([1.5]), "d": dt.date(2026, 2, 28), "t": (1,)}

    assert plain(value) == {"n": 1, "a": [1.5], "d": "2026-02-28", "t": [1]}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (float("nan"), ValueError),
        ([float("inf")], ValueError),
        ({1: 2}, TypeError),
        ({"a": {2}}, TypeError),
        ([object()], TypeError),
        (1j, TypeError),
    ],
)
def test_what_json_cannot_say_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        describe_json(value)
