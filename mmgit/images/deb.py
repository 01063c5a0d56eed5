"""Debian packages: a `.deb` comes in, the entries of its `data.tar` go out. No maintainer script is ever read.

The archive signed the bytes, yet nothing in them is trusted: paths, types and sizes are bounded.
Source: deb(5); ar(5).
"""

import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator

from mmgit.errors import BuildError
from mmgit.images.tar import Entry, file, folder, link

UNPACKED_LIMIT_BYTES = 512 * 2**20
ENTRIES_LIMIT = 50_000
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60
_LZMA_MEMORY_BYTES = 256 * 2**20


def entries(deb: bytes, name: str) -> list[Entry]:
    """The files, folders and links of a package, with paths as in the package and hard links as copies.

    Raises:
        BuildError: `name` is no sound package.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_data(deb)), mode="r:") as archive:
            return list(_entries(archive))
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, ValueError, _RefusedError) as error:
        raise BuildError(f"{name} is not a sound Debian package: {error}") from error


class _RefusedError(Exception):
    """What in a package is not accepted, in words."""


def _data(deb: bytes) -> bytes:
    """The unpacked `data.tar`."""
    for name, body in _members(deb):
        if name.startswith("data.tar"):
            return _decompressed(name.removeprefix("data.tar"), body)
    raise _RefusedError("it has no data.tar")


def _members(deb: bytes) -> Iterator[tuple[str, bytes]]:
    if not deb.startswith(_AR_MAGIC):
        raise _RefusedError("it is not an ar archive")
    at = len(_AR_MAGIC)
    while at + _AR_HEADER_BYTES <= len(deb):
        header = deb[at : at + _AR_HEADER_BYTES]
        size = header[48:58].decode("ascii").strip()
        if header[58:] != b"`\n" or not size.isdecimal():
            raise _RefusedError("it has a broken ar header")
        at += _AR_HEADER_BYTES
        body = deb[at : at + int(size)]
        if len(body) != int(size):
            raise _RefusedError("it ends early")
        yield header[:16].decode("ascii").rstrip(" /"), body
        at += len(body) + len(body) % 2


def _decompressed(suffix: str, body: bytes) -> bytes:
    decompress = _DECOMPRESSORS.get(suffix)
    if decompress is None:
        raise _RefusedError(f"its data.tar{suffix} is compressed in a way that mmgit does not know")
    data = decompress(body, UNPACKED_LIMIT_BYTES + 1)
    if len(data) > UNPACKED_LIMIT_BYTES:
        raise _RefusedError(f"it unpacks to more than {UNPACKED_LIMIT_BYTES} bytes")
    return data


def _xz(body: bytes, limit_bytes: int) -> bytes:
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY_BYTES).decompress(body, limit_bytes)


def _gzip(body: bytes, limit_bytes: int) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(body, limit_bytes)


def _zstd(body: bytes, limit_bytes: int) -> bytes:
    import zstandard  # noqa: PLC0415 - Debian itself does not use it

    try:
        return zstandard.ZstdDecompressor().stream_reader(body).read(limit_bytes)
    except zstandard.ZstdError as error:
        raise _RefusedError(str(error)) from error


_DECOMPRESSORS: dict[str, Callable[[bytes, int], bytes]] = {
    "": lambda body, _: body,
    ".xz": _xz,
    ".gz": _gzip,
    ".zst": _zstd,
}


def _entries(archive: tarfile.TarFile) -> Iterator[Entry]:
    bodies: dict[str, bytes] = {}
    size_bytes = 0
    for count, member in enumerate(archive):
        path = _relative(member.name)
        if member.isdir():
            if path:
                yield folder(path)
        elif member.issym():
            yield link(path, member.linkname)
        elif member.isreg() or member.islnk():
            bodies[path] = _body(archive, member, bodies)
            size_bytes += len(bodies[path])
            yield file(path, bodies[path], is_executable=bool(member.mode & 0o100))
        else:
            raise _RefusedError(f"{member.name!r} is neither file, folder nor link")
        if count >= ENTRIES_LIMIT or size_bytes > UNPACKED_LIMIT_BYTES:
            raise _RefusedError(f"it holds more than {ENTRIES_LIMIT} entries or {UNPACKED_LIMIT_BYTES} bytes")


def _body(archive: tarfile.TarFile, member: tarfile.TarInfo, bodies: dict[str, bytes]) -> bytes:
    if member.islnk():
        source = _relative(member.linkname)
        if source not in bodies:
            raise _RefusedError(f"{member.name!r} is a hard link to {member.linkname!r}, which is not there")
        return bodies[source]
    reader = archive.extractfile(member)
    if reader is None or member.sparse is not None:
        raise _RefusedError(f"{member.name!r} is no plain file")
    return reader.read()


def _relative(name: str) -> str:
    path = name.removeprefix("./").rstrip("/")
    if path in {"", "."}:
        return ""
    if path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/")):
        raise _RefusedError(f"{name!r} is an unsafe path")
    return path
