"""The objects of services of one shape, with gaps where their texts go.

They are made of a service whose texts are marks. Each text that is written with a mark in it is a gap, in the file and
in the objects; whatever holds none is shared by all services of the shape.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from mmgit.desired import DesiredService
from mmgit.frozen import replace
from mmgit.render.emit import SCALARS, Scalars, emit, literal
from mmgit.render.moulds import Filled, Make
from mmgit.render.server_files import ServerFiles
from mmgit.spec.service import SecretKey

if TYPE_CHECKING:
    from mmgit.render.shapes import Object

_NONCE = os.urandom(8).hex()  # nobody can write a mark into a declaration
_MARK, _GAP = f"\ue000{_NONCE}:", f"\ue002{_NONCE}:"
_END = "\ue001"
_marks = re.compile(f"{_MARK}([0-9]+){_END}").split
_gaps = re.compile(f"{_GAP}([0-9]+){_END}").split
_indent = re.compile("(?:  |- )*").match
_Texts = Callable[[list[str]], list[str]]
_Objects = Callable[[list[str], list[Any]], "list[Object]"]
_UNSEEN = f"{_MARK}{_END}"
"""Stands for what a built-in blueprint has no use for; where it is seen, there is no mould."""


class Mould:
    """The objects of one shape, with gaps. Raises `ValueError` if some text is not only carried."""

    def __init__(self, service: DesiredService, make: Make) -> None:
        marked, files = _marked(service)
        objects = make(marked, files)
        gaps = _Gaps()
        self._pieces = _gaps(emit(objects, gaps))
        if "$" in "".join(self._pieces) or any(_NONCE in piece for piece in self._pieces[::2]):
            raise ValueError("something has to be escaped, or a key is carried")
        before = (piece.rpartition("\n")[2] for piece in self._pieces[::2])
        numbers = [int(gap) for gap in self._pieces[1::2]]
        self._in_places = itemgetter(*numbers, 0, 0)  # two more, so that it always gives a tuple
        self._places: dict[int, list[tuple[int, str]]] = {}
        for place, (number, line) in enumerate(zip(numbers, before, strict=False)):
            self._places.setdefault(number, []).append((2 * place + 1, _indent_below(line)))
        parts = _Parts(gaps)
        self._constants = parts.constants
        self._texts: _Texts = _function(f"lambda v: [{', '.join(map(_joined, gaps.number_of))}]")
        self._objects: _Objects = _function(f"lambda t, k: {parts.source(objects)}")

    def filled(self, service: DesiredService, files: ServerFiles) -> Filled | None:
        """A service of the shape; None if something in it may have to be escaped."""
        texts = self._texts(_carried(service, files))
        written = [SCALARS[text] for text in texts]
        pieces = self._pieces.copy()
        pieces[1::2] = self._in_places(written)[:-2]
        for number, text in enumerate(written):
            for place, indent in self._places.get(number, ()) if not text else ():
                pieces[place] = literal(texts[number], indent)
        text = "".join(pieces)
        return None if "$" in text else Filled(text, partial(self._objects, texts, self._constants), self)


@lru_cache(maxsize=64)
def _function(source: str) -> Callable[..., list[Any]]:
    """The function that was written here, of literals, indexes and our own names. Many shapes differ in constants."""
    made: Callable[..., list[Any]] = eval(source, {})  # noqa: S307 - as it says
    return made


def _indent_below(line: str) -> str:
    """How deep a block stands that begins after `line`: two deeper than its key, or than the dash of its item."""
    ahead = len(_indent(line)[0])  # type: ignore[index]  # matches anything
    return " " * (ahead if ahead == len(line) else ahead + 2)


def _carried(service: DesiredService, files: ServerFiles) -> list[str]:
    """The texts of a service that are carried, in the order in which `_marked` numbers them."""
    registry, _, digest = service.image.rpartition("@")
    variables = [value for value in service.variables.values() if type(value) is str]
    return [
        service.name,
        service.group,
        service.manifest,
        registry,
        digest,
        *files,
        *service.models,
        *service.labels.values(),
        *service.annotations.values(),
        *variables,
    ]


def _marked(service: DesiredService) -> tuple[DesiredService, ServerFiles]:
    """The service and its files, with marks in the place of the texts that are carried."""
    marks = _numbered()
    name, group, manifest, registry, digest = (next(marks) for _ in range(5))
    files = ServerFiles(next(marks), next(marks), next(marks))
    marked = replace(
        service,
        name=name,
        group=group,
        path=_UNSEEN,
        manifest=manifest,
        image=f"{registry}@{digest}",
        models=tuple(next(marks) for _ in service.models),
        labels={key: next(marks) for key in service.labels},
        annotations={key: next(marks) for key in service.annotations},
        variables={
            key: value if isinstance(value, SecretKey) else next(marks) for key, value in service.variables.items()
        },
        queue=cast("int", _UNSEEN),
    )
    return marked, files


def _numbered() -> Iterator[str]:
    number = 0
    while True:
        yield f"{_MARK}{number}{_END}"
        number += 1


def _joined(text: str) -> str:
    """Python for a text with marks, of the list `v` of what is carried."""
    parts = _marks(text)
    named = [f"v[{part}]" if at % 2 else repr(part) for at, part in enumerate(parts)]
    return " + ".join(part for part in named if part != "''")


class _Gaps(Scalars):
    """Writes texts with marks as gaps, by the number of the text."""

    def __init__(self) -> None:
        self.number_of: dict[str, int] = {}

    def __missing__(self, text: str) -> str:
        if _NONCE not in text:
            return SCALARS[text]
        if _UNSEEN in text:
            raise ValueError("something is used that is not carried")
        number = self.number_of[text] = len(self.number_of)
        written = self[text] = f"{_GAP}{number}{_END}"
        return written


class _Parts:
    """Python that makes objects anew of the texts `t` and the constants `k`, which all services of a shape share."""

    def __init__(self, gaps: _Gaps) -> None:
        self.constants: list[Any] = []
        self._gaps = gaps
        self._named: dict[int, str] = {}

    def source(self, value: Any) -> str:  # noqa: ANN401 - plain data
        """An expression for `value`; what is there twice as one object, as the labels of a service are, stays one."""
        return self._source(value) or self._constant(value)

    def _source(self, value: Any) -> str:  # noqa: ANN401 - as above
        """As `source`; empty for what holds no text that is carried."""
        if type(value) is str:
            return f"t[{self._gaps.number_of[value]}]" if _NONCE in value else ""
        if not isinstance(value, dict | list):
            return ""
        if id(value) in self._named:
            return self._named[id(value)]
        items: Sequence[Any] = list(value.values()) if isinstance(value, dict) else value
        sources = [self._source(item) for item in items]
        if not any(sources):
            return ""
        made = [source or self._constant(item) for source, item in zip(sources, items, strict=True)]
        name = self._named[id(value)] = f"o{len(self._named)}"
        if isinstance(value, list):
            return f"({name} := [{', '.join(made)}])"
        return f"({name} := {{{', '.join(f'{key!r}: {item}' for key, item in zip(value, made, strict=True))}}})"

    def _constant(self, value: Any) -> str:  # noqa: ANN401 - as above
        self.constants.append(value)
        return f"k[{len(self.constants) - 1}]"
