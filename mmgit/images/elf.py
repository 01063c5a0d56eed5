"""What a binary asks the loader for: libraries, and versions of their symbols. Nothing of it runs.

What is no sound ELF file asks for nothing. Source: System V ABI, "Object Files" and "Program Loading and Dynamic
Linking"; Linux Standard Base 5, "Symbol Versioning"; 64 bits, little endian.
"""

import struct
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from mmgit.frozen import dataclass

if TYPE_CHECKING:
    from mmap import mmap

MAGIC = b"\x7fELF\x02\x01"
LIBRARY = ".so"
"""What names of libraries have in them."""
MACHINES = {"linux/amd64": 62, "linux/arm64": 183}
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_NEED, _NEED_NAME = struct.Struct("<HHIII"), struct.Struct("<IHHII")
_DEFINITION, _DEFINITION_NAME = struct.Struct("<HHHHIII"), struct.Struct("<II")
_LOAD, _DYNAMIC_SEGMENT = 1, 2
_NEEDED, _STRINGS = 1, 5
_DEFINED, _NEEDED_VERSIONS = 0x6FFFFFFC, 0x6FFFFFFE
_BASE, _WEAK = 1, 2
_NAME_LIMIT_BYTES = 256
_VERSIONS_LIMIT = 1_000


@dataclass(frozen=True)
class Asked:
    """What a binary asks for: names of libraries, and (library, version) pairs."""

    libraries: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


def asked_by(binary: "bytes | mmap", platform: str = "") -> Asked:
    """What the binary asks the loader for; nothing if it is for another machine than that of `platform`."""
    try:
        found = _Binary(binary) if binary[: len(MAGIC)] == MAGIC else None
        if found is None or found.machine != MACHINES.get(platform, found.machine):
            return Asked()
        return Asked(tuple(found.needed()), tuple(found.needed_versions()))
    except (struct.error, ValueError, OverflowError):
        return Asked()


def defined_versions(binary: bytes) -> frozenset[str]:
    """The versions of symbols that a library has, like GLIBC_2.36."""
    try:
        return frozenset(_Binary(binary).defined_versions()) if binary[: len(MAGIC)] == MAGIC else frozenset()
    except (struct.error, ValueError, OverflowError):
        return frozenset()


class _Binary:
    """The dynamic section of a binary. What is broken raises `struct.error`, `ValueError` or `OverflowError`."""

    def __init__(self, binary: "bytes | mmap") -> None:
        self._binary = binary
        header = _HEADER.unpack_from(binary)
        self.machine = header[2]
        start, size, count = header[5], header[9], header[10]
        self._segments: list[tuple[int, ...]] = [
            _SEGMENT.unpack_from(binary, start + number * size) for number in range(count)
        ]

    def needed(self) -> Iterator[str]:
        """The names of the libraries that it was linked against."""
        return (self._name(value) for tag, value in self._entries if tag == _NEEDED)

    def needed_versions(self) -> Iterator[tuple[str, str]]:
        """Libraries, each with a version of its symbols that the loader insists on."""
        for at in self._chain(_NEEDED_VERSIONS, _NEED):
            _, count, library, names, _ = _NEED.unpack_from(self._binary, at)
            place = at + names
            for _ in range(min(count, _VERSIONS_LIMIT)):
                _, flags, _, name, after = _NEED_NAME.unpack_from(self._binary, place)
                if not flags & _WEAK:
                    yield self._name(library), self._name(name)
                place += after

    def defined_versions(self) -> Iterator[str]:
        """The versions of its own symbols."""
        for at in self._chain(_DEFINED, _DEFINITION):
            _, flags, _, _, _, names, _ = _DEFINITION.unpack_from(self._binary, at)
            if not flags & _BASE:
                yield self._name(_DEFINITION_NAME.unpack_from(self._binary, at + names)[0])

    def _chain(self, tag: int, form: struct.Struct) -> Iterator[int]:
        """Where the records of a table are, each of which says in its last field how far the next one is."""
        place = next((value for found, value in self._entries if found == tag), None)
        if place is None:
            return
        at = self._offset(place)
        for _ in range(_VERSIONS_LIMIT):
            yield at
            after = form.unpack_from(self._binary, at)[-1]
            if after == 0:
                return
            at += after

    @cached_property
    def _entries(self) -> list[tuple[int, int]]:
        return [
            entry for segment in self._segments if segment[0] == _DYNAMIC_SEGMENT for entry in self._dynamic(segment)
        ]

    def _dynamic(self, segment: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        for at in range(segment[2], min(segment[2] + segment[5], len(self._binary)), _DYNAMIC.size):
            tag, value = _DYNAMIC.unpack_from(self._binary, at)
            if tag == 0:
                return
            yield tag, value

    @cached_property
    def _strings(self) -> int:
        return self._offset(next((value for tag, value in self._entries if tag == _STRINGS), 0))

    def _offset(self, address: int) -> int:
        """Where in the file something lies that is at `address` in memory."""
        for kind, _, offset, begin, _, length, *_ in self._segments:
            if kind == _LOAD and begin <= address < begin + length:
                return address - begin + offset
        raise ValueError("an address that is not loaded")

    def _name(self, at: int) -> str:
        at += self._strings
        name, end, _ = self._binary[at : at + _NAME_LIMIT_BYTES].partition(b"\0")
        if not end:
            raise ValueError("a name without end")
        return name.decode("ascii")
