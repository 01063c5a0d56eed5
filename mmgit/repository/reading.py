"""Reads the YAML of declared files: a fast parser where it cannot be wrong, the exact one everywhere else.

A scan of the bytes and a walk over the values decide. What the fast path accepts, the exact path accepts with an
equal value (a property test shows it); whatever is doubtful is read again by `nodes`, for a value or a place.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import ryaml

from mmgit.repository import subset
from mmgit.repository.subset import Fault, hides_something, is_doubtful
from mmgit.spec.tokens import WORTHLESS, tokens_in

MAX_BYTES = 1 << 20

_loads: Callable[[str], Any] = ryaml.loads  # type: ignore[attr-defined]  # re-exported without __all__
_CONTROLS = b"\x7f" + bytes({*range(32)} - {ord("\n")})
_SPECIAL = b"&*!%?|>`\\" + _CONTROLS
_DOUBTFUL_STARTS = (b"---", b"...", b"<<")
_NUMBER_STARTS = (b"0x", b"0o", b"+")
_foreign_number = re.compile(rb"[\s\[,{:](?:0[xo]|\+[0-9.])").search
_float = re.compile(rb"(?<=[\s\[,])-?(?:0|[1-9][0-9]*)\.[0-9]+(?=[\s,\]}]|$)").findall
_brackets = re.compile(rb"[\[\]{}]").findall
_comments = re.compile(rb"(?:#[^\n]*+\n?)*+").match
_MAX_BRACKETS = 1000
_SPACE = (b"", b" ", b"\t", b"\n", b"\r", b"\v", b"\f", b",", b":")
_BEFORE, _AFTER = frozenset((*_SPACE, b"[", b"{")), frozenset((*_SPACE, b"]", b"}"))
"""What may stand beside a scalar without quotes; nothing at the ends of a file."""
_MAX_DOUBTS = 100
"""Each is looked for in the whole file; with more of them the exact reader is faster."""

_MAX_CERTAIN = subset.MAX_PARTS // 2 - 2
"""Keys and values that may not be more than `MAX_PARTS` with the ends of lists and mappings, and of the document."""

_FIRST = frozenset("0123456789+-.=")
_LONGEST_WORD = len("off")
_TEXT = {str}
_LARGEST_INT = 10**18 - 1


def parse(data: bytes) -> dict[str, Any]:
    """The mapping in `data`. Raises `Fault`."""
    if len(data) > MAX_BYTES:
        raise too_large()
    refuse_tokens(data)
    if data.count(b"[") + data.count(b"{") > _MAX_BRACKETS:
        _refuse_depth(data)
    value = _fast(data)
    if value is None:
        from mmgit.repository import nodes  # noqa: PLC0415 - most runs never need the exact reader

        value = nodes.compose(data).plain()
    return value


def too_large() -> Fault:
    """What is wrong with a file of more than `MAX_BYTES`."""
    return subset.too_large(f"the file is larger than {MAX_BYTES // 2**20} MiB")


def refuse_tokens(data: bytes) -> None:
    """Raise `Fault` where an API key lies in the open. The file is not read further: no message may show it."""
    for key_id, at in tokens_in(data):
        line, column = data.count(b"\n", 0, at) + 1, at - data.rfind(b"\n", 0, at)
        message = f"the API key with the id `{key_id}` stands here"
        raise Fault("M113", message, line, column, f"remove it, then {WORTHLESS}")


def _refuse_depth(data: bytes) -> None:
    """Raise `Fault` for brackets so deep that the readers would take minutes to say so."""
    depth = 0
    for bracket in _brackets(data):
        depth += 1 if bracket in b"[{" else -1
        if depth > _MAX_BRACKETS:
            raise Fault("M108", f"more than {_MAX_BRACKETS} brackets are open", 1, 1)


def _fast(data: bytes) -> dict[str, Any] | None:
    """The mapping in `data`, or None where only the exact reader can tell."""
    if _holds_special(data) or any(map(data.__contains__, _DOUBTFUL_STARTS)):
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
    has_foreign_number = any(map(data.__contains__, _NUMBER_STARTS)) and _foreign_number(data)
    if floats < 0 or (floats and floats > len(_float(data))) or has_foreign_number:
        return None
    return value


def _holds_special(data: bytes) -> bool:
    """Whether something may mean another thing to another reader; comments at the beginning may hold anything."""
    if not data.startswith(b"#"):
        return len(data.translate(None, _SPECIAL)) < len(data)
    body = data[len(_comments(data)[0]) :]  # type: ignore[index]  # it matches no comment, too
    return len(data.translate(None, _CONTROLS)) < len(data) or len(body.translate(None, _SPECIAL)) < len(body)


def _certain(value: dict[str, Any], data: bytes) -> int:
    """The floats in `value`, or -1 if some scalar in it may mean another thing to another reader."""
    floats = 0
    items: list[Any] = [value]
    doubtful: list[str] = []
    for item in items:  # which grows meanwhile
        kind = type(item)
        if kind is str:
            if (len(item) <= _LONGEST_WORD or item[0] in _FIRST) and is_doubtful(item):
                doubtful.append(item)
        elif kind is dict:
            if not _TEXT.issuperset(map(type, item)):
                return -1
            items += item
            items += item.values()
        elif kind is list:
            items += item
        elif kind is int and abs(item) > _LARGEST_INT:
            return -1
        elif kind is float:
            if not math.isfinite(item):
                return -1
            floats += 1
    is_bounded = len(items) <= _MAX_CERTAIN and len(doubtful) <= _MAX_DOUBTS
    return floats if is_bounded and all(_always_quoted(text, data) for text in doubtful) else -1


def _always_quoted(text: str, data: bytes) -> bool:
    """Whether `text` never stands in `data` as a scalar without quotes."""
    said = text.encode()
    at = data.find(said)
    while at >= 0:
        end = at + len(said)
        if data[at - 1 : at] in _BEFORE and data[end : end + 1] in _AFTER:
            return False
        at = data.find(said, at + 1)
    return True
