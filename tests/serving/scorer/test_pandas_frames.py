from typing import Any

import pandas as pd
import pytest

from mmgit.serving.scorer.pandas_frames import frame_converter
from mmgit.serving.scorer.strict_json import Refused

COLUMNS = [
    {"name": "age", "dtype": "int64"},
    {"name": "income", "dtype": "float64"},
    {"name": "city", "dtype": "object"},
]
ROW = {"age": 40, "income": 1.5, "city": "Oslo"}


def convert(rows: Any, columns: list[dict[str, Any]] = COLUMNS) -> pd.DataFrame:
    frame = frame_converter({"columns": columns})(rows, "rows")
    assert isinstance(frame, pd.DataFrame)
    return frame


def message_of(rows: Any) -> str:
    with pytest.raises(Refused) as refused:
        convert(rows)
    return refused.value.message


def test_rows_become_a_frame_with_columns_in_the_declared_order() -> None:
    frame = convert([dict(reversed(ROW.items())), {**ROW, "age": 41}])

    assert frame.columns.tolist() == ["age", "income", "city"]
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", "float64", "object"]
    assert frame.to_dict(orient="records") == [ROW, {**ROW, "age": 41}]


@pytest.mark.parametrize("count", [0, 1, 10_000])
def test_any_number_of_rows_is_taken(count: int) -> None:
    frame = convert([ROW] * count)

    assert frame.shape == (count, 3)
    assert str(frame.dtypes["age"]) == "int64"


@pytest.mark.parametrize(
    ("dtype", "cells"),
    [
        ("bool", [True, False]),
        ("int8", [1, 2]),
        ("uint64", [2**64 - 1]),
        ("float32", [1.5, None]),
        ("Int64", [1, None]),
        ("boolean", [True, None]),
        ("string", ["a", None]),
        ("str", ["a", None]),
        ("datetime64[ns]", ["2026-02-28T12:00:00", None]),
        ("datetime64[ns, UTC]", ["2026-02-28T12:00:00Z", None]),
        ("any", [{"a": [1]}, None]),
    ],
)
def test_each_dtype_is_what_training_saw(dtype: str, cells: list[Any]) -> None:
    frame = convert([{"x": cell} for cell in cells], [{"name": "x", "dtype": dtype}])

    assert str(frame.dtypes["x"]) == ("object" if dtype == "any" else dtype)
    assert frame["x"].isna().tolist() == [cell is None for cell in cells]


def test_a_category_keeps_all_its_values_and_refuses_others() -> None:
    declared = {"name": "x", "dtype": "category", "categories": ["low", "high"], "ordered": True}

    frame = convert([{"x": "high"}, {"x": None}], [declared])

    assert frame["x"].cat.categories.tolist() == ["low", "high"]
    assert frame["x"].cat.ordered
    with pytest.raises(Refused, match=r"rows\[0\]\.x: expected one of \['low', 'high'\] or null, found a string"):
        convert([{"x": "medium"}], [declared])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64", "object"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_columns_of_one_dtype_make_the_same_frame_as_any_others(dtype: str, count: int) -> None:
    cell: Any = {"bool": True, "object": "a"}.get(dtype, 2)
    rows = [{"a": cell, "b": cell, "c": [row]} for row in range(count)]
    columns = [{"name": name, "dtype": dtype} for name in "ba"]

    alone = convert([{name: row[name] for name in "ab"} for row in rows], columns)
    among_others = convert(rows, [*columns, {"name": "c", "dtype": "any"}])

    pd.testing.assert_frame_equal(alone, among_others[["b", "a"]])


def test_columns_of_one_dtype_are_one_block() -> None:
    frame = convert([{"a": 1.5, "b": None}], [{"name": name, "dtype": "float32"} for name in "ab"])

    assert len(frame._mgr.blocks) == 1  # noqa: SLF001 - what a faster frame rests on
    assert frame.isna().to_numpy().tolist() == [[False, True]]


def test_the_wrong_cell_of_one_dtype_is_found() -> None:
    columns = [{"name": name, "dtype": "int8"} for name in "abc"]

    with pytest.raises(Refused, match=r"^rows\[1\]\.b: expected a whole number from -128 to 127, found the number 128"):
        convert([{"a": 1, "b": 2, "c": 3}, {"c": 6, "b": 128, "a": 4}], columns)


def test_a_category_of_numbers_is_compared_as_json_does() -> None:
    declared = {"name": "x", "dtype": "category", "categories": [1, 2]}

    assert convert([{"x": 1.0}, {"x": 2}], [declared])["x"].tolist() == [1, 2]
    with pytest.raises(Refused, match=r"^rows\[0\]\.x: expected one of \[1, 2\] or null, found true"):
        convert([{"x": True}], [declared])


def test_columns_may_be_named_by_numbers() -> None:
    frame = convert([{"0": 1, "1": 2}], [{"name": 0, "dtype": "int64"}, {"name": 1, "dtype": "int64"}])

    assert frame.columns.equals(pd.Index([0, 1]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROW, "rows: expected a list of objects, found an object"),
        ([ROW, 1], "rows[1]: expected an object, found the number 1"),
        ([ROW, {"age": 1, "income": 1}], "rows[1].city: this column is missing"),
        ([{**ROW, "name": "Ann"}], "rows[0].name: there is no such column"),
        ([{**ROW, "age": "40"}], "rows[0].age: expected a whole number from "),
        ([{**ROW, "age": None}], "rows[0].age: expected a whole number from "),
        ([ROW, {**ROW, "income": "1"}], "rows[1].income: expected a float64 number or null, found a string"),
        ([{**ROW, "city": 5}], "rows[0].city: expected a string or null, found the number 5"),
    ],
)
def test_wrong_rows_are_refused_with_their_path(rows: Any, message: str) -> None:
    assert message_of(rows).startswith(message)


@pytest.mark.parametrize("wrong", range(4))
def test_a_date_that_is_none_is_refused_with_its_path(wrong: int) -> None:
    rows = [{"n": 1, "t": "2026-02-31" if index == wrong else "2026-02-28"} for index in range(4)]
    columns = [{"name": "n", "dtype": "int64"}, {"name": "t", "dtype": "datetime64[ns]"}]

    with pytest.raises(Refused, match=rf"^rows\[{wrong}\]\.t: not a datetime64\[ns\] cell"):
        convert(rows, columns)
