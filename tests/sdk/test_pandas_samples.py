from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk.pandas_samples import describe_frame


def column(values: Any) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """What is declared of one column, its cells' schema, and the sample's cells."""
    described = describe_frame(pd.DataFrame({"x": values}))
    [declared] = described.schema["x-mmgit"]["columns"]
    return declared, described.schema["items"]["properties"]["x"], [row["x"] for row in described.sample]


def test_columns_keep_their_order_and_must_all_be_there() -> None:
    schema = describe_frame(pd.DataFrame({"b": [1], "a": [2.5]})).schema

    assert [declared["name"] for declared in schema["x-mmgit"]["columns"]] == ["b", "a"]
    assert schema["items"]["required"] == ["b", "a"]
    assert schema["items"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("values", "dtype", "schema", "cells"),
    [
        ([1, 2], "int64", {"type": "integer", "format": "int64"}, [1, 2]),
        ([True], "bool", {"type": "boolean"}, [True]),
        ([1.5, np.nan], "float64", {"type": ["number", "null"], "format": "double"}, [1.5, None]),
        (
            pd.array([1, None], dtype="Int8"),
            "Int8",
            {"type": ["integer", "null"], "minimum": -128, "maximum": 127},
            [1, None],
        ),
        (pd.Series(["a", None], dtype=object), "object", {"type": ["string", "null"]}, ["a", None]),
        (pd.array(["a", None], dtype="string"), "string", {"type": ["string", "null"]}, ["a", None]),
        (pd.Series([{"k": 1}, [2]], dtype=object), "any", {}, [{"k": 1}, [2]]),
        (
            pd.Series(["2026-02-28", None]).astype("datetime64[ns]"),
            "datetime64[ns]",
            {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}"},
            ["2026-02-28T00:00:00", None],
        ),
    ],
)
def test_each_dtype_has_its_schema(values: Any, dtype: str, schema: dict[str, Any], cells: list[Any]) -> None:
    assert column(values) == ({"name": "x", "dtype": dtype}, schema, cells)


def test_a_category_declares_all_its_values() -> None:
    declared, schema, cells = column(pd.Categorical(["low"], categories=["low", "high"], ordered=True))

    assert declared == {"name": "x", "dtype": "category", "categories": ["low", "high"], "ordered": True}
    assert schema == {"enum": ["low", "high", None]}
    assert cells == ["low"]


def test_columns_named_by_numbers_keep_their_numbers() -> None:
    described = describe_frame(pd.DataFrame(np.zeros((1, 2))))

    assert [declared["name"] for declared in described.schema["x-mmgit"]["columns"]] == [0, 1]
    assert described.sample == [{"0": 0.0, "1": 0.0}]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": []}), "no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "names a column twice"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "names a column twice"),
        (pd.DataFrame([[1]], columns=[("a", "b")]), "neither a text nor a whole number"),
        (pd.DataFrame({"a": [np.inf]}), "JSON cannot hold"),
        (pd.DataFrame({"a": [pd.Timedelta(1, "s")]}), "has no JSON form"),
        (pd.DataFrame({"a": [1j]}), "JSON cannot say"),
        (pd.DataFrame({"a": [object()]}), "JSON cannot say"),
    ],
)
def test_a_frame_that_requests_could_not_repeat_is_refused(frame: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        describe_frame(frame)
