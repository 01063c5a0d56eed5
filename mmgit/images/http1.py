"""HTTP/1.1 as registries speak it: one connection, one request after another, answers read in blocks.

Bounded in time and in the length of heads; what a server does otherwise than the standard has it is an `OSError`. The
standard library's client takes 8 ms longer to import, as it brings TLS where none is spoken, and reads mail headers.
Source: RFC 9112.
"""

import socket
from collections.abc import Callable, Mapping
from typing import IO

_LINE_LIMIT_BYTES = 2**16
_HEADERS_LIMIT = 100
_BLOCK_BYTES = 2**20
_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})
_NO_CONTENT, _NOT_MODIFIED, _SWITCHING = 204, 304, 101
_FIRST_FINAL = 200
_FIRST_REFUSAL = 400
_PROVISIONAL_LIMIT = 10
_DIGITS_LIMIT = 16
"""Of a size. Python reads no number of thousands of digits."""


class AnswerError(OSError):
    """The server's answer is not HTTP/1.1, or ends before it should; or what was to be sent is no request."""


class Connection:
    """To one host; opened by the first request, and again by the next one after `close`."""

    def __init__(self, host: str, port: int, *, is_secure: bool, timeout_seconds: float) -> None:
        self._host, self._port = host, port
        self._is_secure, self._timeout_seconds = is_secure, timeout_seconds
        self._socket: socket.socket | None = None
        self._reading: IO[bytes] | None = None

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | IO[bytes] | None,
        *,
        when_read: Callable[[], None] = lambda: None,
    ) -> "Response":
        """The head of the server's answer. A body that is a file goes in chunks unless Content-Length is a header.

        The answer before must have been read to its end; `when_read` is called once this one was. Raises `OSError`.
        """
        head = _head(method, target, {"Host": self._name(), "Accept-Encoding": "identity", **headers}, body)
        opened, reading = self._opened()
        try:
            opened.sendall(head + body if isinstance(body, bytes) else head)
            if body is not None and not isinstance(body, bytes):
                is_chunked = "Content-Length" not in headers
                while block := body.read(_BLOCK_BYTES):
                    opened.sendall(b"%x\r\n%b\r\n" % (len(block), block) if is_chunked else block)
                opened.sendall(b"0\r\n\r\n" if is_chunked else b"")
        except (BrokenPipeError, ConnectionResetError) as error:
            return self._refused(method, reading, error)
        return Response(self, method, reading, when_read)

    def close(self) -> None:
        """Give it up; what was not read is lost."""
        for each in (self._reading, self._socket):
            if each is not None:
                each.close()
        self._reading = self._socket = None

    def _refused(self, method: str, reading: IO[bytes], broken: OSError) -> "Response":
        """Why the server did not take all of a request, if it said so before it closed; else raises `broken`."""
        try:
            response = Response(self, method, reading, self.close)
        except OSError:
            raise broken from None
        if response.status < _FIRST_REFUSAL:
            raise broken
        return response

    def _name(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return host if self._port == (443 if self._is_secure else 80) else f"{host}:{self._port}"

    def _opened(self) -> tuple[socket.socket, IO[bytes]]:
        if self._socket is None or self._reading is None:
            # as bytes: for text, Python imports the coding of international names first
            host = _encoded(self._host)
            opened = socket.create_connection((host, self._port), self._timeout_seconds)  # type: ignore[arg-type]  # bytes too
            try:
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket = _secured(opened, self._host) if self._is_secure else opened
            except BaseException:
                opened.close()
                raise
            self._reading = self._socket.makefile("rb")
        return self._socket, self._reading


class Response:
    """The answer to a request: its head at once, its body by `read`."""

    def __init__(self, connection: Connection, method: str, reading: IO[bytes], when_read: Callable[[], None]) -> None:
        self._connection, self._reading, self._when_read = connection, reading, when_read
        self.status, self.headers, is_kept = _head_of(reading)
        options = self.headers.get("Connection").lower()
        self._is_kept = "close" not in options and (is_kept or "keep-alive" in options)
        self._is_chunked = "chunked" in self.headers.get("Transfer-Encoding").lower()
        is_empty = method == "HEAD" or self.status in (_NO_CONTENT, _NOT_MODIFIED)
        self._left = 0 if is_empty else self._length()
        self.is_read = False
        if is_empty or (self._left == 0 and not self._is_chunked):
            self._end()

    def read(self, most_bytes: int) -> bytes:
        """The next bytes of the body, as many as asked for unless it ends; empty at its end.

        Raises `AnswerError` when it ends early, `OSError` when the connection breaks.
        """
        pieces: list[bytes] = []
        while most_bytes > 0 and not self.is_read:
            pieces.append(self._piece(most_bytes))
            most_bytes -= len(pieces[-1])
        return b"".join(pieces)

    def _piece(self, most_bytes: int) -> bytes:
        """Some of the body; empty if that was its end."""
        if self._reading.closed:
            raise AnswerError("the answer was given up")
        if self._is_chunked and not self._left and not self._begin_chunk():
            self._end()
            return b""
        data = self._reading.read(most_bytes if self._left is None else min(most_bytes, self._left))
        if self._left is not None:
            if not data:
                raise AnswerError(f"the answer ended {self._left} bytes early")
            self._left -= len(data)
        is_at_end = not data if self._left is None else self._left == 0
        if is_at_end and self._is_chunked and _line_of(self._reading):
            raise AnswerError("a chunk of the answer is longer than it says")
        if is_at_end and not self._is_chunked:
            self._end()
        return data

    def _length(self) -> int | None:
        """How long the body is, 0 for one in chunks; None if the end of the connection is its end."""
        if self._is_chunked:
            return 0
        text = self.headers.get("Content-Length")
        if not text:
            self._is_kept = False
            return None
        if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS_LIMIT:
            raise AnswerError(f"the answer has a Content-Length of {text[:20]!r}")
        return int(text)

    def _begin_chunk(self) -> int:
        """The size of the next chunk; behind the last one, which has none, there may be more headers."""
        text = _line_of(self._reading).partition(b";")[0].strip()
        if not text or text.strip(b"0123456789abcdefABCDEF") or len(text) > _DIGITS_LIMIT:
            raise AnswerError("the answer has a chunk without a size")
        self._left = int(text, 16)
        if self._left == 0:
            _fields_of(self._reading)
        return self._left

    def _end(self) -> None:
        self.is_read = True
        if not self._is_kept:
            self._connection.close()
        self._when_read()


class Headers:
    """The fields of an answer, by names in any case."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def get(self, name: str, default: str = "") -> str:
        """The value of a field, or all its values, separated by commas."""
        return self._fields.get(name.lower(), default)


def _head(method: str, target: str, headers: Mapping[str, str], body: bytes | IO[bytes] | None) -> bytes:
    fields = dict(headers)
    if isinstance(body, bytes) or (body is None and method in _HAVE_A_BODY):
        fields["Content-Length"] = str(len(body or b""))
    elif body is not None and "Content-Length" not in fields:
        fields["Transfer-Encoding"] = "chunked"
    if not target.isascii() or any(character <= " " or character == "\x7f" for character in target):
        raise AnswerError("an address holds a character that no address may hold")
    lines = [f"{method} {target or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    if any("\r" in line or "\n" in line for line in lines):
        raise AnswerError("a header holds the end of a line")
    try:
        return "\r\n".join(lines).encode("latin-1")
    except UnicodeEncodeError as error:
        raise AnswerError("a header holds a character that no header may hold") from error


def _head_of(reading: IO[bytes]) -> tuple[int, Headers, bool]:
    """Status and headers of an answer, and whether its connection is kept unless they say otherwise."""
    for _ in range(_PROVISIONAL_LIMIT):
        status, is_kept = _status_of(reading)
        headers = Headers(_fields_of(reading))
        if status >= _FIRST_FINAL or status == _SWITCHING:
            return status, headers, is_kept
    raise AnswerError(f"the server promised more than {_PROVISIONAL_LIMIT} times to answer")


def _status_of(reading: IO[bytes]) -> tuple[int, bool]:
    line = _line_of(reading)
    version, _, rest = line.partition(b" ")
    code = rest.partition(b" ")[0]
    if not version.startswith(b"HTTP/1.") or len(code) != len("200") or not code.isdigit():
        raise AnswerError("the server does not answer in HTTP/1.1" if line else "the server closed the connection")
    return int(code), version != b"HTTP/1.0"


def _fields_of(reading: IO[bytes]) -> dict[str, str]:
    """Names in lower case -> values, up to the empty line."""
    fields: dict[str, str] = {}
    for _ in range(_HEADERS_LIMIT):
        line = _line_of(reading)
        if not line:
            return fields
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or name != name.strip() or not name:
            raise AnswerError("the answer has a header without a name")
        known = fields.get(name.lower())
        fields[name.lower()] = value.strip() if known is None else f"{known}, {value.strip()}"
    raise AnswerError(f"the answer has more than {_HEADERS_LIMIT} headers")


def _line_of(reading: IO[bytes]) -> bytes:
    line = reading.readline(_LINE_LIMIT_BYTES + 1)
    if len(line) > _LINE_LIMIT_BYTES:
        raise AnswerError("the answer has a line that is too long")
    if line and not line.endswith(b"\n"):
        raise AnswerError("the answer ended early")
    return line.rstrip(b"\r\n")


def _encoded(host: str) -> bytes:
    try:
        return host.encode("ascii" if host.isascii() else "idna")
    except UnicodeError as error:
        raise AnswerError("a host has a name that none may have") from error


def _secured(opened: socket.socket, host: str) -> socket.socket:
    import ssl  # noqa: PLC0415 - slow to import, and registries on this machine are spoken to in plain

    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(opened, server_hostname=host)
