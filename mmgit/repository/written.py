"""Writes values as YAML text that every reader of YAML 1.1 and 1.2 takes for what it is. Pure."""

import json
import re
from typing import Any

from mmgit.repository.subset import HIDDEN, is_doubtful, plain_value

WIDTH = 120

BARE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=()-]*(?: [A-Za-z0-9_./+=()-]+)*")
BARE_WITH_COLONS = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=:-]*[A-Za-z0-9_./+=-]")


def entry(key: str, value: Any, column: int | None) -> str:  # noqa: ANN401 - any YAML value
    """A key with its value, in block style at `column`, or inside brackets (None)."""
    return f"{scalar(key)}:{behind_colon(value, column, len(key))}"


def behind_colon(value: Any, column: int | None, used: int = 0) -> str:  # noqa: ANN401 - any YAML value
    """What stands behind a colon: on the same line if it is short, else below and two columns further in."""
    line = scalar(value, bare=BARE_WITH_COLONS) if column is not None and isinstance(value, str) else inline(value)
    if column is None or not value or not isinstance(value, dict | list | tuple):
        return f" {line}"
    margin = "\n" + " " * (column + 2)
    is_short = column + used + 2 + len(line) <= WIDTH
    if isinstance(value, dict):
        return f" {line}" if is_short else "".join(margin + entry(*item, column + 2) for item in value.items())
    if is_short and not isinstance(value[0], dict):
        return f" {line}"
    return "".join(f"{margin}- {inline(item)}" for item in value)


def inline(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    return scalar(value)


def scalar(value: str | float | None, bare: re.Pattern[str] = BARE) -> str:
    """A scalar that every reader of YAML 1.1 and 1.2 takes for what it is."""
    if isinstance(value, str):
        is_bare = bare.fullmatch(value) or BARE.fullmatch(value)
        return value if is_bare and plain_value(value) == value and not is_doubtful(value) else _quoted(value)
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return (mantissa if "." in mantissa else f"{mantissa}.0") + exponent + power
    return json.dumps(value)


def _quoted(text: str) -> str:
    """`text` in double quotes; what a reviewer would not see is written out."""
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
