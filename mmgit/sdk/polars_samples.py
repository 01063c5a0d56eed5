"""A polars DataFrame or Series in, its `Description` out. On the wire a frame is what one of pandas is: rows by column.

`polars` beside a column's dtype names the one that `run()` gets. Any cell of a frame may be missing, as in polars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmgit.sdk.description import Description
from mmgit.sdk.dtypes import cell_schema, or_null
from mmgit.sdk.json_samples import plain
from mmgit.sdk.pandas_samples import frame_schema

if TYPE_CHECKING:
    from mmgit.sdk.description import Sample, Schema

_WIRE = {"Boolean": "boolean", "String": "string", "Utf8": "string", "Categorical": "string", "Date": "datetime64[D]"}
_NUMBERS = {f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)} | {"Float32", "Float64"}


def describe_polars(sample: Sample) -> Description:
    """The description of a frame with at least one row, or of a series with at least one cell.

    Raises:
        TypeError: it is neither.
        ValueError: it is empty, or holds a dtype without a JSON form.
    """
    if hasattr(sample, "get_columns") and hasattr(sample, "schema"):
        return _describe_frame(sample)
    if hasattr(sample, "to_list") and hasattr(sample, "dtype"):
        return _describe_series(sample)
    raise TypeError(f"expected a polars DataFrame or Series, found {type(sample).__name__}")


def _describe_frame(frame: Sample) -> Description:
    if frame.height == 0:
        raise ValueError("the sample frame has no rows; pass a few, such as df.head(3)")
    columns = [{"name": series.name, **_declared(series)} for series in frame.get_columns()]
    schema = frame_schema(columns)
    schema["x-mmgit"]["as"] = "polars"
    cells = [_cells(series) for series in frame.get_columns()]
    return Description(schema, [dict(zip(frame.columns, row)) for row in zip(*cells)])


def _describe_series(series: Sample) -> Description:
    if len(series) == 0:
        raise ValueError("the sample series has no values; pass a few, such as s.head(3)")
    declared = _declared(series)
    cell = {"enum": declared["categories"]} if "categories" in declared else cell_schema(declared["dtype"])
    cells = _cells(series)
    mark = {"type": "standard", "as": "polars", **declared}
    return Description({"type": "array", "items": or_null(cell) if None in cells else cell, "x-mmgit": mark}, cells)


def _declared(series: Sample) -> Schema:
    """The dtype as it is on the wire, and as polars has it."""
    name = type(series.dtype).__name__ if not isinstance(series.dtype, type) else series.dtype.__name__
    if name == "Enum":
        return {"dtype": "category", "categories": series.dtype.categories.to_list(), "polars": name}
    if name == "Datetime" and series.dtype.time_zone is None:
        unit = series.dtype.time_unit
        return {"dtype": f"datetime64[{unit}]", "polars": f"Datetime[{unit}]"}
    if name not in _WIRE and name not in _NUMBERS:
        hint = "convert it to numbers, texts, dates or times without a zone before run() sees it"
        raise ValueError(f"dtype {series.dtype} of {series.name or 'the series'} has no JSON form; {hint}")
    return {"dtype": _WIRE.get(name, name), "polars": "String" if name == "Utf8" else name}


def _cells(series: Sample) -> list[Any]:
    return [plain(cell) for cell in series.to_list()]
