"""What a JSON value that was scored, or answered, has as features: names, and where in the value each is. Pure.

A list is rows, what is in a row its columns: `{"x": [{"age": 3}, …]}` has the feature `age`, `{"x": [[1, 2], …]}` has
`x[0]` and `x[1]`, `{"age": 3}` has `age`. What lies deeper, as images do, is no feature.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from mmgit.frozen import dataclass

Side = Literal["inputs", "outputs"]
Scalar = str | float | bool | None
FEATURES_MAX = 200
POSITIONS_MAX = 64
ROWS_MAX = 20_000
"""Of a sample, under each root: requests may have many rows."""
OUTPUT = "output"
_DIGITS_MAX = 19


@dataclass(frozen=True, order=True)
class Root:
    """Where rows lie in a value: under an argument's name, or the whole; and what a row is."""

    side: Side
    key: str
    """Empty: the value itself."""
    is_list: bool
    """Whether there is a list of rows, else the one value is one row."""
    row: Literal["object", "list", "scalar"]


@dataclass(frozen=True, order=True)
class Feature:
    """One column of the rows under a root."""

    root: Root
    field: str
    """The name, or the position; empty where the row is the value."""
    name: str
    """As people and files of reference data name it."""


def roots_in(side: Side, value: Any) -> Iterator[tuple[Root, list[Any]]]:  # noqa: ANN401 - any JSON value
    """The roots of one value and the rows under each, as they are."""
    named = value.items() if isinstance(value, dict) else [("", value)]
    for key, item in named:
        rows = item if isinstance(item, list) else [item]
        kinds = {_kind_of(row) for row in rows if row is not None}
        if len(kinds) == 1:
            yield Root(side, str(key), isinstance(item, list), kinds.pop()), rows


def cells_of(row: Any) -> Iterator[tuple[str, Scalar]]:  # noqa: ANN401 - any JSON value
    """The fields of one row and their values; what is no scalar is left out."""
    if isinstance(row, dict):
        cells: Iterable[tuple[str, Any]] = row.items()
    elif isinstance(row, list):
        cells = ((str(at), cell) for at, cell in enumerate(row[:POSITIONS_MAX]))
    else:
        cells = [("", row)]
    for field, cell in cells:
        if cell is None or isinstance(cell, str | int | float):
            yield field, cell


def found_in(texts: Mapping[Side, Iterable[str | None]]) -> dict[Feature, list[Scalar]]:
    """The features in a sample of JSON texts, in order, with their values; a root counts in its commonest form."""
    rows: dict[Root, list[Any]] = {}
    seen: Counter[Root] = Counter()
    for side, each in texts.items():
        for text in each:
            for root, found in roots_in(side, value_of(text)):
                seen[root] += 1
                kept = rows.setdefault(root, [])
                kept.extend(found[: ROWS_MAX - len(kept)])
    best: dict[tuple[Side, str], Root] = {}
    for root, _ in seen.most_common():
        best.setdefault((root.side, root.key), root)
    values: dict[tuple[Root, str], list[Scalar]] = {}
    for root in (root for root in rows if root in best.values() and is_plain(root.key)):
        for row in rows[root]:
            for field, cell in cells_of(row):
                values.setdefault((root, field), []).append(cell)
    known = [where for where, cells in values.items() if is_plain(where[1]) and any(cell is not None for cell in cells)]
    named = dict(_named(known[:FEATURES_MAX]))
    return {named[where]: cells for where, cells in values.items() if where in named}


def value_of(text: str | None) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a text of JSON; an empty list if it is none. Whole numbers of many digits are floats."""
    try:
        return json.loads(text, parse_int=_number) if text else []
    except (ValueError, RecursionError):
        return []


def is_plain(text: str) -> bool:
    """Whether a query may name it: no engine takes lone surrogates and NUL in one."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _named(places: list[tuple[Root, str]]) -> Iterator[tuple[tuple[Root, str], Feature]]:
    """Short names where they are unambiguous: a column's own, else with its argument before it. No two are the same."""
    taken: set[str] = set()
    short = Counter(field for root, field in places if root.side == "inputs" and root.row == "object")
    for root, field in places:
        base = root.key if root.side == "inputs" else ".".join(filter(None, (OUTPUT, root.key)))
        if root.row == "list":
            name = f"{base}[{field}]"
        elif root.row == "scalar":
            name = base
        else:
            name = field if root.side == "inputs" and short[field] == 1 else f"{base}.{field}"
        while name in taken:
            name = f"{root.side}.{name}"
        taken.add(name)
        yield (root, field), Feature(root, field, name)


def _kind_of(row: Any) -> Literal["object", "list", "scalar"]:  # noqa: ANN401 - any JSON value
    return "object" if isinstance(row, dict) else "list" if isinstance(row, list) else "scalar"


def _number(text: str) -> float:
    return int(text) if len(text) < _DIGITS_MAX else float(text)
