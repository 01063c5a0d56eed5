"""Plain data: what a blueprint may give, and words for what is something else."""

import math
from collections.abc import Mapping
from typing import Any

_MAX_INT = 2**63
_TEXT = {str}
_KINDS: Mapping[type, str] = {str: "text", list: "a list", dict: "a map"}


class NotPlain(Exception):  # noqa: N818 - says what a value is
    """A value that is not text, a number of 64 bits, a boolean, null, or lists and maps of these."""


def fresh(value: Any) -> Any:  # noqa: ANN401 - anything that an expression can give
    """A copy of `value` that shares no list or map with it. Raises `NotPlain`."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is list:
        return list(map(fresh, value))
    if kind is dict and _TEXT.issuperset(map(type, value)):
        return {key: fresh(item) for key, item in value.items()}
    if (kind is int and -_MAX_INT <= value < _MAX_INT) or (kind is float and math.isfinite(value)):
        return value
    raise NotPlain


def not_plain(value: object) -> str:
    """What in a value is not plain data, in words."""
    if isinstance(value, list | dict):
        for item in value if isinstance(value, list) else (*value, *value.values()):
            try:
                fresh(item)
            except NotPlain:
                return f"{described(value)} with {not_plain(item)}"
        return "a map with a key that is no text"
    if isinstance(value, int):
        return "a number of more than 64 bits"
    if isinstance(value, float):
        return "a number that is not finite"
    return f"{described(value)}, which is no text, number, boolean, list or map"


def described(value: object) -> str:
    """A value in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    return _KINDS.get(type(value)) or f"a {type(value).__name__}"
