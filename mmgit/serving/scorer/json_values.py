"""A plain JSON value and its declared schema in; nothing out when it conforms, else `Refused` with the path.

This is the part of JSON Schema 2020-12 that a request needs. A keyword outside it stops the scorer at its start.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

from .scalars import described
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = (int, float)


def refuse_unknown_keywords(schema: Json, place: str) -> None:
    """Stop at a keyword that requests would not be checked against.

    Raises:
        ValueError: names the keyword and its place.
    """
    if isinstance(schema, bool):
        return
    for keyword in schema:
        if keyword not in _RULES and keyword not in _ANNOTATIONS and not keyword.startswith("x-"):
            raise ValueError(f"{place}: the keyword {keyword} is not among those that requests are checked against")
    for name, inner in schema.get("properties", {}).items():
        refuse_unknown_keywords(inner, f"{place}.{name}")
    for keyword in ("items", "additionalProperties"):
        refuse_unknown_keywords(schema.get(keyword, True), f"{place}.{keyword}")


def check_value(value: Json, schema: Json, path: str) -> None:
    """Refuse what does not conform, at the deepest path."""
    if isinstance(schema, bool):
        if not schema:
            raise Refused("argument_unknown", f"{path}: not expected here")
        return
    for keyword, argument in schema.items():
        rule = _RULES.get(keyword)
        if rule is not None:
            rule(value, argument, schema, path)


def bytes_of(value: Json, path: str) -> bytes:
    """The bytes of a base64 text."""
    if type(value) is not str:
        raise Refused("argument_invalid", f"{path}: expected a base64 string, found {described(value)}")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("argument_invalid", f"{path}: the string is not base64") from None


def _is_of_type(value: Json, name: str) -> bool:
    if isinstance(value, bool) or value is None:
        return name == ("null" if value is None else "boolean")
    if isinstance(value, _NUMBER):
        return name == "number" or (name == "integer" and value == int(value))
    return name == ("string" if isinstance(value, str) else "array" if isinstance(value, list) else "object")


def _type(value: Json, names: Json, _schema: Json, path: str) -> None:
    allowed = [names] if isinstance(names, str) else names
    if not any(_is_of_type(value, name) for name in allowed):
        raise Refused("argument_invalid", f"{path}: expected {' or '.join(allowed)}, found {described(value)}")


def _properties(value: Json, properties: Json, _schema: Json, path: str) -> None:
    if isinstance(value, dict):
        for name in properties.keys() & value.keys():
            check_value(value[name], properties[name], f"{path}.{name}")


def _additional(value: Json, rest: Json, schema: Json, path: str) -> None:
    if isinstance(value, dict):
        for name in sorted(value.keys() - schema.get("properties", {}).keys()):
            check_value(value[name], rest, f"{path}.{name[:100]}")


def _required(value: Json, names: Json, _schema: Json, path: str) -> None:
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                raise Refused("argument_missing", f"{path}.{name}: this is required")


def _items(value: Json, inner: Json, _schema: Json, path: str) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            check_value(item, inner, f"{path}[{index}]")


def _enum(value: Json, choices: Json, _schema: Json, path: str) -> None:
    if not any(_is_equal(value, choice) for choice in choices):
        raise Refused("argument_invalid", f"{path}: expected one of {json.dumps(choices)[:200]}")


def _is_equal(one: Json, other: Json) -> bool:
    """Whether two values are the same in JSON: 1 is 1.0, and not true."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_equal(value, other[name]) for name, value in one.items())
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _bound(types: Json, measure: Callable[[Any], Any], is_within: Callable[[Any, Any], bool], claim: str) -> Json:
    """A rule that compares one measure of a value with the keyword's argument."""

    def rule(value: Json, limit: Json, _schema: Json, path: str) -> None:
        if isinstance(value, types) and not isinstance(value, bool) and not is_within(measure(value), limit):
            raise Refused("argument_invalid", f"{path}: expected {claim.format(limit)}")

    return rule


_RULES: dict[str, Callable[[Any, Any, Any, str], None]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value, only, schema, path: _enum(value, [only], schema, path),
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "minItems": _bound(list, len, lambda size, limit: size >= limit, "at least {} items"),
    "maxItems": _bound(list, len, lambda size, limit: size <= limit, "at most {} items"),
    "minLength": _bound(str, len, lambda size, limit: size >= limit, "at least {} characters"),
    "maxLength": _bound(str, len, lambda size, limit: size <= limit, "at most {} characters"),
    "minimum": _bound(_NUMBER, lambda value: value, lambda value, limit: value >= limit, "at least {}"),
    "maximum": _bound(_NUMBER, lambda value: value, lambda value, limit: value <= limit, "at most {}"),
    "exclusiveMinimum": _bound(_NUMBER, lambda value: value, lambda value, limit: value > limit, "more than {}"),
    "exclusiveMaximum": _bound(_NUMBER, lambda value: value, lambda value, limit: value < limit, "less than {}"),
    "pattern": _bound(str, str, lambda value, pattern: re.search(pattern, value) is not None, "a match of {}"),
}
_ANNOTATIONS = frozenset(
    [
        "$schema",
        "$id",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "format",
        "contentEncoding",
        "contentMediaType",
    ]
)
