"""A list, an array or a frame in, its columns and rows as JSON values out. Knows them by their methods alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from .results import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .strict_json import Json


class Table(NamedTuple):
    """Rows of cells; `columns` is empty where nobody names them."""

    columns: list[str]
    rows: list[list[Json]]


def rows_of(data: Any) -> int:  # noqa: ANN401 - anything that a user collects
    """How many rows there are: a list is one.

    Raises:
        TypeError: it is no list, array or frame.
    """
    if isinstance(data, list):
        return 1
    shape = getattr(data, "shape", None)
    if not isinstance(shape, tuple):
        raise TypeError(f"expected a list, a numpy array or a pandas DataFrame, found {type(data).__name__}")
    return int(shape[0]) if len(shape) > 1 else 1


def cells_of(data: Any) -> int:  # noqa: ANN401 - as above
    """How many values there are, as far as that is known without looking at them."""
    return len(data) if isinstance(data, list) else int(math.prod(data.shape))


def table_of(data: Any, names: Sequence[str] | None) -> Table:  # noqa: ANN401 - as above
    """The values; what is missing, NaN or infinite is null. `names` are for data that does not name its columns.

    Raises:
        TypeError: a value has no JSON form.
    """
    columns = [str(name) for name in (names if names is not None else ())]
    if isinstance(data, list):
        rows = [data]
    elif hasattr(data, "iter_rows"):
        columns = list(data.columns)
        rows = [list(row) for row in data.iter_rows()]
    elif hasattr(data, "columns") and hasattr(data, "itertuples"):
        columns = [str(name) for name in data.columns]
        rows = [list(row) for row in data.itertuples(index=False, name=None)]
    else:
        listed = plain(data)
        rows = listed if len(data.shape) > 1 else [listed if data.shape else [listed]]
    cells = [[_cell(cell) for cell in row] for row in rows]
    is_named = all(len(row) == len(columns) for row in cells)
    return Table(columns if is_named else [], cells)


def _cell(value: Json) -> Json:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_cell(inner) for inner in value]
    if isinstance(value, dict):
        return {str(name): _cell(inner) for name, inner in value.items()}
    return _cell(plain(value))
