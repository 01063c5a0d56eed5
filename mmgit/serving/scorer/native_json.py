"""Bytes in, a JSON value out, and back, by an orjson of our own; or `UNSURE`, and the standard library has to tell.

orjson lies in a folder that is on no path, and is loaded under a name of ours: it neither hides the user's nor is
it. It takes the last of two equal names, makes floats of whole numbers over 64 bits and writes NaN as null: such
documents are left to `strict_json` and `results`, and so is every error, so that verdicts and values are always theirs.
"""

from __future__ import annotations

import importlib.util
import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

UNSURE = object()
"""Stands for a value that orjson may not be believed on."""

_MODULE = "_mmgit_scorer.orjson"
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_CONTAINERS = frozenset((dict, list))
_DICT = {dict}


class NativeJson:
    """orjson, once it is loaded."""

    def __init__(self) -> None:
        self._module: ModuleType | None = None
        self._loads: Callable[[bytes], Any] | None = None
        self._dumps: Callable[..., bytes] | None = None
        self._option = 0
        self._fence = os.urandom(16).hex().translate(_LETTERS)
        self._between = f',"{self._fence}",'.encode("ascii")

    def load(self, folder: str) -> str:
        """Take orjson from this folder of packages; why there is none, else an empty text."""
        for suffix in EXTENSION_SUFFIXES:
            file = Path(folder, "orjson", f"orjson{suffix}")
            if file.exists():
                try:
                    module = _loaded(file)
                except ImportError as error:
                    return f"{file.name}: {error}"
                self._module = module  # its functions raise an error that it alone keeps: without it they crash
                passed = module.OPT_PASSTHROUGH_DATACLASS | module.OPT_PASSTHROUGH_DATETIME
                self._option = passed | module.OPT_PASSTHROUGH_SUBCLASS
                self._loads, self._dumps = module.loads, module.dumps
                return ""
        return f"{folder} has none for this interpreter"

    def unload(self) -> None:
        """Let the standard library do everything."""
        self._loads = self._dumps = None

    def value_of(self, body: bytes) -> Any:  # noqa: ANN401 - what JSON can say
        """The value of a document that nests less deep than `strict_json.DEPTH_MAX`, or `UNSURE`.

        Names are never more than colons, and never fewer than what the objects hold: where these are as many as those,
        no name stands twice.
        """
        if self._loads is None or _LONG_NUMBER in body.translate(_DIGITS):
            return UNSURE
        try:
            value = self._loads(body)
        except ValueError:
            return UNSURE
        colons = body.count(b":")
        if type(value) is dict and len(value) == colons:
            return value
        return value if _names_in(value) == colons else UNSURE

    def objects_of(self, bodies: Sequence[bytes]) -> list[dict[str, Any]] | None:
        """The objects that these documents are, read at once; None where one is wrong or holds an object of its own.

        Between two of them stands a fence, a text that nobody else knows. Where every second value is a fence, each
        fence was a value of its own, so what lies between two is one whole document: none reaches into another.
        How deep they nest is for the caller to see.
        """
        if self._loads is None:
            return None
        joined = self._between.join(bodies)
        if _LONG_NUMBER in joined.translate(_DIGITS):
            return None
        try:
            values = self._loads(b"[%b]" % joined)
        except ValueError:
            return None
        if values[1::2] != [self._fence] * (len(bodies) - 1):
            return None
        values = values[::2]
        is_sure = set(map(type, values)) == _DICT and sum(map(len, values)) == joined.count(b":")
        return values if is_sure else None

    def document_of(self, value: Any, plain: Callable[[Any], Any]) -> bytes | None:  # noqa: ANN401
        """The document of a value, unless orjson might write another one; `plain` takes what JSON does not know.

        A null may be NaN, and text beyond ASCII is escaped by the standard library.
        """
        if self._dumps is None:
            return None
        try:
            document = self._dumps(value, plain, self._option)
        except TypeError:
            return None
        return document if document.isascii() and b"null" not in document else None

    def documents_of(self, values: Sequence[Any], plain: Callable[[Any], Any]) -> list[bytes] | None:
        """The documents of several values, written at once; None where `document_of` would not write one of them."""
        fenced: list[Any] = [self._fence] * (2 * len(values) - 1)
        fenced[::2] = values
        document = self.document_of(fenced, plain)
        return None if document is None else document[1:-1].split(self._between)


native_json = NativeJson()
"""Of this process."""


def _loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if spec is None or spec.loader is None:
        raise ImportError("it is not an extension module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _names_in(value: object) -> int:
    """How many names all objects of a value hold."""
    names = 0
    level = [value]
    while level:
        below: list[object] = []
        for item in level:
            inner: Iterable[object] = ()
            if type(item) is dict:
                names += len(item)
                inner = item.values()
            elif type(item) is list:
                inner = item
            if not _CONTAINERS.isdisjoint(map(type, inner)):
                below += [part for part in inner if type(part) in _CONTAINERS]
        level = below
    return names
