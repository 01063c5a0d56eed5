"""A file that is read once, from its beginning: never more of it is in memory than a piece that is asked for."""

import io
from typing import Protocol

from mmgit.formats.scanned import CUT_OFF

_BLOCK_BYTES = 2**18


class Broken(Exception):  # noqa: N818 - an answer: what is read cannot be followed any further
    """What is read is not what its form says, or is more than anybody reads; `at` says where."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.reason, self.at = reason, at


class Reads(Protocol):
    """What can be read."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class Stream:
    """Bytes of known places. What is read must be there: `Broken` is raised where it is not."""

    def __init__(self, file: Reads) -> None:
        self._read = getattr(file, "read1", file.read)  # what comes before a fault of a packed file is read before it
        self._block = io.BytesIO()
        self._begin = 0

    @property
    def at(self) -> int:
        """How many bytes were read."""
        return self._begin + self._block.tell()

    def read(self, size: int) -> bytes:
        """So many bytes."""
        data = self._block.read(size)
        while len(data) < size and self._fill():
            data += self._block.read(size - len(data))
        if len(data) < size:
            raise Broken(CUT_OFF, self.at)
        return data

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        while size > 0:
            data = self._block.read(min(size, _BLOCK_BYTES))
            size -= len(data)
            if not data and not self._fill():
                raise Broken(CUT_OFF, self.at)

    def line(self, most: int) -> bytes:
        """The bytes up to the end of a line, without that."""
        data = self._block.readline(most)
        while not data.endswith(b"\n") and len(data) < most and self._fill():
            data += self._block.readline(most - len(data))
        if not data.endswith(b"\n"):
            raise Broken("a line in it does not end", self.at)
        return data[:-1]

    def rest_of_line(self, most: int) -> bytes | None:
        """The same of a line of any length; None for one of more bytes, which is passed over."""
        data = self._block.readline(most)
        is_kept = True
        while not data.endswith(b"\n"):
            is_kept = is_kept and len(data) < most
            if self._block.tell() == len(self._block.getbuffer()) and not self._fill():
                raise Broken("a line in it does not end", self.at)
            data = data + self._block.readline(most - len(data)) if is_kept else self._block.readline(most)
        return data[:-1] if is_kept else None

    def squeezed_line(self, most: int) -> bytes:
        """A line of any length without its end, spaces and underscores, which may have so many bytes then."""
        squeezed = data = b""
        while not data.endswith(b"\n"):
            data = self._block.readline()
            squeezed += data.translate(None, b" \t\v\f\r\n_")
            if len(squeezed.partition(b"\0")[0]) > most or not (data.endswith(b"\n") or self._fill()):
                raise Broken("a line in it does not end", self.at)
            squeezed = squeezed[: most + 1]
        return squeezed

    def peek(self) -> bytes:
        """The next byte, which stays unread; none at the end."""
        data = self._block.read(1)
        if data:
            self._block.seek(-1, io.SEEK_CUR)
        elif self._fill():
            data = self._block.getvalue()[:1]
        return data

    def _fill(self) -> bool:
        self._begin += self._block.tell()
        data = self._read(_BLOCK_BYTES)
        self._block = io.BytesIO(data)
        return bool(data)
