"""The bytes of a request body in, a JSON value out, or `Refused` with a code and a reason for the client.

Stricter than `json.loads`: duplicate names, NaN and infinities, numbers beyond a double, lone surrogates, depth over
`DEPTH_MAX` and anything but UTF-8 are refused. The costly checks run only on bodies that could need them.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from .native_json import UNSURE, native_json

Json = Any
"""A value that JSON can say."""

DEPTH_MAX = 100

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?')
_BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_EXTREME_NUMBER = re.compile(rb"[0-9.][eE][+]?[0-9]{3}|[0-9]{200}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGITS_MAX = 309


class Refused(Exception):  # noqa: N818 - the expected end of a wrong request, not a fault of ours
    """A request that is answered with 400; `code` and `message` are for the client."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse(body: bytes) -> Json:
    """The value of a JSON document.

    Raises:
        Refused: the body is not strict JSON.
    """
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX and _is_deeper_than(body, DEPTH_MAX):
        raise Refused("json_too_deep", f"the body nests deeper than {DEPTH_MAX} levels, or its brackets do not match")
    value = native_json.value_of(body)
    if value is not UNSURE:
        return value
    decoder = _CAREFUL if _EXTREME_NUMBER.search(body) else _FAST
    try:
        value = decoder.decode(body.decode("utf-8"))
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("json_not_utf8", f"the body is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise Refused("json_lone_surrogate", "the body holds half of a surrogate pair") from None
    except json.JSONDecodeError as error:
        raise Refused("json_invalid", f"the body is not JSON: {error.msg} at character {error.pos}") from None
    return value


def _is_deeper_than(body: bytes, depth_max: int) -> bool:
    """Take away the innermost pairs of brackets `depth_max` times; whatever is left was deeper, or has no partner."""
    brackets = _STRING.sub(b"", body).translate(_BRACES_TO_BRACKETS, _NOT_BRACKETS)
    for _ in range(depth_max):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Refused("json_duplicate_name", f"the name {json.dumps(name[:100])} stands twice in one object")
    return value


def _refuse_constant(constant: str) -> None:
    raise Refused("json_invalid", f"the body is not JSON: {constant} is not a JSON number")


def _float_of(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise Refused("json_number_too_large", f"the number {text[:30]} does not fit a double")
    return value


def _int_of(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise Refused("json_number_too_large", f"the number {text[:30]}… has {len(text)} digits")
    return int(text)


_FAST = json.JSONDecoder(object_pairs_hook=_object_of, parse_constant=_refuse_constant)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_object_of, parse_constant=_refuse_constant, parse_float=_float_of, parse_int=_int_of
)
