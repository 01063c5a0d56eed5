"""A plain Python value in, its `Description` out. Objects may bring further names: one sample cannot show them all."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING

from mmgit.sdk.description import Description

if TYPE_CHECKING:
    from mmgit.sdk.description import Sample, Schema

_NUMBERS: tuple[Schema, ...] = ({"type": "integer"}, {"type": "number"})


def describe_json(value: Sample) -> Description:
    """The description of a value made of None, booleans, numbers, texts, lists and dictionaries.

    Raises:
        TypeError: it holds something that JSON cannot say.
        ValueError: it holds NaN or an infinity.
    """
    sample = plain(value)
    return Description({**_schema_of(sample), "x-mmgit": {"type": "standard"}}, sample)


def describe_bytes(value: Sample) -> Description:
    """The description of bytes, such as an image file: base64 in JSON, bytes for `run()`.

    Raises:
        TypeError: it is neither bytes nor a bytearray.
    """
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(f"expected bytes, found {type(value).__name__}")
    schema = {"type": "string", "contentEncoding": "base64", "x-mmgit": {"type": "bytes"}}
    return Description(schema, base64.b64encode(value).decode("ascii"))


def plain(value: Sample) -> Sample:
    """The value as JSON would bring it back.

    Raises:
        TypeError: it holds something that JSON cannot say.
        ValueError: it holds NaN or an infinity.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"the sample holds {value}, which JSON cannot hold")
        return float(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"the name {name!r} in the sample is not a text")
        return {name: plain(item) for name, item in value.items()}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"the sample holds a value of type {type(value).__name__}, which JSON cannot say")


def _schema_of(value: Sample) -> Schema:
    if value is None:
        return {}
    if isinstance(value, list):
        return {"type": "array", **_items_of([_schema_of(item) for item in value])}
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: _schema_of(item) for name, item in value.items()}}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": kinds[type(value)]}


def _items_of(schemas: list[Schema]) -> Schema:
    """One schema for all items, if one fits all."""
    first = schemas[0] if schemas else {}
    if first and all(schema == first for schema in schemas):
        return {"items": first}
    if schemas and all(schema in _NUMBERS for schema in schemas):
        return {"items": {"type": "number"}}
    return {}
