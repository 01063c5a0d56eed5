"""Names of a schema in, identifiers of a language out: letters and digits alone, no keyword, no two the same."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from mmgit.clients.model import Record

Names: TypeAlias = Mapping[tuple[str, ...], str]
"""The path of each record -> the name of its type."""

_LENGTH_MAX = 60


def camel(text: str) -> str:
    """`bill length_mm` → `billLengthMm`."""
    joined = pascal(text)
    return joined[0].lower() + joined[1:]


def pascal(text: str) -> str:
    """`bill length_mm` → `BillLengthMm`."""
    return "".join(word[0].upper() + word[1:] for word in _words(text).split("_"))


def snake(text: str) -> str:
    """`bill length-mm` → `bill_length_mm`."""
    return _words(text)


def unique(keys: Iterable[str], form: Callable[[str], str], taken: Collection[str]) -> dict[str, str]:
    """Each key -> an identifier in that form, none of them in `taken`."""
    found: dict[str, str] = {}
    used = set(taken)
    for key in keys:
        name, number = form(key), 2
        while name in used:
            name, number = f"{form(key)}{number}", number + 1
        used.add(name)
        found[key] = name
    return found


def type_names(records: Iterable[Record]) -> Names:
    """The path of each record -> a name that no library has: `Input`, `Result`, `RowsItem`, `OptionsValue`."""
    found: dict[tuple[str, ...], str] = {}
    for record in records:
        if len(record.path) == 1:
            name = pascal(record.path[0])
        else:
            inner = [key for key in record.path[1:] if key]
            name = pascal(" ".join(inner[-2:] or ["result"])) + ("Value" if record.path[-1] else "Item")
        number, base = 2, name
        while name in found.values():
            name, number = f"{base}{number}", number + 1
        found[record.path] = name
    return found


def _words(text: str) -> str:
    words = "_".join(re.findall(r"[A-Za-z0-9]+", text))[:_LENGTH_MAX].strip("_") or "field"
    return words if words[0].isalpha() else f"n{words}"
