"""The columns of archived Parquet: those of every file, and those of collected rows, by their names and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from mmgit.archive.partitions import Partition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMON = (
    ("record_id", pa.string()),
    ("time", pa.timestamp("us", tz="UTC")),
    ("environment", pa.string()),
    ("manifest", pa.string()),
    ("models", pa.list_(pa.string())),
    ("request_id", pa.string()),
    ("correlation_id", pa.string()),
    ("trace_id", pa.string()),
)
REQUEST = (
    *_COMMON,
    ("route", pa.string()),
    ("status", pa.int32()),
    ("seconds", pa.float64()),
    ("queue_seconds", pa.float64()),
    ("bytes_in", pa.int64()),
    ("bytes_out", pa.int64()),
    ("key", pa.string()),
    ("inputs", pa.string()),
    ("inputs_base64", pa.string()),
    ("inputs_omitted", pa.string()),
    ("outputs", pa.string()),
    ("outputs_base64", pa.string()),
    ("outputs_omitted", pa.string()),
)
COLLECTED = (
    *_COMMON,
    ("request_ids", pa.list_(pa.string())),
    ("rows_omitted", pa.string()),
    ("row", pa.int64()),
)
COLUMNS_MAX = 1000
_REST = "other_columns"
_TAKEN = (*Partition._fields, *(name for name, _ in COLLECTED), _REST)
_INT64_MAX = 2**63 - 1
_encode = msgspec.json.Encoder().encode


class Values:
    """The columns of collected rows: each has its name and the type of what is in it, numbers or else text.

    One called as a column of every file, or as one before it, gets `row_` before its name; case does not tell them
    apart. One that nobody names is `column_<n>`. One without any value is left out. What lies beyond `COLUMNS_MAX` is
    one column, a JSON object.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], str] = {}
        self._kinds: dict[str, pa.DataType] = {}
        self._taken = {name.casefold() for name in _TAKEN}

    def see(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Take the rows of a record into account."""
        for row in rows:
            for _, name, cell in self._cells(names, row):
                kind = pa.string() if name == _REST else _kind_of(cell)
                self._kinds[name] = _joined(self._kinds.get(name), kind)

    @property
    def fields(self) -> list[tuple[str, Any]]:
        """The columns that were seen, in the order in which they were first."""
        return [(name, self._kinds[name]) for name in (*self._names.values(), _REST) if name in self._kinds]

    def of(self, names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
        """A row as values of these columns."""
        rest: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for given, name, cell in self._cells(names, row):
            if name == _REST:
                rest[given] = cell
            else:
                found[name] = _cell(cell, self._kinds[name])
        return {**found, _REST: _cell(rest, pa.string())} if rest else found

    def _cells(self, names: Sequence[str], row: Sequence[Any]) -> Iterator[tuple[str, str, Any]]:
        """The values of a row, each with the name of its column and what that is called in the file."""
        seen: dict[str, int] = {}
        for name, cell in zip(names or [f"column_{number}" for number in range(len(row))], row, strict=False):
            seen[name] = seen.get(name, -1) + 1
            called = self._names.get((name, seen[name])) or self._chosen(name, seen[name])
            if cell is not None:
                yield name, called, cell

    def _chosen(self, name: str, before: int) -> str:
        if len(self._names) >= COLUMNS_MAX:
            return _REST
        chosen = name
        while not chosen or chosen.casefold() in self._taken:
            chosen = f"row_{chosen}"
        self._taken.add(chosen.casefold())
        self._names[name, before] = chosen
        return chosen


def _kind_of(cell: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    if isinstance(cell, float):
        return pa.float64()
    is_whole = isinstance(cell, int) and not isinstance(cell, bool) and -_INT64_MAX <= cell <= _INT64_MAX
    return pa.int64() if is_whole else pa.string()


def _joined(one: Any, other: Any) -> Any:  # noqa: ANN401 - as above
    if one is None or one == other:
        return other
    return pa.string() if pa.string() in (one, other) else pa.float64()


def _cell(cell: Any, kind: Any) -> Any:  # noqa: ANN401 - any JSON value, as above
    if kind == pa.float64():
        return float(cell)
    return cell if kind == pa.int64() or isinstance(cell, str) else _encode(cell).decode()
