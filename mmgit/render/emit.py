"""Plain data in, YAML text out that every reader of YAML 1.1 and 1.2 takes for the same data.

Whatever some reader could take for a number, a date, a boolean or structure is quoted. Block style; keys in the order
given; text of several lines as a literal block where that is exact.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# Words and characters that no reader mistakes: no digit, sign or dot in front, no `: ` and no ` #` inside.
_PLAIN = re.compile(r"(?!(?i:y|yes|n|no|true|false|on|off|null)\Z)[A-Za-z_/][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*")
_LITERAL = re.compile(r"[!-~](?:[ -~]*[!-~])?\n(?:(?:[ -~]*[!-~])?\n)*(?<!\n\n)")
# Line breaks of YAML 1.1, controls, byte order and direction marks: never raw, for readers and for reviewers.
_HIDDEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_CACHED = 20_000
_INT64 = 2**63
_WORDS = {True: "true", False: "false", None: "null"}

_quote = json.encoder.encode_basestring
_Write = Callable[[str], None]


class Scalars(dict[str, str]):
    """Text as it is written, remembered: the same few thousand strings come again and again. Empty for a block."""

    def __missing__(self, text: str) -> str:
        written = text
        if not _PLAIN.fullmatch(text):
            written = "" if _LITERAL.fullmatch(text) else _quoted(text)
        if written and len(self) < _MAX_CACHED:  # a block is long, and of one service
            self[text] = written
        return written


class _Keys(dict[str, str]):
    """Keys with their colon, remembered as well; never a block."""

    def __missing__(self, key: str) -> str:
        written = f"{SCALARS[key] or _quoted(key)}:"
        if len(self) < _MAX_CACHED:
            self[key] = written
        return written


SCALARS, _keys = Scalars(), _Keys()


def emit(documents: Iterable[Mapping[str, Any]], scalars: Scalars = SCALARS) -> str:
    """The documents, each after a line `---`. Raises `ValueError` for what YAML cannot carry to every reader."""
    parts: list[str] = []
    for document in documents:
        parts.append("---\n")
        _mapping(document, "", "", parts.append, scalars)
    return "".join(parts)


def literal(text: str, indent: str) -> str:
    """Text of several lines as a block, which stands `indent` deep."""
    lines = (f"{indent}{line}" if line else "" for line in text[:-1].split("\n"))
    return "\n".join(["|", *lines])


def _quoted(text: str) -> str:
    if _SURROGATE.search(text):
        raise ValueError("text with half of a surrogate pair cannot be written as UTF-8")
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", _quote(text))


def _mapping(mapping: Mapping[str, Any], first: str, indent: str, write: _Write, scalars: Scalars) -> None:
    """The entries of a mapping that is not empty; `first` stands before the first key, `indent` before the others."""
    keys = _keys
    for key, value in mapping.items():
        kind = type(value)
        if kind is str:
            write(f"{first}{keys[key]} {scalars[value] or literal(value, indent + '  ')}\n")
        elif kind is dict and value:
            below = indent + "  "
            write(f"{first}{keys[key]}\n")
            _mapping(value, below, below, write, scalars)
        elif kind is list and value:
            write(f"{first}{keys[key]}\n")
            _sequence(value, indent, write, scalars)
        else:
            write(f"{first}{keys[key]} {_flat(value, indent, scalars)}\n")
        first = indent


def _sequence(items: list[Any], indent: str, write: _Write, scalars: Scalars) -> None:
    first, below = indent + "- ", indent + "  "
    for item in items:
        if type(item) is dict and item:
            _mapping(item, first, below, write, scalars)
        elif type(item) is list and item:
            write(f"{indent}-\n")
            _sequence(item, below, write, scalars)
        else:
            write(f"{first}{_flat(item, indent, scalars)}\n")


def _flat(value: Any, indent: str, scalars: Scalars) -> str:  # noqa: ANN401 - any plain data
    """A scalar or something empty, as it stands after `key:` or `-`."""
    if value is True or value is False or value is None:
        return _WORDS[value]
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return str(value)
    if isinstance(value, str):
        return scalars[value] or literal(value, indent + "  ")
    if isinstance(value, float) and math.isfinite(value):
        mantissa, e, exponent = repr(value).partition("e")
        return f"{mantissa}{'' if '.' in mantissa else '.0'}{e}{exponent}"
    if value in ({}, []):
        return "{}" if isinstance(value, dict) else "[]"
    raise ValueError(f"a value of type {type(value).__name__} is not plain data")
