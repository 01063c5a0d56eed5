"""Writes declared YAML: new files, and edits of files that people wrote.

An edit takes a file's bytes and what it should mean, and replaces the text of what differs, nothing else: comments,
order, quotes and indentation stay. The result is read again, so it means exactly what was asked or is not returned.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from mmgit.errors import UsageError
from mmgit.repository import reading, written
from mmgit.repository.subset import Fault, plain_value

_LINE = re.compile(r"([a-zA-Z_]+): (.+)")


def new(value: Mapping[str, Any]) -> bytes:
    """The bytes of a new file: fields in the order given, short values on one line, lists of mappings item by item."""
    return _encoded("".join(f"{written.entry(key, item, 0)}\n" for key, item in value.items()))


def rewrite(data: bytes, value: Mapping[str, Any]) -> bytes:
    """`data` changed as little as possible so that it means `value`; an added field follows its predecessor there.

    Raises `Fault` if `data` is no declared file, `UsageError` if its text cannot carry the change.
    """
    result = _with_other_lines(data, value)
    if result is not None and _means(reading.parse, result, value):
        return result
    from mmgit.repository import nodes, surgery  # noqa: PLC0415 - most edits are of a few plain lines

    result = _encoded(surgery.edited(data, value))
    if not _means(lambda data: nodes.compose(data).plain(), result, value):
        raise UsageError("the file is written in a way that mmgit cannot edit", "change it by hand")
    return result


def _with_other_lines(data: bytes, value: Mapping[str, Any]) -> bytes | None:
    """`data` with other lines where each field that differs is one, without quotes and comments; else None.

    What comes out is what `surgery` would make of it; that takes twenty times as long, and most of it to import.
    """
    if b"\r" in data:
        return None
    before = reading.parse(data)
    lines = data.decode().split("\n")
    there: dict[str, int] = {}
    for number, line in enumerate(lines):
        if (plain := _LINE.fullmatch(line)) and _is_bare(plain[2], before.get(plain[1])):
            there[plain[1]] = -1 if plain[1] in there else number
    after: dict[int, str] = {}
    previous = ""
    for name, item in value.items():
        if name not in before or before[name] != item:
            at = there.get(name if name in before else previous, -1)
            if at < 0 or not isinstance(item, str):
                return None
            line = f"{name}:{written.behind_colon(item, 0)}"
            after[at] = line if name in before else f"{after.get(at, lines[at])}\n{written.entry(name, item, 0)}"
        previous = name if name in before else previous
    gone = before.keys() - value.keys()
    if any(there.get(name, -1) < 0 for name in gone):
        return None
    removed = {there[name] for name in gone}
    return "\n".join(after.get(at, line) for at, line in enumerate(lines) if at not in removed).encode()


def _is_bare(text: str, meant: object) -> bool:
    """Whether a line's text is all of a value, and a string without quotes."""
    is_bare = written.BARE.fullmatch(text) or written.BARE_WITH_COLONS.fullmatch(text)
    return bool(is_bare) and isinstance(meant, str) and plain_value(text) == text == meant


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{text[error.start - 20 : error.start]!r}… goes on with what is not UTF-8 text") from error


def _means(read: Callable[[bytes], object], data: bytes, value: Mapping[str, Any]) -> bool:
    try:
        return read(data) == value
    except Fault:
        return False
