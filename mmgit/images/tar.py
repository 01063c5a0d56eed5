"""Layers as deterministic tar streams: sorted, no times, owner 0, parents included.

`Entry` values come in, bytes go out. A path that could leave the root of the image is refused.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Literal

from mmgit.errors import BuildError
from mmgit.frozen import dataclass

BLOCK = 512
READ_BYTES = 2**20
_JOINED_BYTES = 2**18
"""Small files are hashed, compressed and written together."""
WHITEOUT = ".wh."
_UNSAFE = re.compile(rf"(?:\A|/)(?:\.{{0,2}}(?:/|\Z)|{re.escape(WHITEOUT)})|\0")
"""An empty part, `.`, `..`, or one that removes what lies below it."""
_TYPES = {"file": b"0", "link": b"2", "folder": b"5", "gone": b"0"}
_NAME_LIMIT = 100
_OCTAL_SIZE_LIMIT = 8**11
OWNER_LIMIT = 8**7
ROOT = (0, 0)

Blocks = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Entry:
    """One member of a layer. Its path is relative to `/`; the blocks of a file add up to `size_bytes`.

    What is `gone` lies in a layer below, and is in the image no more.
    """

    path: str
    kind: Literal["file", "folder", "link", "gone"]
    mode: int
    size_bytes: int = 0
    blocks: Blocks = tuple
    target: str = ""
    owner: tuple[int, int] = ROOT
    """User and group, below `OWNER_LIMIT`."""


def folder(path: str, mode: int = 0o755) -> Entry:
    """A folder."""
    return Entry(path, "folder", mode)


def link(path: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(path, "link", 0o777, target=target)


def stream(path: str, size_bytes: int, blocks: Blocks, *, is_executable: bool = False) -> Entry:
    """A file whose bytes are read when the layer is written."""
    return Entry(path, "file", 0o755 if is_executable else 0o644, size_bytes, blocks)


def file(path: str, data: bytes, *, is_executable: bool = False) -> Entry:
    """A file whose bytes are here."""
    return stream(path, len(data), lambda: (data,), is_executable=is_executable)


def blocks_of(source: IO[bytes]) -> Iterator[bytes]:
    """The bytes of an open file, a megabyte at a time; closes it."""
    with source:
        while block := source.read(READ_BYTES):
            yield block


def tar(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The archive of `entries` in large blocks, in the order of their paths whatever the order given.

    Raises:
        BuildError: a path is unsafe, comes twice, or lies below something that is no folder.
    """
    waiting: list[bytes] = []
    size_bytes = 0
    for piece in _pieces(ordered(entries)):
        waiting.append(piece)
        size_bytes += len(piece)
        if size_bytes >= _JOINED_BYTES:
            yield b"".join(waiting)
            waiting.clear()
            size_bytes = 0
    yield b"".join(waiting)


def _pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    for entry in entries:
        yield _header(entry)
        if entry.kind == "file":
            yield from _checked(entry)
            yield bytes(-entry.size_bytes % BLOCK)
    yield bytes(2 * BLOCK)


def ordered(entries: Iterable[Entry]) -> list[Entry]:
    """The entries and the folders above them, folders before what they hold."""
    found: dict[str, Entry] = {}
    for entry in entries:
        _check_path(entry.path)
        if entry.path in found:
            raise BuildError(f"two files of one layer have the path {entry.path!r}")
        found[entry.path] = entry
    seen = {""}
    for lowest in list(found):
        path = lowest
        while (path := path.rpartition("/")[0]) not in seen:
            above = found.setdefault(path, folder(path))
            if above.kind != "folder":
                raise BuildError(f"{lowest!r} lies below {path!r}, which is a {above.kind}")
            seen.add(path)
    return [found[path] for path in sorted(found, key=lambda path: path.split("/"))]


def _check_path(path: str) -> None:
    if _UNSAFE.search(path) or not path.isprintable():
        raise BuildError(f"unsafe path in a layer: {path!r}")


def _checked(entry: Entry) -> Iterator[bytes]:
    seen = 0
    for block in entry.blocks():
        seen += len(block)
        if seen > entry.size_bytes:
            break
        yield block
    if seen != entry.size_bytes:
        raise BuildError(f"{entry.path!r} has other than its {entry.size_bytes} bytes")


def _header(entry: Entry) -> bytes:
    """A ustar header, behind a PAX one where a name is long or a file is 8 GiB or more.

    Source: POSIX.1-2017, pax, "ustar Interchange Format"; OCI image-spec v1.1, layer.md, "Whiteouts".
    """
    name = _name(entry).encode()
    target = entry.target.encode()
    records = b""
    if len(name) > _NAME_LIMIT:
        records += _record(b"path", name)
    if len(target) > _NAME_LIMIT:
        records += _record(b"linkpath", target)
    if entry.size_bytes >= _OCTAL_SIZE_LIMIT:
        records += _record(b"size", b"%d" % entry.size_bytes)
    size_bytes = entry.size_bytes % _OCTAL_SIZE_LIMIT
    header = _block(name, _TYPES[entry.kind], entry.mode, size_bytes, target=target, owner=entry.owner)
    if not records:
        return header
    return _block(b"././@PaxHeader", b"x", 0o644, len(records)) + records + bytes(-len(records) % BLOCK) + header


def _name(entry: Entry) -> str:
    if entry.kind == "gone":
        above, slash, name = entry.path.rpartition("/")
        return f"{above}{slash}{WHITEOUT}{name}"
    return f"{entry.path}/" if entry.kind == "folder" else entry.path


def _block(  # noqa: PLR0913 - the fields of a header
    name: bytes, kind: bytes, mode: int, size_bytes: int, *, target: bytes = b"", owner: tuple[int, int] = ROOT
) -> bytes:
    time, blank_checksum = b"%011o\0" % 0, b" " * 8
    numbers = b"%07o\0%07o\0%07o\0%011o\0" % (mode, *owner, size_bytes)
    head = name[:_NAME_LIMIT].ljust(_NAME_LIMIT, b"\0") + numbers + time
    tail = kind + target[:_NAME_LIMIT].ljust(_NAME_LIMIT, b"\0") + b"ustar\x0000"
    checksum = b"%06o\0 " % sum(head + blank_checksum + tail)
    return (head + checksum + tail).ljust(BLOCK, b"\0")


def _record(key: bytes, value: bytes) -> bytes:
    """`<length> key=value` and a line feed; the length counts its own digits."""
    rest = len(b" =\n") + len(key) + len(value)
    length = rest
    while length != rest + len(str(length)):
        length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)
