"""Python packages as they were installed in, the same without what only their developers need out.

For the front's own packages alone, which nobody installs over or debugs: uvloop is 14 MB with the tables of a debugger,
2 MB without. What users depend on stays as it is to the byte.
"""

import os
import struct
from pathlib import Path

_SOURCES = (".pyx", ".pxd", ".pxi", ".c", ".h", ".pyi")
_MAGIC = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")


def slim(folder: Path) -> None:
    """Remove sources of compiled modules, lists of installed files, and debugging tables below `folder`.

    Files are replaced, never written: they may share their bytes with an installer's cache.
    """
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        if path.suffix in _SOURCES or (path.name == "RECORD" and path.parent.suffix == ".dist-info"):
            path.unlink()
        elif path.suffix == ".so":
            _replace(path, loadable(path.read_bytes()))


def loadable(binary: bytes) -> bytes:
    """An ELF file up to the end of its last segment: all that the loader reads. Anything else comes back as it is.

    Section headers, symbol tables and debugging information lie behind it. Source: System V ABI, "Program Loading".
    """
    if binary[: len(_MAGIC)] != _MAGIC or len(binary) < _HEADER.size:
        return binary
    header = list(_HEADER.unpack_from(binary))
    start, size, count = header[5], header[9], header[10]
    if size != _SEGMENT.size or not count or start + size * count > len(binary):
        return binary
    segments = [_SEGMENT.unpack_from(binary, start + number * size) for number in range(count)]
    end = max(start + size * count, *(offset + file_bytes for _, _, offset, _, _, file_bytes, *_ in segments))
    if end > len(binary):
        return binary
    header[6] = header[12] = header[13] = 0  # no section headers are left to find
    return _HEADER.pack(*header) + binary[_HEADER.size : end]


def _replace(path: Path, data: bytes) -> None:
    other = path.with_name(path.name + ".new")
    other.write_bytes(data)
    other.chmod(path.stat().st_mode & 0o777)
    os.replace(other, path)  # noqa: PTH105 - as above
