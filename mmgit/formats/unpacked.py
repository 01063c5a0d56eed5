"""Reads what zlib has packed, a block at a time, as the standard library reads what gzip has."""

import zlib
from typing import IO

from mmgit.formats.stream import Broken

_BLOCK_BYTES = 2**16


class Unzlib:
    """One stream of zlib's. What follows it is `Broken`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj()

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._file.read(_BLOCK_BYTES)
            data = self._unpacker.decompress(packed, size)
            if data:
                return data
            if not packed:
                raise Broken("what is packed does not end", self._file.tell())
        if self._unpacker.unused_data or self._file.read(1):
            raise Broken("something follows what is packed", self._file.tell())
        return b""
