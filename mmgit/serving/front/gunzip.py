"""A gzip body in, its bytes out: a little at a time, so that nobody else waits for it, and never more than is allowed.

Several members one after the other are one body (RFC 1952, section 2.2).
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from mmgit.serving.front.exchange import Exchange, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

_INPUT_BYTES = 64 * 1024
_OUTPUT_BYTES = 256 * 1024
_MEMBERS_MAX = 10_000
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """The body of one received exchange on its way; `on_done` is given the exchange with the body as it was."""

    def __init__(self, exchange: Exchange, on_done: Callable[[Exchange], None]) -> None:
        self._exchange = exchange
        self._on_done = on_done
        self._stream = _Stream(exchange.body)
        self._parts: list[bytes] = []
        self._size = 0

    def go_on(self) -> None:
        """Do one piece of the work, and the rest after what else waits in the loop."""
        exchange = self._exchange
        if exchange.is_gone:
            return
        try:
            part = self._stream.read()
        except zlib.error as error:
            exchange.refuse(Refusal(400, "gzip_invalid", f"the body is not whole gzip: {error}"))
            return
        self._parts.append(part)
        self._size += len(part)
        refusal = exchange.connection.keep(exchange, len(part), self._size)
        if refusal is not None:
            exchange.refuse(refusal)
        elif self._stream.is_over:
            exchange.body = part if len(self._parts) == 1 else b"".join(self._parts)
            self._on_done(exchange)
        else:
            asyncio.get_running_loop().call_soon(self.go_on)


class _Stream:
    """Compressed bytes, read in bounded pieces."""

    def __init__(self, data: bytes) -> None:
        self.is_over = False
        self._data = data
        self._at = 0
        self._pending = b""
        self._member = zlib.decompressobj(_GZIP)
        self._members = 1

    def read(self) -> bytes:
        """The next bytes, none of them at times.

        Raises:
            zlib.error: they are not gzip, or end too early.
        """
        if not self._pending:
            self._pending = self._data[self._at : self._at + _INPUT_BYTES]
            self._at += len(self._pending)
        given, member = self._pending, self._member
        part = member.decompress(given, _OUTPUT_BYTES)
        self._pending = member.unused_data if member.eof else member.unconsumed_tail
        is_all_given = not self._pending and self._at == len(self._data)
        if member.eof and is_all_given:
            self.is_over = True
        elif member.eof:
            self._begin_member()
        elif is_all_given and not given and not part:
            raise zlib.error("it ends too early")
        return part

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > _MEMBERS_MAX:
            raise zlib.error(f"it has more than {_MEMBERS_MAX} members")
        self._member = zlib.decompressobj(_GZIP)
