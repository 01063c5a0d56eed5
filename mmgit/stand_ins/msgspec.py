"""Records and JSON as msgspec has them, as far as the front uses them: on the `json` of the standard library."""

from __future__ import annotations

import math
from json import dumps, loads
from json.encoder import encode_basestring
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class UnsetType:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET = UnsetType()
"""Stands for a field that is not there."""


class DecodeError(ValueError):
    """A document is not JSON, or not what it is to be. Nothing of it is in the message."""


class Raw(bytes):
    """JSON that is passed on as it is."""


class Struct:
    """A record: its annotations are its fields, in this order, what they are set to is what they are by themselves."""

    __struct_fields__: ClassVar[tuple[str, ...]] = ()
    __struct_omits__: ClassVar[bool] = False

    def __init_subclass__(cls, *, omit_defaults: bool = False) -> None:
        cls.__struct_fields__ = tuple(cls.__annotations__)
        cls.__struct_omits__ = omit_defaults

    def __init__(self, *values: Any, **named: Any) -> None:  # noqa: ANN401 - whatever the fields hold
        given = dict(zip(self.__struct_fields__, values), **named)
        if len(values) > len(self.__struct_fields__) or not given.keys() <= set(self.__struct_fields__):
            raise TypeError("Unexpected argument")
        for name in self.__struct_fields__:
            if name not in given and not hasattr(type(self), name):
                raise TypeError(f"Missing required argument '{name}'")
        self.__dict__.update(given)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in self.__struct_fields__
        )

    __hash__ = None  # type: ignore[assignment]


def _encoded(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON has
    """The JSON of a value, without blanks. Raises `TypeError` for what it has no word for."""
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


def _write(value: Any, add: Callable[[bytes], object]) -> None:  # noqa: ANN401 - as above
    if isinstance(value, Raw):
        add(bytes(value))
    elif isinstance(value, str):
        add(encode_basestring(value).encode())
    elif value is None or value is True or value is False:
        add({None: b"null", True: b"true", False: b"false"}[value])
    elif isinstance(value, int):
        add(str(int(value)).encode())
    elif isinstance(value, float):
        add(repr(float(value)).encode() if math.isfinite(value) else b"null")
    elif isinstance(value, dict):
        _write_object(value.items(), add)
    elif isinstance(value, (list, tuple)):
        add(b"[")
        for number, each in enumerate(value):
            add(b"," if number else b"")
            _write(each, add)
        add(b"]")
    elif isinstance(value, Struct):
        _write_object(_fields(value), add)
    else:
        raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


def _write_object(items: Any, add: Callable[[bytes], object]) -> None:  # noqa: ANN401 - pairs
    add(b"{")
    for number, (name, each) in enumerate(items):
        if not isinstance(name, str):
            raise TypeError("Only dicts with str-like keys are supported")
        add(b"," if number else b"")
        add(encode_basestring(name).encode() + b":")
        _write(each, add)
    add(b"}")


def _fields(record: Struct) -> Iterator[tuple[str, Any]]:
    """What of a record is written."""
    of = type(record)
    for name in of.__struct_fields__:
        value = getattr(record, name)
        is_default = of.__struct_omits__ and hasattr(of, name) and value == getattr(of, name)
        if value is not UNSET and not is_default:
            yield name, value


def _decoded(data: bytes, *, type: Any = Any) -> Any:  # noqa: A002, ANN401 - as msgspec has it
    """The value of a JSON document. Raises `DecodeError`: it is none, or not of the type."""
    try:
        text = str(data, "utf-8")
        numbers = {"parse_int": str, "parse_float": str} if type is Raw else {"parse_float": _finite}
        value = loads(text, parse_constant=_refused, **numbers)
        if "\\u" in text:
            dumps(value, ensure_ascii=False).encode()  # half of a pair of surrogates is no text
    except ValueError:
        raise DecodeError("JSON is malformed") from None
    if type is Any:
        return value
    return Raw(bytes(data).strip(b" \t\r\n")) if type is Raw else _as(value, type, "$")


def _refused(name: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(name)


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(digits)
    return value


def _as(value: Any, type_: Any, path: str) -> Any:  # noqa: ANN401 - as above
    """The value as a record, a list or a plain value of this type."""
    if get_origin(type_) is list:
        [of] = get_args(type_)
        if not isinstance(value, list):
            raise DecodeError(f"Expected `array` - at `{path}`")
        return [_as(each, of, f"{path}[...]") for each in value]
    if isinstance(type_, type) and issubclass(type_, Struct):
        if not isinstance(value, dict):
            raise DecodeError(f"Expected `object` - at `{path}`")
        hints = get_type_hints(type_)
        given = {
            name: _as(value[name], hints[name], f"{path}.{name}") for name in type_.__struct_fields__ if name in value
        }
        for name in type_.__struct_fields__:
            if name not in given and not hasattr(type_, name):
                raise DecodeError(f"Object missing required field `{name}` - at `{path}`")
        return type_(**given)
    if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
        raise DecodeError(f"Expected `{type_.__name__}` - at `{path}`")
    return value


class _Encoder:
    """As `msgspec.json.Encoder`."""

    encode = staticmethod(_encoded)


json = SimpleNamespace(Encoder=_Encoder, encode=_encoded, decode=_decoded)
