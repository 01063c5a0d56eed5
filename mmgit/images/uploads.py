"""How a blob gets into a registry: a small one in one request, a large one in chunks, which go on where they broke off.

Source: OCI distribution-spec v1.1, "Pushing blobs".
"""

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlencode

from mmgit.errors import RegistryError
from mmgit.images.http1 import Response
from mmgit.images.wire import BrokenOffError, body, named, retried, root_of
from mmgit.lock import Blob
from mmgit.progress import Advance

if TYPE_CHECKING:
    from mmgit.images.registry import Registry

LARGE_BYTES = 8 * 2**20
"""A blob of this size or more is sent in chunks."""
CHUNK_BYTES = 64 * 2**20
_BEGINNINGS = 4
"""How often an upload is begun of which a registry lost what it had."""
_ERROR_LIMIT_BYTES = 64 * 2**10
_DIGITS_MAX = 18
_LOST = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})
_UNKNOWN = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
"""To a chunk that begins where the registry says `_LOST` means no more: ghcr.io answers 416 to a first one of more than
4 MiB, and ECR does not know how far an upload is (aws/containers-roadmap#2831)."""
_TYPE = {"Content-Type": "application/octet-stream"}

Given = Path | Callable[[], IO[bytes]]
"""A file, or what opens it."""


class Upload:
    """An upload that `registry` has begun. Every method raises `BrokenOffError`, and `RegistryError` if it refuses."""

    def __init__(self, registry: "Registry") -> None:
        self._registry = registry
        self._target = f"/v2/{registry.name}/blobs/uploads/"
        self._target = self._place(registry.expect(registry.request("POST", self._target), {HTTPStatus.ACCEPTED}))

    def stream(self, source: IO[bytes]) -> None:
        """Send all of `source`, however long it is."""
        self._send(source, _TYPE)

    def chunk(self, source: IO[bytes], begin: int, end: int, *, is_asked_for: bool) -> None:
        """Send the bytes from `begin` to before `end`, which `source` gives; the registry may have said so."""
        range_ = {"Content-Range": f"{begin}-{end - 1}", "Content-Length": str(end - begin)}
        self._send(source, {**_TYPE, **range_}, _UNKNOWN | _LOST if is_asked_for else _UNKNOWN)

    def _send(self, source: IO[bytes], headers: Mapping[str, str], no_chunks: Collection[int] = ()) -> None:
        """Send bytes; an answer that is one of `no_chunks` says that the registry does not take them so."""
        response = self._registry.request("PATCH", self._target, headers, source)
        if response.status in no_chunks:
            body(response, _ERROR_LIMIT_BYTES)
            raise _NoChunksError(f"{self._registry} takes no chunks")
        if response.status in _LOST:
            body(response, _ERROR_LIMIT_BYTES)
            raise BrokenOffError(f"{self._registry} lost an upload")
        self._target = self._place(self._registry.expect(response, {HTTPStatus.ACCEPTED}))

    def received(self) -> int:
        """How many bytes are there; 0 too where the registry does not say or has forgotten the upload."""
        response = self._registry.request("GET", self._target)
        body(response, _ERROR_LIMIT_BYTES)
        first, _, last = response.headers.get("Range").rpartition("=")[2].partition("-")
        is_said = response.status == HTTPStatus.NO_CONTENT and first == "0" and last.isdecimal() and last != "0"
        is_said = is_said and len(last) <= _DIGITS_MAX
        if is_said and response.headers.get("Location"):
            self._target = self._place(response)
        return int(last) + 1 if is_said else 0

    def end(self, blob: Blob, source: IO[bytes] | None = None) -> None:
        """Say which blob it was; all of its bytes may come with that."""
        query = urlencode({"digest": blob.digest})
        headers = {**_TYPE, "Content-Length": str(blob.size_bytes if source else 0)}
        target = f"{self._target}{'&' if '?' in self._target else '?'}{query}"
        response = self._registry.request("PUT", target, headers, source or b"")
        self._registry.confirm(self._registry.expect(response, {HTTPStatus.CREATED}), blob.digest)

    def _place(self, response: Response) -> str:
        """Where the registry wants the next request; where it had the last one, if it does not say."""
        body(response, _ERROR_LIMIT_BYTES)
        last = f"{root_of(self._registry.host)}{self._target}"
        where = named(str(self._registry), response.headers.get("Location"), last)
        if where.netloc != self._registry.host:
            raise RegistryError(f"{self._registry} wants uploads to go to {where.hostname}, which mmgit does not do")
        return f"{where.path}{'?' if where.query else ''}{where.query}"


def send(registry: "Registry", blob: Blob, given: Given, advance: Advance) -> None:
    """Send a blob; `advance` is told of its bytes.

    Raises:
        RegistryError: the registry refuses it, breaks off for good, or says that it got other bytes.
    """
    try:
        if blob.size_bytes >= LARGE_BYTES and registry.takes_chunks:
            sending = _Chunks(registry, blob, given, advance)
            while not retried(sending.proceed):
                pass
            return
    except _NoChunksError:
        registry.takes_chunks = False
    retried(lambda: _send_at_once(registry, blob, given, advance))


def _send_at_once(registry: "Registry", blob: Blob, given: Given, advance: Advance) -> None:
    with _part(given, advance, 0, blob.size_bytes) as part:
        Upload(registry).end(blob, part)


class _NoChunksError(RegistryError):
    """A registry that wants a blob in one request."""


class _Chunks:
    """A blob that is sent in chunks, and how far it is."""

    def __init__(self, registry: "Registry", blob: Blob, given: Given, advance: Advance) -> None:
        self._registry, self._blob, self._given, self._advance = registry, blob, given, advance
        self._upload: Upload | None = None
        self._there = self._beginnings = 0
        self._is_sure = False

    def proceed(self) -> bool:
        """Send one chunk more, or say that it was the last one; whether the registry has the blob now."""
        is_asked_for = not self._is_sure
        if is_asked_for and self._is_found():
            return True
        assert self._upload  # noqa: S101 - `_is_found` began it
        self._is_sure = False
        end = min(self._there + CHUNK_BYTES, self._blob.size_bytes)
        if self._there == end:
            self._upload.end(self._blob)
            return True
        with _part(self._given, self._advance, self._there, end) as part:
            self._upload.chunk(part, self._there, end, is_asked_for=is_asked_for)
        self._there, self._is_sure = end, True
        return False

    def _is_found(self) -> bool:
        """Find out how far the upload is, or begin it again; whether the blob is there, and an answer was lost."""
        before, self._there = self._there, self._upload.received() if self._upload else 0
        is_there = 0 < self._there <= self._blob.size_bytes
        if not is_there and self._upload and self._registry.has(self._blob):
            return True
        if not is_there or self._there < before:
            if self._beginnings == _BEGINNINGS:
                raise RegistryError(f"{self._registry} lost an upload {_BEGINNINGS} times", "try again later")
            self._beginnings += 1
        if not is_there:
            self._upload, self._there = Upload(self._registry), 0
        self._advance(self._there - before)
        return False


@contextmanager
def _part(given: Given, advance: Advance, begin: int, end: int) -> Iterator[IO[bytes]]:
    """A part of a file that is sent; `advance` is told of what is read, and takes it back if that was for nothing."""
    with _Part(given, advance, begin, end) as part:
        try:
            yield cast("IO[bytes]", part)
        except BaseException:
            part.seek(begin)
            raise


class _Part(io.BufferedIOBase):
    def __init__(self, given: Given, advance: Advance, begin: int, end: int) -> None:
        self._source = given.open("rb") if isinstance(given, Path) else given()
        self._advance, self._end = advance, end
        self._source.seek(begin)

    def read(self, size: int | None = -1) -> bytes:
        left = self._end - self._source.tell()
        block = self._source.read(left if size is None or size < 0 else min(size, left))
        self._advance(len(block))
        return block

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        before = self._source.tell()
        after = self._source.seek(offset, whence)
        self._advance(after - before)
        return after

    def tell(self) -> int:
        return self._source.tell()

    def close(self) -> None:
        self._source.close()
        super().close()
