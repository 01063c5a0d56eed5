"""Layers that others made, read as a stream: members of a tar come out, and what the whole unpacks to.

Nothing is written, and nothing in a layer is trusted: paths, headers, counts and sizes are bounded.
Source: POSIX.1-2017, pax; GNU tar, "Basic Tar Format".
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.tar import BLOCK, READ_BYTES
from mmgit.lock import Layer

UNPACKED_LIMIT_BYTES = 64 * 2**30
MEMBERS_LIMIT = 1_000_000
_HEADER_LIMIT_BYTES = 2**20
_NAMES_LIMIT_BYTES = 256 * 2**20
_PATH_LIMIT, _DEPTH_LIMIT = 4096, 200
_ZSTD_WINDOW_BYTES = 128 * 2**20
_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL, _SPARSE = b"L", b"K", b"x", b"g", b"S"
_FILES = frozenset({b"0", b"\0", b"7"})
_KINDS = {b"1": "copy", b"2": "link", b"5": "folder"}


@dataclass(frozen=True)
class Member:
    """One member: `kind` is file, copy (a hard link), link, folder or other."""

    path: str
    kind: str
    mode: int
    size_bytes: int
    target: str = ""


class Refused(Exception):  # noqa: N818 - an answer: what in a layer is not accepted, in words
    """What in a layer is not accepted, in words."""


class Unpacked:
    """The members of a layer that lies at `path`, one after another; `read` gives the bytes of the last one.

    Raises:
        BuildError: it is no sound layer, or does not unpack to what `layer` says.
    """

    def __init__(self, path: Path, layer: Layer) -> None:
        self._path, self._layer = path, layer
        self._stream: _Stream
        self._left = self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        try:
            with self._path.open("rb") as file:
                self._stream = _Stream(_decompressed(file, self._layer.media_type))
                yield from self._members()
                self._stream.drain()
        except (Refused, OSError, EOFError, ValueError, zlib.error) as error:
            raise BuildError(f"layer {self._layer.digest} is not sound: {error}") from error
        if self._stream.digest != self._layer.diff_id:
            raise BuildError(
                f"layer {self._layer.digest} unpacks to {self._stream.digest}, not to {self._layer.diff_id} as is said",
                "do not use this image until you know why",
            )

    def read(self) -> bytes:
        """The bytes of the member that came last."""
        data = self._stream.exactly(self._left)
        self._left = 0
        return data

    def _members(self) -> Iterator[Member]:
        names: dict[str, str] = {}
        names_bytes = 0
        for _ in range(MEMBERS_LIMIT):
            self._stream.skip(self._left + self._padding)
            self._left = self._padding = 0
            header = self._stream.exactly(BLOCK)
            if not header.strip(b"\0"):
                return
            kind, size = header[156:157], _number(header[124:136])
            _check_sum(header)
            if kind in {_PAX, _LONG_NAME, _LONG_LINK, _PAX_OF_ALL}:
                more = self._more(kind, size)
                names |= more
                continue
            size = _count(names["size"]) if "size" in names else size
            if kind == _SPARSE or any(name.startswith("GNU.sparse") for name in names):
                raise Refused("it holds a sparse file")
            self._left = size if kind in _FILES else 0
            self._padding = -self._left % BLOCK
            member = _member(header, kind, self._left, names)
            names, names_bytes = {}, names_bytes + len(member.path) + len(member.target)
            if names_bytes > _NAMES_LIMIT_BYTES:
                break
            yield member
        raise Refused(f"it holds more than {MEMBERS_LIMIT} members, or longer names than any image")

    def _more(self, kind: bytes, size: int) -> dict[str, str]:
        """What a header says about the member that follows."""
        if size > _HEADER_LIMIT_BYTES:
            raise Refused(f"a header has {size} bytes")
        data = self._stream.exactly(size)
        self._padding = -size % BLOCK
        if kind == _PAX_OF_ALL:
            return {}
        if kind in {_LONG_NAME, _LONG_LINK}:
            return {"path" if kind == _LONG_NAME else "linkpath": data.rstrip(b"\0").decode(errors="surrogateescape")}
        return dict(_records(data))


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _Stream:
    """Unpacked bytes, hashed and counted as they are read."""

    def __init__(self, source: _Readable) -> None:
        self._source = source
        self._sha256 = hashlib.sha256()
        self._size_bytes = 0

    @property
    def digest(self) -> str:
        """Of what was read so far."""
        return f"sha256:{self._sha256.hexdigest()}"

    def exactly(self, size: int) -> bytes:
        """So many bytes, no fewer."""
        parts = []
        while size:
            block = self._block(min(size, READ_BYTES))
            if not block:
                raise Refused("it ends early")
            parts.append(block)
            size -= len(block)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Go on behind so many bytes."""
        while size:
            block = self._block(min(size, READ_BYTES))
            if not block:
                raise Refused("it ends early")
            size -= len(block)

    def drain(self) -> None:
        """Go on to the end."""
        while self._block(READ_BYTES):
            pass

    def _block(self, size: int) -> bytes:
        block = self._source.read(size)
        self._sha256.update(block)
        self._size_bytes += len(block)
        if self._size_bytes > UNPACKED_LIMIT_BYTES:
            raise Refused(f"it unpacks to more than {UNPACKED_LIMIT_BYTES} bytes")
        return block


def plain_path(name: str) -> str:
    """A path relative to the root, "" for the root itself. Raises `Refused` if it could lead out."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in name or len(name) > _PATH_LIMIT or len(parts) > _DEPTH_LIMIT:
        raise Refused(f"{name[:200]!r} is an unsafe path")
    return "/".join(parts)


def _decompressed(file: IO[bytes], media_type: str) -> _Readable:
    if media_type.endswith("+gzip"):
        return gzip.GzipFile(fileobj=file, mode="rb")
    if media_type.endswith("+zstd"):
        return _unzstd(file)
    return file


def _unzstd(file: IO[bytes]) -> _Readable:
    import zstandard  # noqa: PLC0415 - few layers are packed like that

    class Reader:
        def __init__(self) -> None:
            unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
            self._source = unpacker.stream_reader(file, read_across_frames=True)

        def read(self, size: int = -1, /) -> bytes:
            try:
                return self._source.read(size)
            except zstandard.ZstdError as error:
                raise Refused(str(error)) from error

    return Reader()


def _member(header: bytes, kind: bytes, size: int, names: dict[str, str]) -> Member:
    name, target = _text(header[:100]), _text(header[157:257])
    if header[257:262] == b"ustar" and header[262:263] == b"\0" and (above := _text(header[345:500])):
        name = f"{above}/{name}"
    what = "file" if kind in _FILES else _KINDS.get(kind, "other")
    target = names.get("linkpath", target)
    if len(target) > _PATH_LIMIT:
        raise Refused("a link leads to a path that is too long")
    return Member(
        plain_path(names.get("path", name)),
        what,
        _number(header[100:108]),
        size,
        plain_path(target) if what == "copy" else target,
    )


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="surrogateescape")


def _number(field: bytes) -> int:
    """Octal digits, or GNU's form for large numbers."""
    if field[0] & 0x80:
        number = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    else:
        digits = field.strip(b" \0")
        if digits and re.fullmatch(rb"[0-7]+", digits) is None:
            raise Refused("a header holds no number where one should be")
        number = int(digits or b"0", 8)
    return _within(number)


def _count(digits: str) -> int:
    if re.fullmatch("[0-9]{1,20}", digits) is None:
        raise Refused("a header holds no number where one should be")
    return _within(int(digits))


def _within(number: int) -> int:
    if number > UNPACKED_LIMIT_BYTES:
        raise Refused("a header holds a number that is too large")
    return number


def _check_sum(header: bytes) -> None:
    if sum(header[:148]) + 8 * ord(" ") + sum(header[156:]) != _number(header[148:156]):
        raise Refused("a header is damaged")


def _records(data: bytes) -> Iterator[tuple[str, str]]:
    """`<length> key=value` and a line feed, of those keys that count here."""
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        length = data[at:space]
        if space < 0 or not length.isdigit() or not space - at < int(length) <= len(data) - at:
            raise Refused("a header holds a broken record")
        key, _, value = data[space + 1 : at + int(length) - 1].partition(b"=")
        if key in {b"path", b"linkpath", b"size"} or key.startswith(b"GNU.sparse"):
            yield key.decode(), value.decode(errors="surrogateescape")
        at += int(length)
