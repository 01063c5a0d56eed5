"""Texts and numbers in, literals of a language out: ASCII alone, and nothing in them that could end one early."""

import json
from collections.abc import Callable
from typing import Any

from mmgit.blueprints.texts import Code

Escape = Callable[[int], str]
_PLAIN = frozenset(map(chr, range(32, 127))) - set('"\\<>&')
_BASIC_PLANE = 0xFFFF


def long_escape(code: int) -> str:
    r"""Of Python, Go and C#: `\\u00e9`, `\\U0001f600`."""
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"


def pair_escape(code: int) -> str:
    r"""Of JavaScript and JSON: `\\u00e9`, and a pair of surrogates beyond the basic plane."""
    return json.dumps(chr(code))[1:-1] if code > _BASIC_PLANE else f"\\u{code:04x}"


def java_escape(code: int) -> str:
    r"""Java reads `\\u0022` as the end of a text, so what is ASCII is written in octal."""
    return f"\\{code:03o}" if code < 128 else pair_escape(code)  # noqa: PLR2004 - the size of ASCII


def text(value: str, escape: Escape) -> Code:
    """A text in double quotes. `<`, `>` and `&` are escaped, so that it is inert in a page too."""
    return Code('"' + "".join(each if each in _PLAIN else escape(ord(each)) for each in value) + '"')


def number(value: float) -> Code:
    """A floating-point number, recognisable as one: `1.0`, `1e-05`."""
    return Code(repr(float(value)))


def scalar(value: Any, kind: str, escape: Escape, suffix: str = "") -> Code:  # noqa: ANN401 - any plain value
    """A truth value, text or number in a language of C's family; whole numbers get the suffix."""
    if isinstance(value, bool):
        return Code("true" if value else "false")
    if isinstance(value, str):
        return text(value, escape)
    return number(value) if kind == "number" or isinstance(value, float) else Code(f"{value}{suffix}")


def json_text(value: Any) -> Code:  # noqa: ANN401 - any JSON
    """JSON on one line, in ASCII, which holds no `<`."""
    written = json.dumps(value, allow_nan=False)
    for each in "<>&":
        written = written.replace(each, pair_escape(ord(each)))
    return Code(written)
