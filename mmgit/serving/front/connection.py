"""One HTTP/1.1 connection: exchanges to its site, answers out in the order of the requests, and when to close.

A client that closes its side has left. Nothing here knows what a service is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from mmgit.serving.front.exchange import RETRY, Exchange, Refusal
from mmgit.serving.front.receiver import Malformed, Receiver

if TYPE_CHECKING:
    from mmgit.serving.front.connections import Connections

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
IDLE_SECONDS = 620.0
UNREAD_SECONDS = 30.0
UNREAD_SECONDS_IN_NEED = 1.0
"""How long a client may read less than `BYTES_PER_SECOND_MIN`, and how long while too much is not read."""
BYTES_PER_SECOND_MIN = 64 * 1024
LINGER_SECONDS = 1.0
DISCARDED_BYTES_MAX = 1024 * 1024
SWALLOWED_BYTES_MAX = 64 * 1024
PIPELINE_MAX = 16

_TIMED_OUT = Refusal(408, "request_timeout", "the request did not arrive in time")
_TOO_LARGE = Refusal(413, "body_too_large", "the body is larger than is taken here")
_NO_MEMORY = Refusal(503, "overloaded", "too many bytes wait here; try again later", RETRY)
_TOO_MANY_WAIT = Refusal(503, "pipeline_too_long", f"more than {PIPELINE_MAX} requests wait on this connection", RETRY)
_NO_PLACE = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Site(Protocol):
    """What a port serves."""

    date: bytes
    is_draining: bool
    connections: Connections

    def refusal(self, exchange: Exchange) -> Refusal | None:
        """Look at a request before its body is read; sets `body_limit` when it is taken."""

    def handle(self, exchange: Exchange) -> None:
        """Answer a request that is complete, now or later."""

    def abandon(self, exchange: Exchange) -> None:
        """The client of a request that was handled left before the answer."""

    def record(self, exchange: Exchange) -> None:
        """Count and log an answer."""


class Connection(asyncio.Protocol):
    """The state of one connection; asyncio calls the methods of its first half, the receiver those of its second."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._transport = cast("asyncio.Transport", None)
        self._receiver = Receiver(self)
        self._pipeline: deque[Exchange] = deque()
        self.idle_since = monotonic()
        self._unread_since = 0.0
        self._unread_bytes = 0
        self._kept_bytes = 0
        self._linger_until = 0.0
        self._discarded_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place among the connections, or be turned away."""
        self._transport = cast("asyncio.Transport", transport)
        if not self.site.connections.open(self):
            self._receiver.stop()
            self._transport.write(_NO_PLACE)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._receiver.is_stopped:
            self._discard(len(data))
            return
        try:
            self._receiver.feed(data)
        except Malformed as malformed:
            self._fail(malformed.refusal)

    def eof_received(self) -> bool:
        """The client closed its side."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        del exc
        self._receiver.stop()
        self.site.connections.close(self)
        self.resume_writing()
        self._abandon()

    def pause_writing(self) -> None:
        """The client reads too slowly: no more is read from it."""
        self._unread_since = monotonic()
        self._unread_bytes = self._transport.get_write_buffer_size()
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client caught up."""
        self._unread_since = 0.0
        self.site.connections.keep_unread(-self._kept_bytes)
        self._kept_bytes = 0
        if not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way; `idle_since` tells since when."""
        return self._receiver.exchange is None and not self._pipeline and not self._linger_until

    def take_head(self, exchange: Exchange, fault: Refusal | None) -> None:
        """A head is complete: refuse, or let the body come."""
        self._pipeline.append(exchange)
        exchange.name_request()
        body_bytes = exchange.declared_bytes
        is_crowded = len(self._pipeline) > PIPELINE_MAX or self._receiver.begun > PIPELINE_MAX
        fault = fault or (_TOO_MANY_WAIT if is_crowded else None)
        refusal = fault or self.site.refusal(exchange) or self._excess_of(exchange, body_bytes)
        if refusal is None:
            if b"expect" in exchange.headers:
                exchange.is_asking = body_bytes > 0 or b"transfer-encoding" in exchange.headers
                self._let_send()
            return
        is_body_unknown = b"transfer-encoding" in exchange.headers or b"expect" in exchange.headers
        if fault or is_body_unknown or body_bytes > SWALLOWED_BYTES_MAX:
            exchange.keep_alive = False
        exchange.is_refused = True
        exchange.refuse(refusal)

    def hold(self, exchange: Exchange, size: int) -> None:
        """A part of a body came and is kept."""
        refusal = self.keep(exchange, size, exchange.body_bytes)
        if refusal is not None:
            self._fail(refusal)

    def keep(self, exchange: Exchange, size: int, body_bytes: int) -> Refusal | None:
        """Count `size` bytes more for this exchange; why a body of `body_bytes` so far cannot be kept."""
        exchange.held_bytes += size
        connections = self.site.connections
        connections.held_bytes += size
        if body_bytes > exchange.body_limit:
            return _TOO_LARGE
        return _NO_MEMORY if connections.held_bytes > connections.held_bytes_max else None

    def take_body(self, exchange: Exchange) -> None:
        """A request is complete."""
        if not exchange.keep_alive:
            self._receiver.stop()
        if not exchange.is_refused:
            self.site.handle(exchange)
        elif not self._pipeline:
            self.idle_since = monotonic()

    def ends_with(self, exchange: Exchange) -> bool:
        """Whether this answer is the connection's last one, because the server drains and nothing waits behind it."""
        if self._pipeline[-1] is not exchange or self._receiver.exchange not in (None, exchange):
            return False
        if exchange.is_received:
            self._receiver.stop()
        return True

    def send_answers(self) -> None:
        """Write the answers whose turn it is."""
        pipeline = self._pipeline
        while pipeline and pipeline[0].response is not None:
            exchange = pipeline.popleft()
            self._release(exchange)
            self._write(exchange.response or b"")
            if not exchange.keep_alive:
                self._finish(exchange)
                return
        if pipeline:
            self._let_send()
        self.idle_since = monotonic()

    def is_overdue(self, now: float) -> bool:
        """Whether the client takes longer than it may, whatever it is doing."""
        if self._unread_since:
            is_in_need = self.site.connections.is_unread_too_much
            patience_seconds = UNREAD_SECONDS_IN_NEED if is_in_need else UNREAD_SECONDS
            read_bytes = self._unread_bytes - self._transport.get_write_buffer_size()
            return now - self._unread_since > patience_seconds + read_bytes / BYTES_PER_SECOND_MIN
        if self._linger_until:
            return now > self._linger_until
        exchange = self._receiver.exchange
        if exchange is None:
            return not self._pipeline and now - self.idle_since > IDLE_SECONDS
        age = now - exchange.started_at
        if self._receiver.has_head:
            return age > BODY_SECONDS + exchange.body_bytes / BYTES_PER_SECOND_MIN
        return age > HEAD_SECONDS

    def expire(self) -> None:
        """End a connection that is overdue."""
        if self._linger_until or self._unread_since:
            self._transport.abort()
            self.resume_writing()
        elif self._receiver.exchange is None:
            self._transport.close()
        else:
            self._fail(_TIMED_OUT)

    def close(self) -> None:
        """Close when all that was written is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Cut the connection off."""
        self._transport.abort()

    def _write(self, response: bytes) -> None:
        """Send an answer; until its last byte is read, all of it is kept here, unless too much is kept already."""
        if self._unread_since:
            self._unread_bytes += len(response)
        self._transport.write(response)
        if self._unread_since:
            if self.site.connections.is_unread_too_much:
                self.expire()
            else:
                self._kept_bytes += len(response)
                self.site.connections.keep_unread(len(response))

    def _let_send(self) -> None:
        """Tell a client that asked first to send its body, once all that it asked before is answered."""
        exchange = self._pipeline[0]
        if exchange.is_asking:
            exchange.is_asking = False
            self._transport.write(_CONTINUE)

    def _excess_of(self, exchange: Exchange, body_bytes: int) -> Refusal | None:
        connections = self.site.connections
        if body_bytes > exchange.body_limit:
            return _TOO_LARGE
        return _NO_MEMORY if connections.held_bytes > connections.held_bytes_max else None

    def _fail(self, refusal: Refusal) -> None:
        """End the request that is being received, and with it the connection: the next one could not be told apart."""
        if self._receiver.is_stopped:
            return  # bytes after the last request that this connection carries
        exchange = self._receiver.exchange
        has_head = exchange is not None and self._receiver.has_head
        self._receiver.stop()
        if exchange is None:
            exchange = Exchange(self, monotonic())
        if not has_head:
            exchange.name_request()
            self._pipeline.append(exchange)
        exchange.keep_alive = False
        exchange.is_refused = True
        self._release(exchange)
        if exchange.response is None:
            exchange.refuse(refusal)
        elif exchange not in self._pipeline:
            self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        """Close after the last answer; while a body still comes, late enough that the client can read it."""
        self._receiver.stop()
        self._abandon()
        if exchange.is_received:
            self._transport.close()
        else:
            self._linger_until = monotonic() + LINGER_SECONDS
            self._transport.write_eof()

    def _discard(self, size: int) -> None:
        self._discarded_bytes += size
        if self._discarded_bytes > DISCARDED_BYTES_MAX and not self._transport.is_closing():
            self._transport.pause_reading()

    def _abandon(self) -> None:
        """Nobody waits any more for what is in the pipeline."""
        while self._pipeline:
            exchange = self._pipeline.popleft()
            self._release(exchange)
            exchange.is_gone = True
            if exchange.is_received and exchange.response is None:
                self.site.abandon(exchange)

    def _release(self, exchange: Exchange) -> None:
        self.site.connections.held_bytes -= exchange.held_bytes
        exchange.held_bytes = 0
        exchange.chunks = []
        exchange.body = b""
