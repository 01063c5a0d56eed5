"""Which shared libraries a binary asks the loader for. Nothing of it runs; what is no sound ELF file asks for nothing.

Source: System V ABI, "Object Files" and "Program Loading and Dynamic Linking"; 64 bits, little endian.
"""

import struct
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_LOAD, _DYNAMIC_SEGMENT = 1, 2
_NEEDED, _STRINGS = 1, 5
_MAGIC = b"\x7fELF\x02\x01"
_NAME_LIMIT_BYTES = 256


def missing_libraries(folder: Path, provided: Iterable[str]) -> dict[str, str]:
    """Library -> one of the files below `folder` that needs it, for those that neither `folder` nor `provided` has.

    `provided` are file names. The loader's own search is not repeated: a name that is there counts as found.
    """
    files = [path for path in sorted(folder.rglob("*.so*")) if path.is_file() and not path.is_symlink()]
    found = {*provided, *(path.name for path in files)}
    needed = ((name, path) for path in files for name in _needed_by(path))
    return {name: str(path.relative_to(folder)) for name, path in needed if name not in found}


def needed_libraries(binary: bytes | mmap) -> list[str]:
    """The names of the libraries that the binary was linked against."""
    try:
        return list(_needed(binary)) if binary[: len(_MAGIC)] == _MAGIC else []
    except (struct.error, ValueError, OverflowError):
        return []


def _needed_by(path: Path) -> list[str]:
    if path.stat().st_size == 0:
        return []
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as binary:
        return needed_libraries(binary)


def _needed(binary: bytes | mmap) -> Iterator[str]:
    header = _HEADER.unpack_from(binary)
    start, size, count = header[5], header[9], header[10]
    segments = [_SEGMENT.unpack_from(binary, start + number * size) for number in range(count)]
    entries = [entry for segment in segments if segment[0] == _DYNAMIC_SEGMENT for entry in _entries(binary, segment)]
    strings = next((value for tag, value in entries if tag == _STRINGS), 0)
    for kind, _, offset, address, _, length, *_ in segments:
        if kind == _LOAD and address <= strings < address + length:
            names = strings - address + offset
            yield from (_name(binary, names + value) for tag, value in entries if tag == _NEEDED)


def _entries(binary: bytes | mmap, segment: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    for at in range(segment[2], min(segment[2] + segment[5], len(binary)), _DYNAMIC.size):
        tag, value = _DYNAMIC.unpack_from(binary, at)
        if tag == 0:
            return
        yield tag, value


def _name(binary: bytes | mmap, at: int) -> str:
    name, end, _ = binary[at : at + _NAME_LIMIT_BYTES].partition(b"\0")
    if not end:
        raise ValueError("a name without end")
    return name.decode("ascii")
