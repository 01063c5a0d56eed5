"""The few parts of the protobuf wire format that OTLP's messages need, each a function from a value to bytes.

Source: protobuf.dev/programming-guides/encoding. Nothing is read here.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ONE_BYTE = [bytes((value,)) for value in range(128)]


def varint(value: int) -> bytes:
    """A number that is not negative, seven bits a byte."""
    if value < len(_ONE_BYTE):
        return _ONE_BYTE[value]
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def number(field: int, value: int) -> bytes:
    """A field of an enumeration, a bool or an unsigned integer."""
    return varint(field << 3 | _VARINT) + varint(value)


def data(field: int, *parts: bytes) -> bytes:
    """A field of bytes, or of a message made of `parts`."""
    value = b"".join(parts)
    return varint(field << 3 | _BYTES) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """A field of text."""
    return data(field, value.encode("utf-8", "replace"))


def fixed64(field: int, value: int) -> bytes:
    """A field of 64 bits."""
    return varint(field << 3 | _FIXED64) + struct.pack("<Q", value)


def double(field: int, value: float) -> bytes:
    """A field of a floating point number."""
    return varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def fixed32(field: int, value: int) -> bytes:
    """A field of 32 bits."""
    return varint(field << 3 | _FIXED32) + struct.pack("<I", value)


def packed_fixed64(field: int, values: Sequence[int]) -> bytes:
    """A repeated field of 64 bits each."""
    return data(field, struct.pack(f"<{len(values)}Q", *values))


def packed_doubles(field: int, values: Sequence[float]) -> bytes:
    """A repeated field of floating point numbers."""
    return data(field, struct.pack(f"<{len(values)}d", *values))


def attributes(field: int, given: Iterable[tuple[str, str | float]]) -> bytes:
    """OTLP's key and value pairs; those that are empty texts are left out."""
    return b"".join([data(field, _key(name), data(2, _any(value))) for name, value in given if value != ""])


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    return text(1, name)


def _any(value: str | float) -> bytes:
    if isinstance(value, str):
        return text(1, value)
    return number(3, value) if isinstance(value, int) else double(4, value)
