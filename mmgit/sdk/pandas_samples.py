"""A pandas DataFrame in, its `Description` out: columns in order with dtypes; a request brings any number of rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mmgit.sdk.description import Description
from mmgit.sdk.dtypes import cell_schema, or_null
from mmgit.sdk.json_samples import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmgit.sdk.description import Sample, Schema

_NEVER_MISSING = re.compile(r"u?int\d+|bool")


def describe_frame(frame: Sample) -> Description:
    """The description of a frame with at least one row.

    Raises:
        TypeError: it is no frame, or its columns are not named by texts or whole numbers.
        ValueError: it is empty, names a column twice, or holds a dtype without a JSON form.
    """
    if not all(hasattr(frame, name) for name in ("columns", "dtypes", "iloc")):
        raise TypeError(f"expected a pandas DataFrame, found {type(frame).__name__}")
    labels = frame.columns.tolist()
    names = [str(label) for label in labels]
    if len(frame) == 0:
        raise ValueError("the sample frame has no rows; pass a few, such as X.head(3)")
    if len(set(names)) != len(names):
        raise ValueError("the sample frame names a column twice")
    for label in labels:
        if not isinstance(label, (str, int)):
            raise TypeError(f"the column {label!r} is named by neither a text nor a whole number")
    columns = [_describe_column(label, frame.iloc[:, index]) for index, label in enumerate(labels)]
    sample = [dict(zip(names, row_cells)) for row_cells in zip(*(cells for _, cells in columns))]
    return Description(frame_schema([declared for declared, _ in columns]), sample)


def frame_schema(columns: Sequence[Schema]) -> Schema:
    """The schema of a frame with these columns, as the server converts to them: `{"name": "age", "dtype": "int64"}`.

    Raises:
        ValueError: a dtype has no JSON form.
    """
    names = [str(column["name"]) for column in columns]
    row: Schema = {
        "type": "object",
        "properties": dict(zip(names, map(_cells_of, columns))),
        "required": names,
        "additionalProperties": False,
    }
    return {"type": "array", "items": row, "x-mmgit": {"type": "pandas", "columns": list(columns)}}


def _cells_of(column: Schema) -> Schema:
    """What a client sends for a column: null too wherever pandas has a missing value for the dtype."""
    dtype = column["dtype"]
    schema = {"enum": column["categories"]} if dtype == "category" else cell_schema(dtype)
    return schema if _NEVER_MISSING.fullmatch(dtype) else or_null(schema)


def _describe_column(label: str | int, series: Sample) -> tuple[Schema, list[Any]]:
    """What the server converts to, and the sample's cells as plain JSON."""
    cells = [None if is_missing else plain(cell) for cell, is_missing in zip(series.tolist(), series.isna().tolist())]
    dtype = str(series.dtype)
    if dtype == "category":
        choices = [plain(choice) for choice in series.cat.categories.tolist()]
        declared = {"name": label, "dtype": dtype, "categories": choices, "ordered": bool(series.cat.ordered)}
        return declared, cells
    if dtype == "object" and not all(isinstance(cell, str) for cell in cells if cell is not None):
        dtype = "any"
    return {"name": label, "dtype": dtype}, cells
