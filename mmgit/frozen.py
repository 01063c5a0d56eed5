"""Frozen dataclasses as the standard library makes them, in a twentieth of the time that it takes to make one.

That compiles six methods for each class; here, five are shared by all classes, and `__init__` is compiled when the
first value is made. The standard library's own module, which takes as long to import as to make all of ours, is asked
for when somebody asks it about one of these classes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    # what type checkers know them as
    from dataclasses import asdict as asdict  # noqa: PLC0414
    from dataclasses import dataclass as dataclass  # noqa: PLC0414
    from dataclasses import field as field  # noqa: PLC0414
    from dataclasses import replace as replace  # noqa: PLC0414
else:

    def dataclass(*, frozen: bool, order: bool = False) -> Callable[[type], type]:
        """A decorator as `dataclasses.dataclass(frozen=True)` is one, and with `order=True`."""
        if not frozen:
            raise TypeError("dataclasses that change are the standard library's")

        def decorate(cls: type) -> type:
            cls.__dataclass_fields__ = _Standard(cls)
            cls.__frozen_fields__ = fields = _fields(cls)
            cls.__match_args__ = tuple(name for name, given in fields.items() if given.init)
            cls.__init__ = _first_init(cls)
            for method in (*_METHODS, *(_ORDER if order else ())):
                if method.__name__ not in cls.__dict__:
                    setattr(cls, method.__name__, method)
            return cls

        return decorate

    def field(**said: Any) -> _Given:  # noqa: ANN401 - as the standard library's
        """As `dataclasses.field`, with `default` or `default_factory`, `init` and `repr`."""
        return _Given(**said)

    def replace(of: Any, /, **changes: Any) -> Any:  # noqa: ANN401 - as above
        """As `dataclasses.replace`."""
        for name, given in of.__frozen_fields__.items():
            if given.init and name not in changes:
                changes[name] = getattr(of, name)
        return type(of)(**changes)

    def asdict(of: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        """As `dataclasses.asdict`; what is neither a dataclass of ours, a list, a tuple nor a dict is not copied."""
        return {name: _plain(getattr(of, name)) for name in of.__frozen_fields__}


_MISSING: Any = object()


class _Given:
    """What is said of one field."""

    __slots__ = ("default", "default_factory", "init", "repr")

    def __init__(
        self,
        *,
        default: Any = _MISSING,  # noqa: ANN401 - a value of any type
        default_factory: Any = _MISSING,  # noqa: ANN401 - the same
        init: bool = True,
        repr: bool = True,  # noqa: A002 - as the standard library's
    ) -> None:
        self.default, self.default_factory, self.init, self.repr = default, default_factory, init, repr


class _Standard:
    """What the standard library knows a dataclass by: made in its own way when somebody asks for it."""

    def __init__(self, of: Any) -> None:  # noqa: ANN401 - a class that is being made
        self._of = of

    def __get__(self, _: object, __: type) -> Any:  # noqa: ANN401 - `dataclasses.Field`s by name
        import dataclasses  # noqa: PLC0415 - see above

        cls = self._of
        for name in _annotations(cls):
            given = cls.__frozen_fields__.get(name)
            if given:
                said = {key: value for key in _Given.__slots__ if (value := getattr(given, key)) is not _MISSING}
                setattr(cls, name, dataclasses.field(**said))
        dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        return cls.__dataclass_fields__


def _fields(cls: Any) -> dict[str, _Given]:  # noqa: ANN401 - a class that is being made
    """What is said of each field, those of its bases first; the class keeps the defaults as its attributes."""
    fields: dict[str, _Given] = {}
    for base in cls.__mro__[-1:0:-1]:
        fields.update(base.__dict__.get("__frozen_fields__", {}))
    for name, annotation in _annotations(cls).items():
        if "ClassVar" in str(annotation):
            continue
        said = cls.__dict__.get(name, _MISSING)
        if type(said).__module__ == "dataclasses":
            raise TypeError(f"{cls.__qualname__}.{name}: `field` is to be imported from mmgit.frozen")
        given = fields[name] = said if isinstance(said, _Given) else _Given(default=said)
        if given.default is not _MISSING:
            setattr(cls, name, given.default)
        elif said is not _MISSING:
            delattr(cls, name)
    return fields


def _annotations(cls: type) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations  # noqa: PLC0415 - there is none before

        return get_annotations(cls, format=Format.FORWARDREF)
    found: dict[str, Any] = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 - `inspect` is slow to import
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value
    if hasattr(type(value), "__frozen_fields__"):
        return asdict(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value


def _first_init(cls: type) -> Callable[..., None]:
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807 - stands in for the real one
        init = _compiled_init(cls)
        cls.__init__ = init  # type: ignore[misc]
        init(self, *args, **kwargs)

    return __init__


def _compiled_init(cls: type) -> Callable[..., None]:
    """The `__init__` that takes the fields in their order; no name of its own may be that of a field."""
    known: dict[str, Any] = {"__missing": _MISSING, "__set": object.__setattr__}
    parameters, lines = [], []
    for name, said in cls.__frozen_fields__.items():  # type: ignore[attr-defined]  # set above
        given, value = f"_{name}_default", name
        if said.default is not _MISSING:
            known[given] = said.default
            parameters.append(f"{name}={given}")
        elif said.default_factory is not _MISSING:
            known[given] = said.default_factory
            parameters.append(f"{name}=__missing")
            value = f"{given}() if {name} is __missing else {name}"
        elif said.init:
            parameters.append(name)
        else:
            continue
        lines.append(f"__set(__self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("__self.__post_init__()")
    source = f"def __init__(__self, {', '.join(parameters)}):\n  " + "\n  ".join(lines or ["pass"])
    exec(source, known)  # noqa: S102 - of field names alone, which Python has parsed
    made: Callable[..., None] = known["__init__"]
    return made


def _values(of: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any of these dataclasses
    return tuple([getattr(of, name) for name in of.__frozen_fields__])


def __eq__(self: Any, other: object) -> Any:  # noqa: ANN401, N807 - as Python has it
    return _values(self) == _values(other) if other.__class__ is self.__class__ else NotImplemented


def __hash__(self: Any) -> int:  # noqa: ANN401, N807 - as above
    return hash(_values(self))


def __repr__(self: Any) -> str:  # noqa: ANN401, N807 - as above
    shown = (name for name, said in self.__frozen_fields__.items() if said.repr)
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: ANN401, ARG001, N807 - as above
    raise _frozen(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:  # noqa: ANN401, ARG001, N807 - as above
    raise _frozen(f"cannot delete field {name!r}")


def _frozen(message: str) -> Exception:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - see above

    return FrozenInstanceError(message)


def __lt__(self: Any, other: object) -> Any:  # noqa: ANN401, N807 - as above
    return _values(self) < _values(other) if other.__class__ is self.__class__ else NotImplemented


def __le__(self: Any, other: object) -> Any:  # noqa: ANN401, N807 - as above
    return _values(self) <= _values(other) if other.__class__ is self.__class__ else NotImplemented


def __gt__(self: Any, other: object) -> Any:  # noqa: ANN401, N807 - as above
    return _values(self) > _values(other) if other.__class__ is self.__class__ else NotImplemented


def __ge__(self: Any, other: object) -> Any:  # noqa: ANN401, N807 - as above
    return _values(self) >= _values(other) if other.__class__ is self.__class__ else NotImplemented


_METHODS = (__eq__, __hash__, __repr__, __setattr__, __delattr__)
_ORDER = (__lt__, __le__, __gt__, __ge__)
