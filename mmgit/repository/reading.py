"""Reads the YAML of declared files: a fast parser where it cannot be wrong, the exact one everywhere else.

A scan of the bytes and a walk over the values decide. What the fast path accepts, the exact path accepts with an
equal value (a property test shows it); whatever is doubtful is read again by `nodes`, for a value or a place.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import ryaml

from mmgit.repository.subset import Fault, hides_something, is_doubtful

MAX_BYTES = 1 << 20

_loads: Callable[[str], Any] = ryaml.loads  # type: ignore[attr-defined]  # re-exported without __all__
_special = re.compile(rb"[&*!%?|>`\\\t\r\x00-\x08\x0b-\x1f\x7f]").search
_foreign_number = re.compile(rb"[\s\[,{:](?:0[xo]|\+[0-9.])").search
_float = re.compile(rb"(?<=[\s\[,])-?(?:0|[1-9][0-9]*)\.[0-9]+(?=[\s,\]}]|$)").findall
_brackets = re.compile(rb"[\[\]{}]").findall
_MAX_BRACKETS = 1000
_FIRST = frozenset("0123456789+-.=")
_LONGEST_WORD = len("off")


def parse(data: bytes) -> dict[str, Any]:
    """The mapping in `data`. Raises `Fault`."""
    if len(data) > MAX_BYTES:
        raise too_large()
    value = _fast(data)
    if value is None:
        _refuse_depth(data)
        from mmgit.repository import nodes  # noqa: PLC0415 - most runs never need the exact reader

        value = nodes.compose(data).plain()
    return value


def too_large() -> Fault:
    """What is wrong with a file of more than `MAX_BYTES`."""
    hint = "a declared file holds fields; put data into a file beside it, or remove the file"
    return Fault("M100", f"the file is larger than {MAX_BYTES // 2**20} MiB", 1, 1, hint)


def _refuse_depth(data: bytes) -> None:
    """Raise `Fault` for brackets so deep that the exact reader would take minutes to say so."""
    depth = 0
    for bracket in _brackets(data):
        depth += 1 if bracket in b"[{" else -1
        if depth > _MAX_BRACKETS:
            raise Fault("M108", f"more than {_MAX_BRACKETS} brackets are open", 1, 1)


def _fast(data: bytes) -> dict[str, Any] | None:
    """The mapping in `data`, or None where only the exact reader can tell."""
    if _special(data) or b"---" in data or b"..." in data or b"<<" in data:
        return None
    try:
        text = data.decode()
        if not data.isascii() and hides_something(text):
            return None
        value = _loads(text)
    except Exception:  # noqa: BLE001 - the exact reader finds the fault again, with its place
        return None
    if type(value) is not dict:
        return None
    floats = _certain(value, data)
    if floats < 0 or (floats and floats > len(_float(data))) or _foreign_number(data):
        return None
    return value


def _certain(value: dict[str, Any], data: bytes) -> int:
    """The floats in `value`, or -1 if some scalar in it may mean another thing to another reader."""
    floats = 0
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is dict:
            stack.extend(item)
            stack.extend(item.values())
            if not all(type(key) is str for key in item):
                return -1
        elif kind is list:
            stack.extend(item)
        elif kind is str:
            if (
                (len(item) <= _LONGEST_WORD or item[0] in _FIRST)
                and is_doubtful(item)
                and not _always_quoted(item, data)
            ):
                return -1
        elif kind is float:
            if not math.isfinite(item):
                return -1
            floats += 1
    return floats


def _always_quoted(text: str, data: bytes) -> bool:
    raw = text.encode()
    return data.count(raw) == data.count(b'"%b"' % raw) + data.count(b"'%b'" % raw)
