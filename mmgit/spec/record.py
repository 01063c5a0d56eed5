"""What all declared types have in common: fields from annotations, frozen, equal by value.

A record is read from plain data, which `quick` takes where that is plainly right, and pydantic (`exact`) judges
otherwise. The classes are plain, because making those of pydantic takes longer than compiling a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

REQUIRED: Any = object()
EMPTY: dict[Any, Any] = {}
"""The default of a mapping. Nobody writes to a record, so all share it."""


class Refused(ValueError):  # noqa: N818 - an answer, and callers may expect it
    """What pydantic has against data, each with its `loc`, `type`, `msg`, `input` and perhaps `ctx`."""

    def __init__(self, kind: str, details: tuple[Mapping[str, Any], ...]) -> None:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in details)
        super().__init__(f"{kind}: {said}")
        self.details = details


class Field:
    """One field: its annotation, its key in files, and its default, if it has one."""

    __slots__ = ("annotation", "default", "key")

    def __init__(self, annotation: Any, key: str, default: Any) -> None:  # noqa: ANN401 - of any type
        self.annotation, self.key, self.default = annotation, key, default

    @property
    def is_required(self) -> bool:
        """Whether a file must have it."""
        return self.default is REQUIRED


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Spec:
    """A declared type. A trailing `_` of a field is not part of its key: `from_` is `from` in files."""

    __slots__ = ("__dict__", "given")
    _fields: ClassVar[dict[str, Field]]
    if TYPE_CHECKING:

        @property
        def given(self) -> frozenset[str]:
            """The names of the fields that were said, not defaulted."""

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - fields are of any type
        """The record with these fields. Raises `Refused`."""
        known = self.fields()
        self._be(self.read({known[name].key if name in known else name: item for name, item in values.items()}))

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Its fields by name: those of its bases first, as in dataclasses."""
        if "_fields" not in cls.__dict__:
            annotations = [each.__annotations__ for each in reversed(cls.__mro__) if issubclass(each, Spec)]
            named = {name: kind for each in annotations for name, kind in each.items() if not name.startswith("_")}
            cls._fields = {
                name: Field(kind, name.removesuffix("_"), getattr(cls, name, REQUIRED)) for name, kind in named.items()
            }
        return cls._fields

    @classmethod
    def read(cls, data: object) -> Self:
        """The record that `data` (as YAML or JSON have it) stands for. Raises `Refused`."""
        from mmgit.spec import quick  # noqa: PLC0415 - it stands on this module

        try:
            return quick.read(cls, data)
        except quick.Doubtful:
            from mmgit.spec import exact  # noqa: PLC0415 - pydantic is slow to import, and most files are right

            return exact.read(cls, data)

    def check(self) -> None:
        """Raise `ValueError` where fields do not go together."""

    def plain(
        self, *, only_given: bool = False, without_none: bool = False, without_head: bool = False
    ) -> dict[str, Any]:
        """By key, as JSON has it; without what was not given, is None, or is `apiVersion` or `kind`, if so wished."""
        return {
            field.key: _plain(self.__dict__[name], only_given=only_given, without_none=without_none)
            for name, field in self.fields().items()
            if (name in self.given or not only_given)
            and (self.__dict__[name] is not None or not without_none)
            and (name not in ("apiVersion", "kind") or not without_head)
        }

    def replaced(self, **values: Any) -> Self:  # noqa: ANN401 - fields are of any type
        """The same with other values, which nobody checks."""
        return self._made({**self.__dict__, **values}, self.given | values.keys())

    @classmethod
    def _made(cls, values: dict[str, Any], given: frozenset[str]) -> Self:
        """A record of checked values for all fields, in order."""
        made = object.__new__(cls)
        made.__dict__.update(values)
        object.__setattr__(made, "given", given)
        return made

    def _be(self, other: Self) -> None:
        self.__dict__.update(other.__dict__)
        object.__setattr__(self, "given", other.given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={item!r}' for name, item in self.__dict__.items())})"

    def __getstate__(self) -> tuple[dict[str, Any], frozenset[str]]:
        return self.__dict__, self.given

    def __setstate__(self, state: tuple[dict[str, Any], frozenset[str]]) -> None:
        self.__dict__.update(state[0])
        object.__setattr__(self, "given", state[1])


def _plain(value: Any, **how: bool) -> Any:  # noqa: ANN401 - of any type
    if isinstance(value, Spec):
        return value.plain(**how)
    if isinstance(value, Mapping):
        return {key: _plain(item, **how) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item, **how) for item in value]
    return value


def specs_in(annotation: Any) -> Iterator[type[Spec]]:  # noqa: ANN401 - walks annotations
    """The declared types that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from specs_in(part)
