"""A JSON list of objects in, a pandas DataFrame of the declared columns out, or `Refused` with the path of the fault.

Columns come in the declared order and dtypes, whatever order a row names them in; the number of rows is free.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from .scalars import ANYTHING, check, choice_of, described, kind_of
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

_NEVER_MISSING = re.compile(r"u?int\d+|bool")
_DENSE = re.compile(r"u?int\d+|bool|float\d+")


def frame_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for `{"columns": [{"name": "age", "dtype": "int64"}, …]}`."""
    numpy, pandas = importlib.import_module("numpy"), importlib.import_module("pandas")
    columns = [_Column(column, numpy, pandas) for column in declared["columns"]]
    names = {column.name for column in columns}

    def convert(value: Json, path: str) -> object:
        _check_rows(value, names, path)
        try:
            return pandas.DataFrame({column.label: column.of(value, path) for column in columns})
        except (ValueError, TypeError, OverflowError) as error:
            raise Refused("argument_invalid", f"{path}: not the declared columns: {error}") from None

    return convert


class _Column:
    """One declared column. Missing values are null wherever pandas has a missing value for the dtype."""

    def __init__(self, declared: Mapping[str, Any], numpy: ModuleType, pandas: ModuleType) -> None:
        dtype = declared["dtype"]
        self.label = declared["name"]
        self.name = str(self.label)
        self._kind = choice_of(declared["categories"]) if dtype == "category" else kind_of(dtype)
        if not _NEVER_MISSING.fullmatch(dtype) and self._kind is not ANYTHING:
            self._kind = self._kind.or_null()
        self._series_of: Callable[[list[Json]], object]
        if _DENSE.fullmatch(dtype):
            self._series_of = lambda cells: numpy.array(cells, dtype=dtype)
        else:
            target = _pandas_dtype(declared, pandas)
            self._series_of = lambda cells: pandas.Series(cells, dtype=object).astype(target)

    def of(self, rows: list[dict[str, Any]], path: str) -> object:
        """The column's values from all rows."""
        name = self.name
        cells = [row[name] for row in rows]
        check(cells, self._kind, lambda index: f"{path}[{index}].{name}")
        return self._series_of(cells)


def _pandas_dtype(declared: Mapping[str, Any], pandas: ModuleType) -> object:
    dtype = declared["dtype"]
    if dtype == "category":
        return pandas.CategoricalDtype(declared["categories"], declared.get("ordered", False))
    if dtype == "str":
        return pandas.Series([""]).dtype  # pandas 3 has a dtype of that name; before it, texts are objects
    return object if dtype == "any" else dtype


def _check_rows(value: Json, names: set[str], path: str) -> None:
    if type(value) is not list:
        raise Refused("argument_invalid", f"{path}: expected a list of objects, found {described(value)}")
    for index, row in enumerate(value):
        if type(row) is not dict:
            raise Refused("argument_invalid", f"{path}[{index}]: expected an object, found {described(row)}")
        if row.keys() != names:
            for name in sorted(names - row.keys()):
                raise Refused("argument_missing", f"{path}[{index}].{name}: this column is missing")
            unknown = min(row.keys() - names)
            raise Refused("argument_unknown", f"{path}[{index}].{unknown[:100]}: there is no such column")
