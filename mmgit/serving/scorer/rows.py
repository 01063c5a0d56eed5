"""Arguments of several calls in, those of one call for all of their rows out; its result in, the result of each out.

Rows are the first axis of numpy arrays and of frames, and the items of lists. Inputs have one dtype, frames one
list of columns: what converts them gives them as they are declared.
"""

from __future__ import annotations

import importlib
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .results import plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

Arguments = dict[str, Any]
"""Arrays and frames by the name of the argument."""


def is_row_wise(schema: Mapping[str, Any]) -> bool:
    """Whether a schema.json declares that the rows of several requests may be arguments of one call.

    Raises:
        ValueError: it does, of a `run()` whose inputs are not rows.
    """
    declared = schema.get("x-mmgit", {}).get("row_wise", False)
    if not isinstance(declared, bool):
        raise ValueError("x-mmgit.row_wise: expected true or false")  # noqa: TRY004 - the caller knows one kind of fault
    properties = schema["properties"]
    if declared and not properties:
        raise ValueError("x-mmgit.row_wise: a run() without inputs has no rows")
    for name, each in properties.items() if declared else ():
        mark = each.get("x-mmgit", {})
        if mark.get("as") == "spark":
            raise ValueError(f"x-mmgit.row_wise: {name} is a DataFrame of Spark, whose rows have no order")
        if mark.get("type") != "pandas" and (mark.get("type") != "numpy" or mark["shape"][:1] != [None]):
            raise ValueError(f"x-mmgit.row_wise: {name} is neither a frame nor an array whose first size is free")
    return declared


def rows_of(arguments: Arguments) -> int:
    """How many rows a call has: those of its first argument."""
    first: Any = next(iter(arguments.values()))
    return int(first.shape[0])


def kind_of(arguments: Arguments) -> Hashable | None:
    """What calls must share to be one; None for a call without rows, or with another number of them in each input."""
    if len(arguments) == 1:  # as nearly all have it
        [(name, value)] = arguments.items()
        rows, *inner = value.shape
        return (name, *inner) if rows else None
    sizes = {value.shape[0] for value in arguments.values()}
    if len(sizes) != 1 or 0 in sizes:
        return None
    return frozenset((name, value.shape[1:]) for name, value in arguments.items())


def joined(calls: Sequence[Arguments]) -> Arguments:
    """The arguments of calls of one kind, one after the other."""
    return {name: _concatenated([arguments[name] for arguments in calls]) for name in calls[0]}


def parts_of(result: object, sizes: Sequence[int], *, is_for_json: bool = False) -> list[Any] | None:
    """The result of each call, which has so many rows; None when the result is not rows of all of them.

    Where all of it becomes JSON, arrays are made lists first: once, not for each.
    """
    ends = list(accumulate(sizes))
    bounds = list(map(slice, [0, *ends], ends))
    if not isinstance(result, dict):
        return _slices(result, bounds, is_for_json=is_for_json)
    columns = {name: _slices(value, bounds, is_for_json=is_for_json) for name, value in result.items()}
    if not columns or None in columns.values():
        return None
    return [dict(zip(columns, cells)) for cells in zip(*columns.values())]


def _concatenated(values: Sequence[Any]) -> object:
    if hasattr(values[0], "to_dicts"):
        return importlib.import_module("polars").concat(values)
    if hasattr(values[0], "columns"):
        return importlib.import_module("pandas").concat(values, ignore_index=True)
    return importlib.import_module("numpy").concatenate(values)


def _slices(
    value: Any,  # noqa: ANN401 - a result may be anything
    bounds: Sequence[slice],
    *,
    is_for_json: bool,
) -> list[Any] | None:
    total = bounds[-1].stop
    if isinstance(value, list):
        if len(value) != total or any(_is_as_long(item, total) for item in value):
            return None
    elif not any(hasattr(value, name) for name in ("tolist", "columns", "to_list")) or value.shape[:1] != (total,):
        return None
    is_array = type(value).__name__ == "ndarray" and type(value).__module__ == "numpy"
    rows = plain(value) if is_for_json and is_array else getattr(value, "iloc", value)
    return [rows[bound] for bound in bounds]


def _is_as_long(item: Any, total: int) -> bool:  # noqa: ANN401 - whatever is in a list
    """Whether a list may be one of columns: `[labels, scores]` for two rows looks like two rows of two values."""
    if isinstance(item, (list, tuple)):
        return len(item) == total
    return tuple(getattr(item, "shape", ()))[:1] == (total,)
