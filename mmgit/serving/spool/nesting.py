"""How deep JSON is nested, whatever reads it: no reader's stack decides which records can be read."""

from __future__ import annotations

import re

_ALIKE = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_ESCAPED = re.compile(rb"\\.")


def is_nested_beyond(levels: int, data: bytes) -> bool:
    """Whether arrays and objects of a JSON text lie in each other beyond so many levels.

    What is no JSON may be called either. Many short steps, so that other threads get their turns.
    """
    if data.count(b"[") + data.count(b"{") <= levels:
        return False
    if b'"' in data:
        data = b"".join((_ESCAPED.sub(b"", data) if b"\\" in data else data).split(b'"')[::2])
    data = data.translate(_ALIKE, _OTHERS)
    for _ in range(levels):
        data = data.replace(b"[]", b"")
    return bool(data)
