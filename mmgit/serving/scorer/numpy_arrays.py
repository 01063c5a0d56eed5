"""A JSON list in, a numpy array of the declared dtype and shape out, or `Refused` with the path of what is wrong.

Null in a shape is a free size: any number of items, the same in every list of that axis.
"""

from __future__ import annotations

import importlib
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from .scalars import check, described, first_wrong, kind_of
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    Joiner = Callable[[Sequence[Json]], "tuple[Any, list[int]] | None"]
    """Makes one array of the rows of several values, and tells how many each has; None where one of them is wrong."""

_LIST = frozenset((list,))
_SECONDS = "datetime64[s]"
_FINE_UNITS = frozenset(("ms", "us", "ns", "ps", "fs", "as"))


def array_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for `{"dtype": "float64", "shape": [null, 4], "missing": true}`."""
    dtype = declared["dtype"]
    cells_of = array_reader(declared)
    numpy = importlib.import_module("numpy")
    known = numpy.dtype(dtype)  # one that this numpy lacks stops the scorer here, not a request later
    array_of = _dates_of(numpy, known) if known.kind == "M" else partial(numpy.array, dtype=known)

    def convert(value: Json, path: str) -> object:
        cells, sizes = cells_of(value, path)
        try:
            return array_of(cells).reshape(sizes)
        except (ValueError, TypeError, OverflowError) as error:
            place = _place(path, first_wrong(cells, array_of), sizes)
            raise Refused("argument_invalid", f"{place}: not a {dtype} cell: {error}") from None

    return convert


def _dates_of(numpy: ModuleType, dtype: Any) -> Callable[[list[Json]], Any]:  # noqa: ANN401 - of a numpy not ours
    """What makes an array of dates; numpy itself would make one beyond the dtype's years another one within."""
    is_fine = numpy.datetime_data(dtype)[0] in _FINE_UNITS

    def array_of(cells: list[Json]) -> Any:  # noqa: ANN401
        dates = numpy.array(cells, dtype)
        if is_fine:
            seconds = numpy.array(cells, _SECONDS)
            if ((dates.astype(_SECONDS) != seconds) & ~numpy.isnat(seconds)).any():
                raise OverflowError("it holds no such year")
        return dates

    return array_of


def rows_joiner(declared: Mapping[str, Any]) -> Joiner | None:
    """What joins the rows of arrays that are declared so; none where an array has none, or where its dtype is one by
    which a cell may change what others become.
    """
    if declared.get("type") != "numpy" or declared["shape"][:1] != [None]:
        return None
    numpy = importlib.import_module("numpy")
    array = numpy.array
    known = numpy.dtype(declared["dtype"])
    if known.kind not in "biuf":
        return None
    cells_of = array_reader(declared)

    def join(values: Sequence[Json]) -> tuple[Any, list[int]] | None:
        if not _LIST.issuperset(map(type, values)):
            return None
        try:
            cells, shape = cells_of(list(chain.from_iterable(values)), "")
            return array(cells, known).reshape(shape), list(map(len, values))
        except (Refused, ValueError, TypeError, OverflowError):
            return None

    return join


def array_reader(declared: Mapping[str, Any]) -> Callable[[Json, str], tuple[list[Json], list[int]]]:
    """What reads the cells, in the order of rows, and the sizes of an array's lists; it needs no numpy.

    Raises:
        ValueError: the dtype has no JSON form.
    """
    shape = tuple(declared["shape"])
    kind = kind_of(declared["dtype"])
    if declared.get("missing"):
        kind = kind.or_null()

    def read(value: Json, path: str) -> tuple[list[Json], list[int]]:
        level = [value]
        sizes: list[int] = []
        for declared_size in shape:
            if not _LIST.issuperset(map(type, level)):
                _refuse_other_than_lists(level, path, sizes)
            size = declared_size
            if size is None:
                size = len(level[0]) if level else 0
            if not {size}.issuperset(map(len, level)):
                _refuse_other_sizes(level, size, path, sizes)
            sizes.append(size)
            level = level[0] if len(level) == 1 else list(chain.from_iterable(level))
        check(level, kind, lambda index: _place(path, index, sizes))
        return level, sizes

    return read


def _refuse_other_than_lists(level: list[Json], path: str, sizes: list[int]) -> NoReturn:
    index = next(index for index, item in enumerate(level) if type(item) is not list)
    message = f"{_place(path, index, sizes)}: expected a list, found {described(level[index])}"
    raise Refused("argument_invalid", message)


def _refuse_other_sizes(level: list[Json], size: int, path: str, sizes: list[int]) -> NoReturn:
    index = next(index for index, item in enumerate(level) if len(item) != size)
    message = f"{_place(path, index, sizes)}: expected {size} items, found {len(level[index])}"
    raise Refused("argument_invalid", message)


def _place(path: str, index: int, sizes: list[int]) -> str:
    """The path of item `index`, counted in the order of rows, of lists of these sizes."""
    indices = []
    for size in reversed(sizes):
        index, inner = divmod(index, size)
        indices.append(f"[{inner}]")
    return path + "".join(reversed(indices))
