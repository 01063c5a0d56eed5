"""Parses HTTP/1.1 requests as httptools does with llhttp: bytes in, calls of `on_…` methods out. Strict, never lenient.

Lines are kept until they are whole, bodies are passed on as they come. Whoever is called bounds how much of both.
Source: RFC 9112; llhttp without its lenient flags.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_METHODS = frozenset(
    b"DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND"
    b" UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK"
    b" UNLINK SOURCE QUERY".split()
)
_LONGEST_METHOD = max(map(len, _METHODS))
_START = re.compile(rb"([A-Z-]+) ([\x21-\x7e]+)(?: HTTP/(0\.9|1\.[01]|2\.0))?")
_TARGET, _AUTHORITY = re.compile(rb"/.*|\*|[A-Za-z]+://.+"), re.compile(rb"[A-Za-z0-9._~%:\[\]-]+")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
_LENGTH = re.compile(rb"[0-9]{1,19}")
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;%b(?:=(?:%b|\"[\x20\x21\x23-\x5b\x5d-\x7e]*\"))?)*" % (_TOKEN, _TOKEN))
_LENGTH_MAX, _LINE_BYTES_MAX = 2**63 - 1, 2**20


class HttpParserError(Exception):
    """What came is not HTTP as it is accepted."""


class HttpParserCallbackError(HttpParserError):
    """Whoever was called raised an error, which is the context of this one."""


class HttpParserUpgrade(Exception):  # noqa: N818 - the name that httptools has
    """A request offers another protocol; the first argument is how many bytes were parsed."""


class HttpRequestParser:
    """One connection's requests, one after the other."""

    def __init__(self, protocol: Any) -> None:  # noqa: ANN401 - whoever has `on_…` methods
        self._protocol = protocol
        self._state: Callable[[bytes, int], int] = self._between
        self._line = bytearray()
        self._error: HttpParserError | None = None
        self._method = self._version = b""
        self._clear()

    def _clear(self) -> None:
        self._lengths: list[bytes] = []
        self._codings: list[bytes] = []
        self._connection: set[bytes] = set()
        self._offers_upgrade = self._is_chunked = False
        self._left = self._ended_at = 0

    def feed_data(self, data: bytes) -> None:
        """Parse the next bytes. Raises `HttpParserError` or `HttpParserUpgrade`."""
        if self._error is not None:
            raise self._error
        at = 0
        try:
            while at < len(data):
                at = self._state(data, at)
        except _EndedError:
            self._state = self._between
            raise HttpParserUpgrade(self._ended_at) from None
        except HttpParserError as error:
            self._error = error
            raise
        except Exception:  # noqa: BLE001 - whatever it is, httptools says so
            self._error = HttpParserCallbackError("the callback raised")
            raise self._error  # noqa: B904 - its context is the error of the callback

    def get_method(self) -> bytes:
        """The method of this request."""
        return self._method

    def get_http_version(self) -> str:
        """Like 1.1."""
        return self._version.decode("ascii")

    def should_keep_alive(self) -> bool:
        """Whether another request may follow."""
        if self._version == b"1.1":
            return b"close" not in self._connection
        return b"keep-alive" in self._connection

    def should_upgrade(self) -> bool:
        """Whether the request asks for another protocol."""
        return self._method == b"CONNECT" or (self._offers_upgrade and b"upgrade" in self._connection)

    def _between(self, data: bytes, at: int) -> int:
        """Between two requests: empty lines are passed over."""
        at = len(data) - len(data[at:].lstrip(b"\r\n"))
        if at < len(data):
            self._clear()
            self._protocol.on_message_begin()
            self._state = self._start
        return at

    def _start(self, data: bytes, at: int) -> int:
        line, at = self._whole_line(data, at)
        if line is None:
            word = bytes(self._line[: _LONGEST_METHOD + 1]).partition(b" ")[0]
            if not any(method.startswith(word) for method in _METHODS):
                raise HttpParserError("Invalid method encountered")
            return at
        found = _START.fullmatch(line)
        if found is None or found[1] not in _METHODS:
            raise HttpParserError("Invalid request line")
        self._method, target, version = found.groups()
        self._version = version or b"0.9"
        if (_AUTHORITY if self._method == b"CONNECT" else _TARGET).fullmatch(target) is None:
            raise HttpParserError("Unexpected start char in url")
        self._protocol.on_url(target)
        self._state = self._header
        return at

    def _header(self, data: bytes, at: int) -> int:
        line, at = self._whole_line(data, at)
        if line:
            self._take(*self._field(line))
        elif line is not None:
            self._end_head(at)
        return at

    def _take(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower == b"content-length":
            self._lengths.append(value.strip(b" \t"))
        elif lower == b"transfer-encoding":
            self._codings += [coding.strip(b" ").lower() for coding in value.split(b",")]
        elif lower in {b"connection", b"proxy-connection"}:
            self._connection |= {word.strip(b" \t").lower() for word in value.split(b",")}
        elif lower == b"upgrade" and value:
            self._offers_upgrade = True
        self._protocol.on_header(name, value)

    def _end_head(self, at: int) -> None:
        """The head is whole: what tells the end of the body has to be certain."""
        if self._lengths and self._codings:
            raise HttpParserError("Content-Length can't be present with Transfer-Encoding")
        if len(self._lengths) > 1:
            raise HttpParserError("Content-Length is there twice")
        if self._codings and (self._codings.count(b"chunked"), self._codings[-1]) != (1, b"chunked"):
            raise HttpParserError("Request has invalid `Transfer-Encoding`")
        if self._codings and self._version == b"1.0":
            raise HttpParserError("Transfer-Encoding in a request of HTTP/1.0")
        if b"" in self._codings:
            raise HttpParserError("an empty transfer coding")
        for length in self._lengths:
            if _LENGTH.fullmatch(length) is None or int(length) > _LENGTH_MAX:
                raise HttpParserError("Invalid character in Content-Length")
            self._left = int(length)
        self._is_chunked = bool(self._codings)
        self._protocol.on_headers_complete()
        if self.should_upgrade():
            self._end(at, is_offer=True)
        elif not (self._is_chunked or self._left):
            self._end(at)
        else:
            self._state = self._chunk if self._is_chunked else self._body

    def _body(self, data: bytes, at: int) -> int:
        part = data[at : at + self._left]
        self._left -= len(part)
        self._protocol.on_body(part)
        if not self._left:
            if self._is_chunked:
                self._state = self._chunk_end
            else:
                self._end(at + len(part))
        return at + len(part)

    def _chunk(self, data: bytes, at: int) -> int:
        line, at = self._whole_line(data, at)
        if line is None:
            return at
        found = _CHUNK.fullmatch(line)
        if found is None or int(found[1], 16) > _LENGTH_MAX:
            raise HttpParserError("Invalid character in chunk size")
        self._left = int(found[1], 16)
        self._state = self._body if self._left else self._trailer
        return at

    def _chunk_end(self, data: bytes, at: int) -> int:
        line, at = self._whole_line(data, at)
        if line or (line is None and bytes(self._line) != b"\r"):
            raise HttpParserError("Expected CRLF after chunk")
        if line is not None:
            self._state = self._chunk
        return at

    def _trailer(self, data: bytes, at: int) -> int:
        line, at = self._whole_line(data, at)
        if line:
            name, value = self._field(line)
            if name.lower() in {b"content-length", b"transfer-encoding"}:
                raise HttpParserError("a trailer tells where the body ends")
            self._take(name, value)
        elif line is not None:
            self._end(at)
        return at

    def _end(self, at: int, *, is_offer: bool = False) -> None:
        """The request is complete; what follows an offer of another protocol is for whoever called to judge."""
        is_last = not self.should_keep_alive()
        self._protocol.on_message_complete()
        self._state = self._closed if is_last else self._between
        if is_offer:
            self._ended_at = at
            raise _EndedError

    def _closed(self, data: bytes, at: int) -> int:
        if data[at:].strip(b"\r\n"):
            raise HttpParserError("Data after `Connection: close`")
        return len(data)

    def _whole_line(self, data: bytes, at: int) -> tuple[bytes | None, int]:
        """The next line without its CR LF once it is whole, and where to go on."""
        end = data.find(b"\n", at)
        part = data[at:] if end < 0 else data[at : end + 1]
        returned = part.find(b"\r")
        if (self._line.endswith(b"\r") and part != b"\n") or 0 <= returned < len(part) - (1 if end < 0 else 2):
            raise HttpParserError("a CR that does not end a line")
        self._line += part
        if end < 0:
            if len(self._line) > _LINE_BYTES_MAX:
                raise HttpParserError("a line is longer than any")
            return None, len(data)
        if not self._line.endswith(b"\r\n"):
            raise HttpParserError("a LF that does not end a line")
        line = bytes(self._line[:-2])
        self._line.clear()
        return line, end + 1

    @staticmethod
    def _field(line: bytes) -> tuple[bytes, bytes]:
        """Name and value of a header or trailer."""
        found = _FIELD.fullmatch(line)
        if found is None:
            raise HttpParserError("Invalid header")
        return found[1], found[2].lstrip(b" \t")


class _EndedError(Exception):
    """A request is complete that offers another protocol."""
