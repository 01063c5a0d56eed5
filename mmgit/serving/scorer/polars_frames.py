"""JSON in, a polars DataFrame or Series of the declared dtypes out, or `Refused` with the path of the fault."""

from __future__ import annotations

import datetime as dt
import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from .json_values import check_value
from .pandas_frames import frame_reader
from .scalars import first_wrong
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Cell = Any
_DATE_CHARACTERS = 10


def frame_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for `{"columns": [{"name": "age", "dtype": "Int64", "polars": "Int64"}, …]}`."""
    polars: Any = importlib.import_module("polars")
    read = frame_reader(declared)
    columns = [(str(column["name"]), _series_of(column)) for column in declared["columns"]]
    width = len(columns)

    def convert(value: Json, path: str) -> object:
        table = read(value, path)
        cells = (table[at::width] for at in range(width))
        places = (partial(_place, path, name) for name, _ in columns)
        made = zip(columns, cells, places)
        return polars.DataFrame([series_of(name, found, place) for (name, series_of), found, place in made])

    return convert


def series_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for a list of cells, by the whole declaration of an argument."""
    series_of = _series_of(declared["x-mmgit"])

    def convert(value: Json, path: str) -> object:
        check_value(value, declared, path)
        return series_of("", value, lambda at: f"{path}[{at}]")

    return convert


def _place(path: str, name: str, row: int) -> str:
    return f"{path}[{row}].{name}"


def _series_of(column: Mapping[str, Any]) -> Callable[[str, list[Cell], Callable[[int], str]], object]:
    """What makes a series of a label and cells; `place` gives the path of a cell."""
    polars: Any = importlib.import_module("polars")
    name, _, unit = str(column["polars"]).rstrip("]").partition("[")
    dtype = getattr(polars, name)
    dtype = dtype(column["categories"]) if name == "Enum" else dtype(unit) if unit else dtype
    value_of = _value_of(name)

    def values_of(cells: list[Cell]) -> list[Cell]:
        return [None if cell is None else value_of(cell) for cell in cells]

    def series(label: str, cells: list[Cell], place: Callable[[int], str]) -> object:
        try:
            return polars.Series(label, values_of(cells), dtype=dtype)
        except (ValueError, TypeError, OverflowError, polars.exceptions.PolarsError) as error:
            at = first_wrong(cells, values_of)
            raise Refused("argument_invalid", f"{place(at)}: not a {column['polars']} cell: {error}") from None

    return series


def _value_of(name: str) -> Callable[[Cell], Cell]:
    """A cell as Python has it, from JSON, where 1 may be written as 1.0 and the other way round."""
    if name.startswith(("Int", "UInt")):
        return int
    if name.startswith("Float"):
        return float
    return {"Date": date_of, "Datetime": time_of}.get(name, lambda cell: cell)


def date_of(cell: str) -> dt.date:
    """A date from its text. Raises `ValueError`."""
    if len(cell) != _DATE_CHARACTERS:
        raise ValueError("expected a date, like 2026-02-28")
    return dt.date.fromisoformat(cell)


def time_of(cell: str) -> dt.datetime:
    """A time without a zone from its text. Raises `ValueError`."""
    value = dt.datetime.fromisoformat(cell)
    if value.tzinfo is not None:
        raise ValueError("expected a time without a zone, like 2026-02-28T12:00:00")
    return value
