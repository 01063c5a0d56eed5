"""UBJSON as XGBoost writes it: a stream in, plain values out. Typed arrays, which hold a model's weights, are skipped.

Source: ubjson.org, draft 12; of its types those that XGBoost's writer knows.
"""

import struct
from typing import IO, Any

_NUMBERS = {marker: struct.Struct(f">{code}") for marker, code in zip(b"iUIlLdD", "bBhiqfd", strict=True)}
_CONSTANTS = {ord("T"): True, ord("F"): False, ord("Z"): None}
_TEXT, _ARRAY, _OBJECT = b"S[{"
_ARRAY_END, _OBJECT_END = b"]}"
_TYPE, _COUNT = b"$#"
_DEPTH_MAX = 50
_TEXT_BYTES_MAX = 2**24
_SIZE_MAX = 2**40


def parse(file: IO[bytes]) -> Any:  # noqa: ANN401 - what JSON can say
    """The document that the file begins with; a typed array is None.

    Raises:
        ValueError: it is no such document.
    """
    file.seek(0)
    return _value(file, _byte(file), 0)


def _value(file: IO[bytes], marker: int, depth: int) -> Any:  # noqa: ANN401 - as above
    if depth > _DEPTH_MAX:
        raise ValueError(f"it nests deeper than {_DEPTH_MAX} levels")
    if marker == _OBJECT:
        return _object(file, depth)
    if marker == _ARRAY:
        return _array(file, depth)
    if marker == _TEXT:
        return _text(file, _byte(file))
    return _CONSTANTS[marker] if marker in _CONSTANTS else _number(file, marker)


def _object(file: IO[bytes], depth: int) -> dict[str, Any]:
    members = {}
    while (marker := _byte(file)) != _OBJECT_END:
        name = _text(file, marker)
        members[name] = _value(file, _byte(file), depth + 1)
    return members


def _array(file: IO[bytes], depth: int) -> list[Any] | None:
    marker = _byte(file)
    if marker == _TYPE:
        packed = _NUMBERS[_byte(file)]
        if _byte(file) != _COUNT:
            raise ValueError("a typed array has no count")
        file.seek(_size(file, _byte(file)) * packed.size, 1)
        return None
    if marker == _COUNT:
        return [_value(file, _byte(file), depth + 1) for _ in range(_size(file, _byte(file)))]
    items = []
    while marker != _ARRAY_END:
        items.append(_value(file, marker, depth + 1))
        marker = _byte(file)
    return items


def _text(file: IO[bytes], marker: int) -> str:
    size = _size(file, marker)
    if size > _TEXT_BYTES_MAX:
        raise ValueError(f"a text has {size} bytes")
    return _read(file, size).decode()


def _size(file: IO[bytes], marker: int) -> int:
    size = _number(file, marker)
    if not isinstance(size, int) or not 0 <= size <= _SIZE_MAX:
        raise ValueError(f"{size} is no size")
    return size


def _number(file: IO[bytes], marker: int) -> int | float:
    packed = _NUMBERS[marker]
    value: int | float = packed.unpack(_read(file, packed.size))[0]
    return value


def _byte(file: IO[bytes]) -> int:
    return _read(file, 1)[0]


def _read(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise ValueError("it is cut off")
    return data
