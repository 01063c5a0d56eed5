"""A DataFrame of Spark in, its `Description` out. On the wire it is what one of pandas is: rows by column.

`spark` beside a column's dtype names the type that `run()` gets. Any cell may be missing, as in Spark.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from mmgit.sdk.description import Description
from mmgit.sdk.json_samples import plain
from mmgit.sdk.pandas_samples import frame_schema

if TYPE_CHECKING:
    from mmgit.sdk.description import Sample

_ROWS_MAX = 1000
_WIRE = {
    "boolean": "boolean",
    "string": "string",
    "float": "Float32",
    "double": "Float64",
    "tinyint": "Int8",
    "smallint": "Int16",
    "int": "Int32",
    "bigint": "Int64",
    "date": "datetime64[D]",
    "timestamp": "datetime64[us]",
    "timestamp_ntz": "datetime64[us]",
}
_LISTS = re.compile(r"vector|array<(boolean|string|float|double|tinyint|smallint|int|bigint)>")


def describe_spark(frame: Sample) -> Description:
    """The description of a DataFrame with a few rows, which are computed for it.

    Raises:
        TypeError: it is no DataFrame of Spark.
        ValueError: it has no rows or too many, names a column twice, or holds a type without a JSON form.
    """
    if not all(hasattr(frame, name) for name in ("schema", "take", "toLocalIterator")):
        raise TypeError(f"expected a DataFrame of Spark, found {type(frame).__name__}")
    types = [(str(field.name), str(field.dataType.simpleString())) for field in frame.schema.fields]
    if len(dict(types)) != len(types):
        raise ValueError("the sample frame names a column twice")
    columns = [{"name": name, "dtype": _dtype(name, of), "spark": of} for name, of in types]
    rows = frame.take(_ROWS_MAX + 1)
    if not 0 < len(rows) <= _ROWS_MAX:
        raise ValueError("the sample frame has no rows, or too many; pass a few, such as df.limit(3)")
    schema = frame_schema(columns)
    schema["x-mmgit"]["as"] = "spark"
    return Description(schema, [{name: _cell(row[at], of) for at, (name, of) in enumerate(types)} for row in rows])


def _dtype(name: str, of: str) -> str:
    """The dtype as it is on the wire."""
    if of in _WIRE:
        return _WIRE[of]
    if _LISTS.fullmatch(of):
        return "any"
    hint = "cast it to numbers, texts, dates, times, vectors or arrays of these before run() sees it"
    raise ValueError(f"type {of} of {name} has no JSON form; {hint}")


def _cell(cell: Any, of: str) -> Any:  # noqa: ANN401 - whatever is in a row
    if of == "timestamp" and cell is not None:  # pyspark gives it in the time zone of this process
        cell = cell.astimezone(dt.timezone.utc).replace(tzinfo=None)
    return plain(cell.toArray() if hasattr(cell, "toArray") else cell)
