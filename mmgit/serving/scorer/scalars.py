"""What one cell of an array or a column may hold: a dtype's name in, a `Kind` out, and lists of cells checked by it.

A wrong cell is refused with its path; nothing is converted here.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NoneType = type(None)


@dataclass(frozen=True)
class Kind:
    """The JSON values that one dtype takes; cells of a type in `doubtful` must also pass `accepts`."""

    noun: str
    types: frozenset[type] = frozenset()
    low: float | None = None
    high: float | None = None
    doubtful: frozenset[type] = frozenset()
    accepts: Callable[[Any], bool] = bool

    def or_null(self) -> Kind:
        """The same kind with missing values allowed."""
        return replace(self, noun=f"{self.noun} or null", types=self.types | {NoneType})


ANYTHING = Kind("any value")
TEXT = Kind("a string", frozenset({str}))
_BOOLEAN = Kind("true or false", frozenset({bool}))
_STARTS_WITH_DATE = re.compile(r"\d{4}-\d{2}-\d{2}").match
_TIME = Kind(
    "a date or time like 2026-02-28T12:00:00",
    frozenset({str}),
    doubtful=frozenset({str}),
    accepts=lambda cell: _STARTS_WITH_DATE(cell) is not None,
)
_NAMED = {"bool": _BOOLEAN, "boolean": _BOOLEAN, "str": TEXT, "string": TEXT, "object": TEXT, "any": ANYTHING}
_LIKE: dict[type, tuple[type, ...]] = {int: (int, float), float: (int, float)}
_FLOAT_MAX = {"float16": 65504.0, "float32": 3.4028234663852886e38, "float64": sys.float_info.max}
_WHOLE_NUMBER = re.compile(r"(u?)int(8|16|32|64)")


def kind_of(dtype: str) -> Kind:
    """The kind of a numpy or pandas dtype's name.

    Raises:
        ValueError: no JSON value stands for this dtype.
    """
    name = dtype.lower()
    whole = _WHOLE_NUMBER.fullmatch(name)
    if whole:
        bits = int(whole[2])
        low, high = (0, 2**bits - 1) if whole[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        noun = f"a whole number from {low} to {high}"
        return Kind(noun, frozenset({int, float}), low, high, frozenset({float}), lambda cell: cell == int(cell))
    if name in _FLOAT_MAX:
        largest = _FLOAT_MAX[name]
        return Kind(f"a {name} number", frozenset({int, float}), -largest, largest)
    if name.startswith("datetime64"):
        return _TIME
    if name not in _NAMED:
        raise ValueError(f"dtype {dtype} has no JSON form")
    return _NAMED[name]


def choice_of(values: Iterable[Any]) -> Kind:
    """The kind whose cells are these values; a number may be written as a whole one or not."""
    choices = list(values)
    types = frozenset(chain.from_iterable(_LIKE.get(type(choice), (type(choice),)) for choice in choices))
    known = {(isinstance(choice, bool), choice) for choice in choices}

    def is_known(cell: Json) -> bool:
        return (isinstance(cell, bool), cell) in known

    return Kind(f"one of {choices}"[:200], types, doubtful=types, accepts=is_known)


def check(cells: list[Any], kind: Kind, place: Callable[[int], str]) -> None:
    """Refuse the first cell that is not of its kind; `place(i)` names cell `i`."""
    if kind is ANYTHING:
        return
    found = set(map(type, cells))
    if not found <= kind.types:
        _refuse(cells, kind, place, lambda cell: type(cell) in kind.types)
    low, high = kind.low, kind.high
    if low is not None and high is not None and (int in found or high < sys.float_info.max):
        present = [cell for cell in cells if cell is not None] if NoneType in found else cells
        if present and not low <= min(present) <= max(present) <= high:
            _refuse(cells, kind, place, lambda cell: cell is None or low <= cell <= high)
    if found & kind.doubtful:
        wrong = [cell for cell in cells if type(cell) in kind.doubtful and not kind.accepts(cell)]
        if wrong:
            _refuse(cells, kind, place, lambda cell: cell is not wrong[0])


def first_wrong(cells: list[Any], convert: Callable[[list[Any]], object]) -> int:
    """The index of the first cell that makes `convert` fail, which it does for all of them."""
    good, bad = 0, len(cells)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            convert(cells[:middle])
        except (ValueError, TypeError, OverflowError):
            bad = middle
        else:
            good = middle
    return bad - 1


def described(value: Json) -> str:
    """A JSON value in a few words, never its content at length."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return f"the number {str(value)[:30]}"
    return "a string" if isinstance(value, str) else "a list" if isinstance(value, list) else "an object"


def _refuse(cells: list[Any], kind: Kind, place: Callable[[int], str], is_right: Callable[[Any], bool]) -> NoReturn:
    index = next(index for index, cell in enumerate(cells) if not is_right(cell))
    raise Refused("argument_invalid", f"{place(index)}: expected {kind.noun}, found {described(cells[index])}")
