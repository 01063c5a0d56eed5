"""A pandas DataFrame in, its `Description` out: columns in order with dtypes; a request brings any number of rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mmgit.sdk.description import Description
from mmgit.sdk.dtypes import cell_schema, or_null
from mmgit.sdk.json_samples import plain

if TYPE_CHECKING:
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
    row: Schema = {
        "type": "object",
        "properties": {name: schema for name, (_, schema, _) in zip(names, columns)},
        "required": names,
        "additionalProperties": False,
    }
    cells = [cells for _, _, cells in columns]
    sample = [dict(zip(names, row_cells)) for row_cells in zip(*cells)]
    mark = {"type": "pandas", "columns": [declared for declared, _, _ in columns]}
    return Description({"type": "array", "items": row, "x-mmgit": mark}, sample)


def _describe_column(label: str | int, series: Sample) -> tuple[Schema, Schema, list[Any]]:
    """What the server converts to, what a client sends, and the sample's cells as plain JSON."""
    cells = [None if is_missing else plain(cell) for cell, is_missing in zip(series.tolist(), series.isna().tolist())]
    dtype = str(series.dtype)
    if dtype == "category":
        choices = [plain(choice) for choice in series.cat.categories.tolist()]
        declared = {"name": label, "dtype": dtype, "categories": choices, "ordered": bool(series.cat.ordered)}
        return declared, or_null({"enum": choices}), cells
    if dtype == "object" and not all(isinstance(cell, str) for cell in cells if cell is not None):
        dtype = "any"
    schema = cell_schema(dtype)
    return {"name": label, "dtype": dtype}, schema if _NEVER_MISSING.fullmatch(dtype) else or_null(schema), cells
