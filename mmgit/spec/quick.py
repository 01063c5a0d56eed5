"""Reads data into declared types where that is plainly right; whatever is not, pydantic judges (`exact`).

What is taken here, `exact` takes with an equal value: that is tested. Nothing is said about what is not taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from mmgit.spec.record import REQUIRED, Spec
from mmgit.spec.vocabulary import Listed, Matching

S = TypeVar("S", bound=Spec)
Reader = Callable[[Any], Any]
_EXACT_FLOAT = 2**53

_readers: dict[type[Spec], Reader] = {}


class Doubtful(Exception):  # noqa: N818 - an answer, not an error
    """This is for `exact`."""


def read(kind: type[S], data: object) -> S:
    """The record that `data` plainly stands for. Raises `Doubtful`."""
    made: S = (_readers.get(kind) or _record(kind))(data)
    return made


def reader(kind: Any) -> Reader:  # noqa: ANN401, PLR0911 - annotations are of any type; a table by cases
    """What reads a value of this annotation, or raises `Doubtful`."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, Spec):
        return _later(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        marks = [mark for mark in parts[1:] if not isinstance(mark, Listed)]
        if parts[0] is str and len(marks) == 1 and isinstance(marks[0], Matching):
            return _matching(marks[0])
        return _marked(reader(parts[0]), [mark.admits for mark in marks])
    if origin is Literal:
        return _one_of(parts)
    if origin in (Union, UnionType):
        return _either(parts)
    if origin is tuple:
        return _sequence(reader(parts[0]))
    if origin is dict:
        return _mapping(reader(parts[0]), reader(parts[1]))
    raise TypeError(f"no declared type has fields of {kind}")


def _later(kind: type[Spec]) -> Reader:
    """Of a type within another: made when first used, as most files have few of them."""

    def read_later(data: Any) -> Spec:  # noqa: ANN401 - data of any type
        return read(kind, data)

    return read_later


def _record(kind: type[S]) -> Reader:
    fields = kind.fields()
    by_key = {field.key: (name, reader(field.annotation)) for name, field in fields.items()}
    blank = {name: field.default for name, field in fields.items()}
    required = [name for name, field in fields.items() if field.is_required]

    def read_record(data: Any) -> S:  # noqa: ANN401 - data of any type
        if type(data) is not dict:
            if type(data) is kind:
                return data
            raise Doubtful
        values, given = blank.copy(), []
        try:
            for key, item in data.items():
                name, read_item = by_key[key]
                values[name] = read_item(item)
                given.append(name)
        except (KeyError, TypeError):
            raise Doubtful from None
        for name in required:
            if values[name] is REQUIRED:
                raise Doubtful
        made = kind._made(values, frozenset(given))  # noqa: SLF001 - it is for readers
        try:
            made.check()
        except ValueError:
            raise Doubtful from None
        return made

    _readers[kind] = read_record
    return read_record


def _marked(read_plain: Reader, tests: list[Callable[[Any], bool]]) -> Reader:
    if not tests:
        return read_plain

    def read_marked(value: Any) -> Any:  # noqa: ANN401 - as annotated
        made = read_plain(value)
        for is_admitted in tests:
            if not is_admitted(made):
                raise Doubtful
        return made

    return read_marked


def _matching(form: Matching) -> Reader:
    """The most common kind of field, in as few calls as can be."""
    fullmatch: Any = None

    def read_matching(value: Any) -> str:  # noqa: ANN401 - of any type
        nonlocal fullmatch
        fullmatch = fullmatch or form.compiled()
        if type(value) is str and fullmatch(value) and (value.isascii() or _text(value)):
            return value
        raise Doubtful

    return read_matching


def _one_of(allowed: tuple[Any, ...]) -> Reader:
    def read_literal(value: Any) -> Any:  # noqa: ANN401 - as annotated
        if type(value) is str and value in allowed:
            return value
        raise Doubtful

    return read_literal


def _either(parts: tuple[Any, ...]) -> Reader:
    """Of what is not None there is one kind, or a declared type for mappings and one kind for all else."""
    rest, *others = [reader(part) for part in parts if part is not NoneType]

    def read_optional(value: Any) -> Any:  # noqa: ANN401 - as annotated
        return None if value is None else rest(value)

    def read_either(value: Any) -> Any:  # noqa: ANN401 - as annotated
        return others[0](value) if isinstance(value, dict | Spec) else rest(value)

    return read_either if others else read_optional


def _sequence(read_item: Reader) -> Reader:
    def read_sequence(value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - as annotated
        if type(value) is list or type(value) is tuple:
            return tuple([read_item(item) for item in value])
        raise Doubtful

    return read_sequence


def _mapping(read_key: Reader, read_value: Reader) -> Reader:
    def read_mapping(value: Any) -> Mapping[Any, Any]:  # noqa: ANN401 - as annotated
        if type(value) is not dict:
            raise Doubtful
        return {read_key(key): read_value(item) for key, item in value.items()}

    return read_mapping


def _text(value: Any) -> str:  # noqa: ANN401 - of any type
    if type(value) is not str:
        raise Doubtful
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Doubtful from None
    return value


def _whole(value: Any) -> int:  # noqa: ANN401 - of any type
    if type(value) is not int:
        raise Doubtful
    return value


def _number(value: Any) -> float:  # noqa: ANN401 - of any type
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and -_EXACT_FLOAT <= value <= _EXACT_FLOAT:
        return float(value)
    raise Doubtful


def _truth(value: Any) -> bool:  # noqa: ANN401 - of any type
    if type(value) is not bool:
        raise Doubtful
    return value


def _anything(value: Any) -> Any:  # noqa: ANN401 - of any type
    return value


_PLAIN: dict[Any, Reader] = {str: _text, int: _whole, float: _number, bool: _truth, Any: _anything}
