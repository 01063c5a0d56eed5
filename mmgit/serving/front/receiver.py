"""The bytes of one connection in, exchanges out: each once when its head is complete and once when its body is.

Framing is as strict as llhttp's, and stricter about transfer codings, versions and headers given twice. Bodies are kept
only while somebody wants them; nothing is answered here. Clients that go on send the same head again and again: bytes
that were parsed a moment ago are known, and not parsed again.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import httptools

from mmgit.serving.front.exchange import Exchange, Refusal
from mmgit.serving.front.faults import REPEATED, fault_of

if TYPE_CHECKING:
    from mmgit.serving.front.connection import Connection
    from mmgit.serving.front.keys import Key

HEAD_BYTES_MAX = 64 * 1024
FIELDS_MAX = 100
"""How many headers and trailers a request may have: as many as with Envoy and Apache."""
_KNOWN_BYTES_MAX = 4 * 1024
_SMALL_PART_BYTES = 4 * 1024

_HEAD_TOO_LARGE = Refusal(431, "head_too_large", "the request's line, headers or trailers are too large or too many")

_WANTED = frozenset(
    b"host authorization content-type content-length content-encoding transfer-encoding expect"
    b" x-request-id x-ms-request-id x-correlation-id traceparent x-request-timeout-ms"
    b" inference-header-content-length origin access-control-request-method".split()
)


_OVER = Refusal(400, "bad_request", "nothing is read after the last request of a connection")
"""Ends the parsing; nobody is told."""


class Malformed(Exception):  # noqa: N818 - the expected end of a broken request, not a fault of ours
    """The bytes are not a request that this server reads on after."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class _Known(NamedTuple):
    """A request as it came in one piece: its head, and what was read from that; the rest of its bytes are the body.

    The key that it opened with is looked up among those in force again, not made out of the same bytes again.
    """

    head: bytes
    request_bytes: int
    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    key: Key | None


class Receiver:
    """The parser of one connection; httptools calls its `on_…` methods. `begun` counts the requests of one read."""

    def __init__(self, connection: Connection) -> None:
        self.exchange: Exchange | None = None
        self.has_head = False
        self.is_stopped = False
        self.begun = 0
        self._connection = connection
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[bytes, bytes] | None = None
        self._progress = 0
        self._stuck_bytes = 0
        self._fields = 0
        self._field_bytes = 0
        self._is_resuming = False
        self._known: _Known | None = None
        self._completed: Exchange | None = None
        self._completions = 0

    def feed(self, data: bytes) -> None:
        """Parse the next bytes.

        Raises:
            Malformed: with the answer to give before the connection is closed.
        """
        self.begun = 0
        is_between = self.exchange is None
        known = self._known
        if is_between and known is not None and len(data) == known.request_bytes and data.startswith(known.head):
            self._repeat(known, data[len(known.head) :])
            return
        progress, completions = self._progress, self._completions
        try:
            self._parser.feed_data(data)
            if is_between and self.exchange is None and self._completions == completions + 1:
                self._learn(data)
        except httptools.HttpParserUpgrade as stop:
            self._resume(data[stop.args[0] :])
        except httptools.HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except httptools.HttpParserError as error:
            raise Malformed(Refusal(400, "bad_request", f"the request is not HTTP/1.1: {error}")) from None
        if self._progress == progress and self.exchange is not None:
            self._stuck_bytes += len(data)
            if self._stuck_bytes > HEAD_BYTES_MAX:
                raise Malformed(_HEAD_TOO_LARGE)

    def stop(self) -> None:
        """Take no further request, and no more of this one."""
        self.is_stopped = True
        self.exchange = None
        self._headers = None

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self._is_resuming:
            return
        if self.is_stopped:
            raise Malformed(_OVER)
        self.begun += 1
        self._stuck_bytes = self._fields = self._field_bytes = 0
        self.has_head = False
        self.exchange = Exchange(self._connection, monotonic())
        self._headers = self.exchange.headers

    def on_url(self, part: bytes) -> None:
        """A part of the request target."""
        exchange = self.exchange
        if exchange is not None and not self._is_resuming:
            exchange.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header, or a whole trailer."""
        if self._is_resuming:
            return
        self._fields += 1
        self._field_bytes += len(name) + len(value)
        if self._fields > FIELDS_MAX or self._field_bytes > HEAD_BYTES_MAX:
            raise Malformed(_HEAD_TOO_LARGE)
        headers = self._headers
        if headers is None:
            return
        name = name.lower()
        if name in _WANTED:
            if name in headers:
                headers[REPEATED] = name
            headers[name] = value.strip(b" \t")

    def on_headers_complete(self) -> None:
        """The head is complete."""
        exchange = self.exchange
        self._progress += 1
        self._headers = None  # what comes now are trailers, or the framing of a request that goes on
        if exchange is None:
            return
        parser = self._parser
        if not self._is_resuming:
            exchange.method = parser.get_method()
            if parser.should_upgrade() and exchange.method != b"CONNECT":
                self._is_resuming = True
                return
        self._is_resuming = False
        self.has_head = True
        # what follows a CONNECT is for a tunnel that is not here, whatever it looks like
        exchange.keep_alive = parser.should_keep_alive() and exchange.method != b"CONNECT"
        version = parser.get_http_version()
        if version == "1.0":  # such a client cannot be waiting for an answer in between
            exchange.headers.pop(b"expect", None)
        fault = fault_of(exchange.headers, version)
        if fault is None:
            exchange.declared_bytes = int(exchange.headers.get(b"content-length", 0))
        self._connection.take_head(exchange, fault)

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._progress += 1
        exchange = self.exchange
        if exchange is None:
            raise Malformed(_OVER)
        exchange.body_bytes += len(part)
        if not exchange.is_refused:
            _add(exchange.chunks, part)
            self._connection.hold(exchange, len(part))

    def on_message_complete(self) -> None:
        """The request is complete."""
        exchange = self.exchange
        if exchange is None or self._is_resuming:
            return
        self.exchange = None
        self._completed = exchange
        self._completions += 1
        exchange.is_received = True
        if not exchange.is_refused:
            chunks = exchange.chunks
            exchange.body = bytes(chunks[0]) if len(chunks) == 1 else b"".join(chunks)
            exchange.chunks = []
        self._connection.take_body(exchange)

    def _learn(self, data: bytes) -> None:
        """Remember a request that was `data`, all of it, unless its end is not told by the length of its body."""
        exchange, self._completed = self._completed, None
        if exchange is None:
            return
        headers = exchange.headers
        head_bytes = len(data) - exchange.declared_bytes
        is_plain = b"transfer-encoding" not in headers and REPEATED not in headers and b"expect" not in headers
        if is_plain and exchange.keep_alive and head_bytes <= _KNOWN_BYTES_MAX:
            self._known = _Known(data[:head_bytes], len(data), exchange.method, exchange.target, headers, exchange.key)

    def _repeat(self, known: _Known, body: bytes) -> None:
        """Take a request with a known head. The parser stays where it is, between two requests."""
        self.on_message_begin()
        exchange = self.exchange
        if exchange is None:
            return
        exchange.method, exchange.target, exchange.headers = known.method, known.target, known.headers
        exchange.key = known.key
        exchange.declared_bytes = len(body)
        exchange.keep_alive = True
        self._headers = None
        self.has_head = True
        self._connection.take_head(exchange, None)
        if exchange.key is not known.key:  # the keys were read again meanwhile
            self._known = known._replace(key=exchange.key)
        exchange.body_bytes = len(body)
        if body and not exchange.is_refused:
            exchange.body = body
            self._connection.hold(exchange, len(body))
        if self.exchange is exchange:
            self.exchange = None
            exchange.is_received = True
            self._connection.take_body(exchange)

    def _resume(self, rest: bytes) -> None:
        """Go on after a request that offers an upgrade, as if it did not: nothing here is upgraded to."""
        exchange = self.exchange
        if exchange is None or self.has_head:
            return
        offer, self._parser = self._parser, httptools.HttpRequestParser(self)
        framing = [f"POST / HTTP/{offer.get_http_version()}".encode(), b"host: x"]
        framing += [b"connection: keep-alive" if offer.should_keep_alive() else b"connection: close"]
        given = (b"content-length", b"transfer-encoding")
        framing += (name + b": " + exchange.headers[name] for name in given if name in exchange.headers)
        self.feed(b"\r\n".join(framing) + b"\r\n\r\n" + rest)


def _add(chunks: list[bytes | bytearray], part: bytes) -> None:
    """Keep a part of a body. Small ones become one: each by itself would take many times its size."""
    if not chunks or len(part) >= _SMALL_PART_BYTES:
        chunks.append(part)
    elif isinstance(chunks[-1], bytearray):
        chunks[-1] += part
    else:
        chunks.append(bytearray(part))
