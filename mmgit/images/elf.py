"""What a binary asks the loader for: libraries, and versions of their symbols. Nothing of it runs.

What is no sound ELF file asks for nothing. Source: System V ABI, "Object Files" and "Program Loading and Dynamic
Linking"; Linux Standard Base 5, "Symbol Versioning"; of 32 or 64 bits, in either byte order.
"""

import struct
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from mmgit.frozen import dataclass
from mmgit.platforms import PLATFORMS

if TYPE_CHECKING:
    from mmap import mmap

MAGIC = b"\x7fELF"
LIBRARY = ".so"
"""What names of libraries have in them."""
_ORDERS = {1: "<", 2: ">"}
_NARROW, _WIDE = ("16sHHIIIIIHHHHHH", "IIIIIIII", "iI"), ("16sHHIQQQIHHHHHH", "IIQQQQQQ", "qQ")
"""Header, segment and entry of the dynamic section in 32 and in 64 bits."""
_LOAD, _DYNAMIC_SEGMENT = 1, 2
_NEEDED, _STRINGS = 1, 5
_DEFINED, _NEEDED_VERSIONS = 0x6FFFFFFC, 0x6FFFFFFE
_BASE, _WEAK = 1, 2
_WIDE_CLASS = 2
_NAME_LIMIT_BYTES = 256
_VERSIONS_LIMIT = 1_000


@dataclass(frozen=True)
class Asked:
    """What a binary asks for: names of libraries, and (library, version) pairs."""

    libraries: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


def start_of(platform: str) -> bytes:
    """What the binaries of a platform begin with: they are as wide as its processor, and in its byte order."""
    return MAGIC + bytes(PLATFORMS[platform].elf[:2])


def asked_by(binary: "bytes | mmap", platform: str) -> Asked:
    """What the binary asks the loader for; nothing if it is for another machine than that of `platform`."""
    start = start_of(platform)
    try:
        found = _Binary(binary) if binary[: len(start)] == start else None
        if found is None or found.machine != PLATFORMS[platform].elf[2]:
            return Asked()
        return Asked(tuple(found.needed()), tuple(found.needed_versions()))
    except (struct.error, ValueError, OverflowError):
        return Asked()


def defined_versions(binary: bytes, platform: str) -> frozenset[str]:
    """The versions of symbols that a library has, like GLIBC_2.36."""
    start = start_of(platform)
    try:
        return frozenset(_Binary(binary).defined_versions()) if binary[: len(start)] == start else frozenset()
    except (struct.error, ValueError, OverflowError):
        return frozenset()


class _Binary:
    """The dynamic section of a binary. What is broken raises `struct.error`, `ValueError` or `OverflowError`."""

    def __init__(self, binary: "bytes | mmap") -> None:
        self._binary = binary
        order, is_wide = _ORDERS[binary[5]], binary[4] == _WIDE_CLASS
        head, segment, dynamic = (struct.Struct(order + form) for form in (_WIDE if is_wide else _NARROW))
        self._dynamic_form = dynamic
        self._need, self._need_name = struct.Struct(f"{order}HHIII"), struct.Struct(f"{order}IHHII")
        self._definition, self._definition_name = struct.Struct(f"{order}HHHHIII"), struct.Struct(f"{order}II")
        header = head.unpack_from(binary)
        self.machine = header[2]
        start, size, count = header[5], header[9], header[10]
        found = [segment.unpack_from(binary, start + number * size) for number in range(count)]
        self._segments: list[tuple[int, ...]] = found if is_wide else [_widened(each) for each in found]

    def needed(self) -> Iterator[str]:
        """The names of the libraries that it was linked against."""
        return (self._name(value) for tag, value in self._entries if tag == _NEEDED)

    def needed_versions(self) -> Iterator[tuple[str, str]]:
        """Libraries, each with a version of its symbols that the loader insists on."""
        for at in self._chain(_NEEDED_VERSIONS, self._need):
            _, count, library, names, _ = self._need.unpack_from(self._binary, at)
            place = at + names
            for _ in range(min(count, _VERSIONS_LIMIT)):
                _, flags, _, name, after = self._need_name.unpack_from(self._binary, place)
                if not flags & _WEAK:
                    yield self._name(library), self._name(name)
                place += after

    def defined_versions(self) -> Iterator[str]:
        """The versions of its own symbols."""
        for at in self._chain(_DEFINED, self._definition):
            _, flags, _, _, _, names, _ = self._definition.unpack_from(self._binary, at)
            if not flags & _BASE:
                yield self._name(self._definition_name.unpack_from(self._binary, at + names)[0])

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
        for at in range(segment[2], min(segment[2] + segment[5], len(self._binary)), self._dynamic_form.size):
            tag, value = self._dynamic_form.unpack_from(self._binary, at)
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


def _widened(segment: tuple[int, ...]) -> tuple[int, ...]:
    """A segment of 32 bits in the order of those of 64, whose flags come second."""
    kind, offset, address, physical, size, memory, flags, align = segment
    return kind, flags, offset, address, physical, size, memory, align
