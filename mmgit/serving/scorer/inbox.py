"""The pipe from the front in, groups of requests out, whatever the pieces in which their frames arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answering import Request
from .frames import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable

_READ_BYTES = 16 * 1024


class Inbox:
    """`read` takes the most bytes to read, and gives those that are there, none at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._from_pipe = read
        self._rest = b""

    def group(self) -> list[Request]:
        """The next group of requests; bytes of the one behind it are kept.

        Raises:
            EOFError: the front closed.
        """
        data = self._rest or self._received(_READ_BYTES)
        requests: list[Request] = []
        at = 0
        while len(data) - at >= REQUEST.size:  # nearly all come whole
            body_bytes, ids_bytes, form, json_bytes, following, number, deadline = REQUEST.unpack_from(data, at)
            ids_at = at + REQUEST.size
            body_at = ids_at + ids_bytes
            at = body_at + body_bytes
            if at > len(data):
                break
            ids = _ids_in(data[ids_at:body_at])
            requests.append(Request(ids, form, json_bytes, data[body_at:at], number, deadline))
            if not following:
                self._rest = data[at:]
                return requests
        return self._put_together(bytearray(data))

    def _put_together(self, frames: bytearray) -> list[Request]:
        """A group of which `frames` is the beginning."""
        requests: list[Request] = []
        at = 0
        following = 1
        while following:
            ids_at = at + REQUEST.size
            self._grow(frames, ids_at)
            body_bytes, ids_bytes, form, json_bytes, following, number, deadline = REQUEST.unpack_from(frames, at)
            body_at = ids_at + ids_bytes
            at = body_at + body_bytes
            self._grow(frames, at)
            with memoryview(frames) as view:
                ids, body = _ids_in(view[ids_at:body_at]), bytes(view[body_at:at])
            requests.append(Request(ids, form, json_bytes, body, number, deadline))
        self._rest = bytes(frames[at:])
        return requests

    def _grow(self, frames: bytearray, size: int) -> None:
        """Read until there are `size` bytes at least."""
        while len(frames) < size:
            frames += self._received(max(_READ_BYTES, min(size - len(frames), 1 << 20)))

    def _received(self, most: int) -> bytes:
        data = self._from_pipe(most)
        if not data:
            raise EOFError
        return data


def _ids_in(frame: bytes | memoryview) -> list[str]:
    return str(frame, "ascii").split("\n")
