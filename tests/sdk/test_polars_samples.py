import datetime as dt
from typing import Any

import polars as pl
import pytest

from mmgit.sdk.polars_samples import describe_polars


def column(series: pl.Series) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """What is declared of one column, its cells' schema, and the sample's cells."""
    described = describe_polars(series.alias("x").to_frame())
    [declared] = described.schema["x-mmgit"]["columns"]
    return declared, described.schema["items"]["properties"]["x"], [row["x"] for row in described.sample]


@pytest.mark.parametrize(
    ("series", "declared", "schema", "cells"),
    [
        (pl.Series([1, None]), ("Int64", "Int64"), {"type": ["integer", "null"], "format": "int64"}, [1, None]),
        (
            pl.Series([1], dtype=pl.UInt8),
            ("UInt8", "UInt8"),
            {"type": ["integer", "null"], "minimum": 0, "maximum": 255},
            [1],
        ),
        (
            pl.Series([1.5], dtype=pl.Float32),
            ("Float32", "Float32"),
            {"type": ["number", "null"], "format": "float"},
            [1.5],
        ),
        (pl.Series([True]), ("boolean", "Boolean"), {"type": ["boolean", "null"]}, [True]),
        (pl.Series(["a"]), ("string", "String"), {"type": ["string", "null"]}, ["a"]),
        (pl.Series(["a"], dtype=pl.Categorical), ("string", "Categorical"), {"type": ["string", "null"]}, ["a"]),
        (
            pl.Series([dt.date(2026, 2, 28)]),
            ("datetime64[D]", "Date"),
            {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}"},
            ["2026-02-28"],
        ),
        (
            pl.Series([dt.datetime(2026, 2, 28, 12)], dtype=pl.Datetime("ms")),  # noqa: DTZ001 - without a zone
            ("datetime64[ms]", "Datetime[ms]"),
            {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}"},
            ["2026-02-28T12:00:00"],
        ),
    ],
)
def test_each_dtype_has_its_schema(
    series: pl.Series, declared: tuple[str, str], schema: dict[str, Any], cells: list[Any]
) -> None:
    wire, own = declared

    assert column(series) == ({"name": "x", "dtype": wire, "polars": own}, schema, cells)


def test_an_enum_declares_all_its_values() -> None:
    declared, schema, _ = column(pl.Series(["low"], dtype=pl.Enum(["low", "high"])))

    assert declared == {"name": "x", "dtype": "category", "categories": ["low", "high"], "polars": "Enum"}
    assert schema == {"enum": ["low", "high", None]}


def test_a_series_is_a_list_of_cells_and_null_is_taken_where_the_sample_has_one() -> None:
    whole, missing = (describe_polars(pl.Series(cells)) for cells in ([1, 2], [1, None]))

    mark = {"type": "standard", "as": "polars", "dtype": "Int64", "polars": "Int64"}
    assert whole.schema == {"type": "array", "items": {"type": "integer", "format": "int64"}, "x-mmgit": mark}
    assert missing.schema["items"]["type"] == ["integer", "null"]
    assert missing.sample == [1, None]


@pytest.mark.parametrize(
    ("sample", "error", "words"),
    [
        (pl.DataFrame({"a": []}), ValueError, "has no rows"),
        (pl.Series([]), ValueError, "has no values"),
        (pl.DataFrame({"a": [[1]]}), ValueError, r"dtype List\(Int64\) of a has no JSON form"),
        (pl.Series([dt.timedelta(1)]), ValueError, "dtype Duration"),
        (pl.Series([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]), ValueError, "dtype Datetime"),
        (pl.DataFrame({"a": [float("nan")]}), ValueError, "nan"),
        ([1], TypeError, "expected a polars DataFrame or Series, found list"),
    ],
)
def test_what_has_no_form_is_refused(sample: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        describe_polars(sample)
