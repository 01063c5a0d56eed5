"""One connection in HTTP/1.1: whole answers in every form that the standard has, and an error for any other."""

import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmgit.errors import RegistryError
from mmgit.images.http1 import AnswerError, Connection, Response
from mmgit.images.wire import Wire
from mmgit.local import certificates
from mmgit.spec import EnvironmentSpec

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
Talk = Callable[..., Connection]


class Server:
    """Gives one scripted answer to each request, and closes after the last one of a connection."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: list[list[bytes]] = []
        """For each connection its answers, in order."""
        self.asked: list[bytes] = []
        self.context = context
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                accepted, _ = self.listening.accept()
                opened = self.context.wrap_socket(accepted, server_side=True) if self.context else accepted
            except ssl.SSLError:
                continue
            except OSError:
                return
            with opened, opened.makefile("rb") as reading:
                for answer in self.answers.pop(0) if self.answers else []:
                    if not self.take(reading):
                        break
                    opened.sendall(answer)

    def take(self, reading: io.BufferedIOBase) -> bool:
        """Read one request; False if there is none."""
        head = b"".join(iter(reading.readline, b"\r\n"))
        size = next((int(line[15:]) for line in head.splitlines() if line.startswith(b"Content-Length:")), 0)
        self.asked.append(head + reading.read(size))
        return bool(head)

    def end(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join(10)


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.end()


def connected(server: Server, *, is_secure: bool = False) -> Connection:
    return Connection("localhost", server.port, is_secure=is_secure, timeout_seconds=10)


class Counted(bytes):
    """Counts what is copied when it is put behind other bytes."""

    copied_bytes = 0

    def __radd__(self, before: bytes) -> bytes:
        Counted.copied_bytes += len(before) + len(self)
        return b"".join((before, self))


class Reading(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return Counted(super().read(size))


def test_a_body_in_small_chunks_is_not_copied_again_for_each() -> None:
    chunks = 4096
    reading = Reading(CHUNKED + b"1\r\nx\r\n" * chunks + b"0\r\n\r\n")
    connection = Connection("localhost", 1, is_secure=False, timeout_seconds=10)

    body = Response(connection, "GET", reading, lambda: None).read(2 * chunks)

    assert body == b"x" * chunks
    assert Counted.copied_bytes <= chunks


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (OK + b"content-length:5\r\n\r\nhello", b"hello"),
        (OK + b"Content-Length: 0\r\n\r\n", b""),
        (OK + b"\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200\r\n\r\nto the end", b"to the end"),
        (
            CHUNKED + b"3\r\nhel\r\nA;x=1\r\nlo, world!\r\n0\r\nDigest: x\r\n\r\n",
            b"hello, world!",
        ),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
    ],
)
@pytest.mark.parametrize("at_once", [1, 4, 2**20])
def test_an_answer_is_read_to_its_end(server: Server, answer: bytes, body: bytes, at_once: int) -> None:
    server.answers = [[answer]]

    response = connected(server).send("GET", "/v2/", {}, None)

    assert b"".join(iter(lambda: response.read(at_once), b"")) == body
    assert response.is_read
    assert response.read(1) == b""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        OK + b"no colon\r\n\r\n",
        OK + b" folded: x\r\n\r\n",
        OK + b"Content-Length: five\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nhello",
        OK + b"Content-Length: 9\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"5\r\nhello",
        CHUNKED + b"5\r\nhello, world\r\n0\r\n\r\n",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"f" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
        OK + b"X: y\r\n" * 101 + b"\r\n",
        OK + b"X: " + b"y" * 2**16 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 11 + OK + b"\r\n",
    ],
)
def test_what_is_no_answer_is_an_error(server: Server, answer: bytes) -> None:
    server.answers = [[answer]]

    with pytest.raises(AnswerError):
        connected(server).send("GET", "/", {}, None).read(100)


def test_a_connection_serves_one_request_after_another(server: Server) -> None:
    answer = CHUNKED + b"1\r\nx\r\n0\r\n\r\n"
    server.answers = [[answer, OK + b"Content-Length: 1\r\n\r\ny", OK + b"\r\n"]]
    connection = connected(server)

    answers = [connection.send("GET", f"/{number}", {}, None).read(9) for number in range(3)]

    assert answers == [b"x", b"y", b""]
    assert [request.split()[1] for request in server.asked] == [b"/0", b"/1", b"/2"]


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Connection: close\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        OK + b"\r\nx",
    ],
)
def test_a_connection_that_the_server_does_not_keep_is_opened_again(server: Server, answer: bytes) -> None:
    server.answers = [[answer], [OK + b"Content-Length: 1\r\n\r\ny"]]
    connection = connected(server)

    assert [connection.send("GET", "/", {}, None).read(9) for _ in range(2)] == [b"x", b"y"]


def test_the_answer_to_a_head_has_no_body(server: Server) -> None:
    server.answers = [[OK + b"Content-Length: 5\r\n\r\n", OK + b"Content-Length: 1\r\n\r\nx"]]
    connection = connected(server)

    head = connection.send("HEAD", "/", {}, None)

    assert (head.status, head.headers.get("CONTENT-LENGTH"), head.read(5)) == (200, "5", b"")
    assert connection.send("GET", "/", {}, None).read(5) == b"x"


def test_what_is_sent_is_what_was_asked(server: Server) -> None:
    empty = OK + b"Content-Length: 0\r\n\r\n"
    server.answers = [[empty] * 4]
    connection = connected(server)

    connection.send("GET", "/a?b=c", {"Accept": "x"}, None)
    connection.send("POST", "/", {}, None)
    connection.send("PUT", "/", {"Content-Type": "t"}, b"bytes")
    connection.send("PUT", "/", {"Content-Length": "4"}, io.BytesIO(b"file"))

    host = b"Host: localhost:%d\r\nAccept-Encoding: identity\r\n" % server.port
    assert server.asked == [
        b"GET /a?b=c HTTP/1.1\r\n" + host + b"Accept: x\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n",
        b"PUT / HTTP/1.1\r\n" + host + b"Content-Type: t\r\nContent-Length: 5\r\nbytes",
        b"PUT / HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nfile",
    ]


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/ä", "/\x7f"])
def test_an_address_that_would_end_the_line_is_not_sent(server: Server, target: str) -> None:
    with pytest.raises(AnswerError):
        connected(server).send("GET", target, {}, None)


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "\u20ac"])
def test_a_header_that_would_end_the_line_is_not_sent(server: Server, value: str) -> None:
    with pytest.raises(AnswerError):
        connected(server).send("GET", "/", {"Accept": value}, None)


@pytest.mark.parametrize("make", [bytes, lambda size: io.BytesIO(bytes(size))])
@pytest.mark.parametrize(
    ("answer", "status"), [(b"HTTP/1.1 413 Too Large", 413), (b"HTTP/1.1 202 Accepted", 0), (b"", 0)]
)
def test_a_server_that_takes_no_more_may_say_why(make: Callable[[int], Any], answer: bytes, status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            accepted, _ = listening.accept()
            with accepted:
                accepted.recv(1000)
                accepted.sendall(answer and answer + b"\r\nContent-Length: 4\r\n\r\nwhy?")

        thread = threading.Thread(target=refuse)
        thread.start()
        connection = Connection("localhost", listening.getsockname()[1], is_secure=False, timeout_seconds=10)
        try:
            response = connection.send("PUT", "/", {}, make(2**25))
            assert (response.status, response.read(100)) == (status, b"why?")
        except (BrokenPipeError, ConnectionResetError):
            assert status == 0
        finally:
            connection.close()
            thread.join()


def test_an_answer_that_was_given_up_cannot_be_read(server: Server) -> None:
    server.answers = [[OK + b"Content-Length: 5\r\n\r\nhello"]]
    connection = connected(server)
    response = connection.send("GET", "/", {}, None)

    connection.close()

    with pytest.raises(AnswerError):
        response.read(5)


def test_a_host_whose_name_is_none_is_an_error() -> None:
    with pytest.raises(AnswerError):
        Connection("ä" * 100, 80, is_secure=False, timeout_seconds=1).send("GET", "/", {}, None)


def test_tls_is_spoken_to_whom_the_machine_trusts(
    repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "compose", "registry": "localhost:5480"}
    folder = certificates.prepare(repository(), "dev", EnvironmentSpec.read(value))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / certificates.CERTIFICATE, folder / certificates.KEY)
    server = Server(context)
    server.answers = [[OK + b"Content-Length: 1\r\n\r\nx"]]

    with pytest.raises(ssl.SSLCertVerificationError):
        connected(server, is_secure=True).send("GET", "/", {}, None)
    with pytest.raises(RegistryError, match="certificate is not trusted: self-signed") as refused:
        Wire().send("GET", f"https://localhost:{server.port}/v2/", {})
    assert "SSL_CERT_FILE=" in (refused.value.hint or "")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / certificates.CERTIFICATE))
    answer = connected(server, is_secure=True).send("GET", "/", {}, None).read(1)

    assert answer == b"x"
    server.end()
