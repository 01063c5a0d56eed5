"""A JSON list of objects in, a pandas DataFrame of the declared columns out, or `Refused` with the path of the fault.

Columns come in the declared order and dtypes, whatever order a row names them in; the number of rows is free. Columns
of one dtype become one array and with it one block of the frame: a frame made column by column costs ten times more.
"""

from __future__ import annotations

import importlib
import re
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from .scalars import ANYTHING, Kind, check, choice_of, described, first_wrong, kind_of
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

_NEVER_MISSING = re.compile(r"u?int\d+|bool")
_DENSE = re.compile(r"u?int\d+|bool|float\d+")


def frame_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for `{"columns": [{"name": "age", "dtype": "int64"}, …]}`."""
    numpy, pandas = importlib.import_module("numpy"), importlib.import_module("pandas")
    read = frame_reader(declared)
    names = [str(column["name"]) for column in declared["columns"]]
    dtypes = {column["dtype"] for column in declared["columns"]}
    is_block = len(dtypes) == 1 and (_DENSE.fullmatch(*dtypes) or dtypes == {"object"})
    frame_of = (_block if is_block else _separate)(declared["columns"], numpy, pandas)

    def convert(value: Json, path: str) -> object:
        table = read(value, path)
        try:
            return frame_of(table)
        except _WrongCellError as wrong:
            place = _place(path, names, wrong.index)
            raise Refused("argument_invalid", f"{place}: not a {wrong.dtype} cell: {wrong}") from None

    return convert


def frame_reader(declared: Mapping[str, Any]) -> Callable[[Json, str], list[Json]]:
    """What reads the cells of all rows, each row in the order of the declared columns; it needs no pandas.

    Raises:
        ValueError: a dtype has no JSON form.
    """
    names = [str(column["name"]) for column in declared["columns"]]
    kinds = [_kind_of(column) for column in declared["columns"]]
    width = len(names)
    checks = [(kinds[0], 0, 1)] if len(set(kinds)) == 1 else [(kind, at, width) for at, kind in enumerate(kinds)]

    def read(rows: Json, path: str) -> list[Json]:
        if type(rows) is not list or set(map(type, rows)) - {dict} or set(map(len, rows)) - {width}:
            _refuse_rows(rows, set(names), path)
        try:
            table = [row[name] for row in rows for name in names]
        except KeyError:
            _refuse_rows(rows, set(names), path)
        for kind, start, step in checks:
            check(table[start::step], kind, partial(_place, path, names, start=start, step=step))
        return table

    return read


class _WrongCellError(Exception):
    """A cell of the right kind that its dtype has no value for, such as a date that is none."""

    def __init__(self, index: int, dtype: str, error: Exception) -> None:
        super().__init__(str(error))
        self.index = index
        self.dtype = dtype


def _place(path: str, names: Sequence[str], index: int, *, start: int = 0, step: int = 1) -> str:
    """The path of a cell, from its index among every `step`th of all, row by row from `start` on."""
    row, column = divmod(start + index * step, len(names))
    return f"{path}[{row}].{names[column]}"


def _kind_of(column: Mapping[str, Any]) -> Kind:
    """What a column's cells may be: null too wherever pandas has a missing value for the dtype."""
    dtype = column["dtype"]
    kind = choice_of(column["categories"]) if dtype == "category" else kind_of(dtype)
    return kind if _NEVER_MISSING.fullmatch(dtype) or kind is ANYTHING else kind.or_null()


def _block(
    declared: Sequence[Mapping[str, Any]], numpy: ModuleType, pandas: ModuleType
) -> Callable[[list[Json]], object]:
    """The frame of columns that are all of one dtype, through one array of rows."""
    labels = pandas.Index([column["name"] for column in declared])
    dtype = declared[0]["dtype"]

    def frame_of(table: list[Json]) -> object:
        rows = numpy.array(table, dtype=dtype).reshape(-1, len(labels))
        return pandas.DataFrame(rows, columns=labels, dtype=dtype)

    return frame_of


def _separate(
    declared: Sequence[Mapping[str, Any]], numpy: ModuleType, pandas: ModuleType
) -> Callable[[list[Json]], object]:
    """The frame of columns of several dtypes."""
    columns = [(at, column["name"], _series_of(column, numpy, pandas)) for at, column in enumerate(declared)]
    width = len(columns)

    def series(table: list[Json], at: int, of: Callable[[list[Json]], object]) -> object:
        cells = table[at::width]
        try:
            return of(cells)
        except (ValueError, TypeError, OverflowError) as error:
            index = at + width * first_wrong(cells, of)
            raise _WrongCellError(index, declared[at]["dtype"], error) from error

    def frame_of(table: list[Json]) -> object:
        return pandas.DataFrame({label: series(table, at, series_of) for at, label, series_of in columns})

    return frame_of


def _series_of(column: Mapping[str, Any], numpy: ModuleType, pandas: ModuleType) -> Callable[[list[Json]], object]:
    dtype = column["dtype"]
    if _DENSE.fullmatch(dtype):
        return lambda cells: numpy.array(cells, dtype=dtype)
    if dtype in ("object", "any"):
        return lambda cells: pandas.Series(cells, dtype=object)
    target = _pandas_dtype(column, pandas)
    return lambda cells: pandas.Series(cells, dtype=object).astype(target)


def _pandas_dtype(column: Mapping[str, Any], pandas: ModuleType) -> object:
    dtype = column["dtype"]
    if dtype == "category":
        return pandas.CategoricalDtype(column["categories"], column.get("ordered", False))
    if dtype == "str":
        return pandas.Series([""]).dtype  # pandas 3 has a dtype of that name; before it, texts are objects
    return dtype


def _refuse_rows(value: Json, names: set[str], path: str) -> NoReturn:
    if type(value) is not list:
        raise Refused("argument_invalid", f"{path}: expected a list of objects, found {described(value)}")
    index, row = next((index, row) for index, row in enumerate(value) if type(row) is not dict or row.keys() != names)
    if type(row) is not dict:
        raise Refused("argument_invalid", f"{path}[{index}]: expected an object, found {described(row)}")
    for name in sorted(names - row.keys()):
        raise Refused("argument_missing", f"{path}[{index}].{name}: this column is missing")
    unknown = min(row.keys() - names)
    raise Refused("argument_unknown", f"{path}[{index}].{unknown[:100]}: there is no such column")
