"""Requests that HTTP servers and proxies read differently, sent without a key to both ports of a live server,
and of one whose parser is our own.

What is doubtful is refused, and nothing behind it is taken for a request; what RFC 9112 allows is taken as it says.
"""

from collections.abc import Mapping
from contextlib import suppress

import pytest

from mmgit.serving.front.receiver import FIELDS_MAX, HEAD_BYTES_MAX
from tests.serving.conftest import Client, Service

BODY = b'{"x": 1}'
NEXT = b"GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked"
LONG = b"a" * 1_048_576


def head(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bytes = b"host: test") -> bytes:
    return b"\r\n".join((start, *([host] if host else []), *lines, b"", b""))


def lengths(*values: bytes) -> bytes:
    return head(*(b"content-length: " + value for value in values)) + BODY


def codings(*values: bytes) -> bytes:
    return head(*(b"transfer-encoding: " + value for value in values)) + b"0\r\n\r\n"


def chunks(data: bytes) -> bytes:
    return head(CHUNKED) + data


def end(trailers: bytes) -> bytes:
    return chunks(b"0\r\n" + trailers)


REFUSED: Mapping[str, bytes] = {
    "two lengths": lengths(b"8", b"9"),
    "a length twice": lengths(b"8", b"8"),
    "a list of lengths": lengths(b"8, 8"),
    "a length with a space": lengths(b"1 8"),
    "a length with a sign": lengths(b"+8"),
    "a negative length": lengths(b"-8"),
    "a hexadecimal length": lengths(b"0x8"),
    "a length as Python writes it": lengths(b"0_8"),
    "a length as a float": lengths(b"8.0"),
    "a length of wide digits": lengths("８".encode()),
    "a length that is empty": lengths(b""),
    "a length with NUL": lengths(b"8\0"),
    "a length that overflows": lengths(b"18446744073709551624"),
    "a length of 5,001 digits": lengths(b"0" * 5000 + b"8"),
    "a space before the length's colon": head(b"content-length : 8") + BODY,
    "a tab before the length's colon": head(b"content-length\t: 8") + BODY,
    "a space before the length": head(b" content-length: 8") + BODY,
    "a length and chunks": head(b"content-length: 8", CHUNKED) + b"0\r\n\r\n",
    "chunks and a length": head(CHUNKED, b"content-length: 8") + b"0\r\n\r\n",
    "chunks and a length with an upgrade": head(CHUNKED, b"content-length: 8", b"connection: upgrade", b"upgrade: h2c"),
    "chunks twice": codings(b"chunked", b"chunked"),
    "chunks in chunks": codings(b"chunked, chunked"),
    "chunks not last": codings(b"chunked, identity"),
    "a coding before chunks": codings(b"gzip, chunked"),
    "a coding in a header before chunks": codings(b"x", b"chunked"),
    "a coding in a header after chunks": codings(b"chunked", b"x"),
    "a coding that ends like chunks": codings(b"xchunked"),
    "a coding in quotes": codings(b'"chunked"'),
    "a coding with a parameter": codings(b"chunked;x=1"),
    "a coding after nothing": codings(b",chunked"),
    "a coding after a vertical tab": codings(b"\x0bchunked"),
    "a coding that is empty": codings(b""),
    "no coding at all": codings(b"identity"),
    "a coding on a second line": codings(b"\r\n chunked"),
    "a space before the coding's colon": head(b"transfer-encoding : chunked") + b"0\r\n\r\n",
    "chunks of HTTP/1.0": head(CHUNKED, start=b"GET / HTTP/1.0") + b"0\r\n\r\n",
    **{
        f"a chunk of size {size!r}": chunks(size + b"\r\n" + BODY + b"\r\n0\r\n\r\n")
        for size in (b"0x8", b"+8", b"-8", b"0_8", b" 8", b"8 ", b"8\t", b"", b"g", b"1" + b"0" * 16, b"8\r", b"8 ;a")
    },
    **{
        f"a chunk of size {size}": chunks(size.encode() + b"\r\n" + BODY + b"\r\n0\r\n\r\n")
        for size in ("８", "٨", "²")
    },
    "a chunk size before a line feed": chunks(b"8\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk size before a carriage return": chunks(b"8\r" + BODY + b"\r\n0\r\n\r\n"),
    "a last chunk before a line feed": chunks(b"0\n\r\n"),
    "chunks that end with a line feed": chunks(b"0\r\n\n"),
    "an extension before a line feed": chunks(b"8;a\n" + BODY + b"\r\n0\r\n\r\n"),
    "an extension with a line feed in quotes": chunks(b'8;a="\n"\r\n' + BODY + b"\r\n0\r\n\r\n"),
    "an extension with NUL": chunks(b"8;a\0\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a trailer with a length": end(b"content-length: 8\r\n\r\n"),
    "a trailer with a coding": end(CHUNKED + b"\r\n\r\n"),
    "a trailer on two lines": end(b"x: a\r\n b\r\n\r\n"),
    "a trailer before a line feed": end(b"x: a\n\r\n"),
    "a trailer without a colon": end(b"x\r\n\r\n"),
    "line feeds alone": head(b"content-length: 8").replace(b"\r\n", b"\n") + BODY,
    "carriage returns alone": head(b"content-length: 8").replace(b"\r\n", b"\r") + BODY,
    "a line feed after the request line": head().replace(b"1.1\r\n", b"1.1\n"),
    "a line feed after a header": head().replace(b"test\r\n", b"test\n"),
    "a line feed at the end": head()[:-2] + b"\n",
    "a carriage return in a header": head(b"x: a\rcontent-length: 8"),
    "a header on two lines": head(b"x: a\r\n b"),
    "a header on two lines with a tab": head(b"x: a\r\n\tb"),
    "a header of an empty line and a second one": head(b"x:\r\n \r\ncontent-length: 8"),
    "a space before the first header": head(host=b" host: test"),
    "NUL in a header": head(b"x: a\0b"),
    "NUL in a header's name": head(b"x\0y: a"),
    "NUL in the target": head(start=b"GET /\0 HTTP/1.1"),
    "NUL before all": b"\0" + head(),
    "a control character in a header": head(b"x: a\x01b"),
    "a delimiter in a header's name": head(b"x(y): a"),
    "a header without a colon": head(b"x"),
    "a header without a name": head(b": x"),
    "no host": head(host=b""),
    "two hosts": head(b"host: other"),
    "a host that is none": head(host=b"host: a b/c@d"),
    "a list of hosts": head(host=b"host: a, b"),
    "authorization twice": head(b"authorization: Bearer a", b"authorization: Bearer b"),
    "a method in small letters": head(start=b"get / HTTP/1.1"),
    "a method of its own": head(start=b"SMUGGLE / HTTP/1.1"),
    "a method of 100,000 letters": head(start=b"G" * 100_000 + b" / HTTP/1.1"),
    "a tab after the method": head(start=b"GET\t/ HTTP/1.1"),
    "a space in the target": head(start=b"GET /a b HTTP/1.1"),
    "an authority as the target": head(start=b"GET test:80 HTTP/1.1"),
    "a space after the version": head(start=b"GET / HTTP/1.1 "),
    "a version of two digits": head(start=b"GET / HTTP/1.10"),
    "a version that is not there": head(start=b"GET / HTTP/9.9"),
    "half a version": head(start=b"GET / HTTP/1"),
    "another protocol": head(start=b"GET / HTTPS/1.1"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
}
TOO_LARGE: Mapping[str, bytes] = {
    "a header of 1 MiB": head(b"x: " + LONG),
    "a name of 1 MiB": head(LONG + b": x"),
    "a target of 1 MiB": head(start=b"GET /" + LONG + b" HTTP/1.1"),
    "an extension of 1 MiB": chunks(b"8;" + LONG + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a trailer of 1 MiB": end(b"x: " + LONG + b"\r\n\r\n"),
    "headers of a little more than allowed": head(*(b"x: " + b"a" * (HEAD_BYTES_MAX // 8) for _ in range(8))),
    "10,000 headers": head(*(b"x%d: a" % number for number in range(10_000))),
    "10,000 headers of one name": head(*(b"x: a" for _ in range(10_000))),
    "10,000 trailers": end(b"x: a\r\n" * 10_000 + b"\r\n"),
    "a header more than allowed": head(*(b"x: a" for _ in range(FIELDS_MAX))),
}
TAKEN: Mapping[str, bytes] = {
    "as many headers as allowed": head(*(b"x: a" for _ in range(FIELDS_MAX - 1))),
    "a header of nearly all that is allowed": head(b"x: " + b"a" * (HEAD_BYTES_MAX - 100)),
    "spaces around values": head(b"content-length:\t0 \t", host=b"host: test "),
    "a length with zeros": head(b"content-length: 000"),
    "chunks": chunks(b"0\r\n\r\n"),
    "chunks in capitals": head(b"Transfer-Encoding: CHUNKED ") + b"000\r\n\r\n",
    "a chunk's extension": chunks(b'0;a="b;c";d\r\n\r\n'),
    "trailers that are no headers": end(b"host: a b\r\nauthorization: Bearer a\r\nexpect: a miracle\r\n\r\n"),
    "an empty line before": b"\r\n" + head(),
    "an empty host": head(host=b"host:"),
    "a host with a port": head(host=b"host: [::1]:8080"),
    "bytes beyond ASCII in a header": head(b"x: \xff"),
    "a header that only looks like another one": head(b"transfer_encoding: chunked", b"content_length: 8"),
    "an upgrade": head(b"connection: upgrade", b"upgrade: websocket"),
    "a question before no body": head(b"expect: 100-continue"),
    "an old client that asks": head(
        b"expect: 100-continue", b"connection: keep-alive", b"content-length: 0", start=b"GET / HTTP/1.0"
    ),
}


@pytest.fixture(params=["http", "admin", "http of stand-ins", "admin of stand-ins"])
def target(request: pytest.FixtureRequest) -> tuple[Client, bytes]:
    """A connection to one of the ports, and a path that needs no key there."""
    echo: Service = request.getfixturevalue("plain_echo" if "stand-ins" in request.param else "echo")
    is_public = request.param.startswith("http")
    client = Client(echo.port if is_public else echo.admin_port)
    echo.clients.append(client)
    return client, b"/" if is_public else b"/health"


def said(target: tuple[Client, bytes], data: bytes) -> Client:
    """The client after it sent a request of the corpus to a path of its port, and another one at once."""
    client, path = target
    with suppress(ConnectionError):
        client.send(data.replace(b" / ", b" " + path + b" ", 1), NEXT)
    return client


@pytest.mark.parametrize("name", REFUSED)
def test_what_readers_disagree_about_is_refused_and_nothing_behind_it_is_read(
    target: tuple[Client, bytes], name: str
) -> None:
    client = said(target, REFUSED[name])

    answer = client.answer()

    assert (answer.status, answer.code, answer.headers["connection"]) == (400, "bad_request", "close")
    assert client.is_closed()


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_head_or_trailer_beyond_the_limit_is_told_so(target: tuple[Client, bytes], name: str) -> None:
    client = said(target, TOO_LARGE[name])

    assert client.answer().status == 431
    assert client.is_closed()


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_allowed_is_taken_and_the_next_request_too(target: tuple[Client, bytes], name: str) -> None:
    client = said(target, TAKEN[name])

    statuses = [client.answer().status for _ in range(2)]

    assert statuses[0] == 200
    assert statuses[1] in (401, 404)


@pytest.mark.parametrize(
    ("start", "status"),
    [(b"GET / HTTP/2.0", 505), (b"GET /", 505), (b"GET / HTTP/0.9", 505), (b"CONNECT test:443 HTTP/1.1", 404)],
)
def test_another_version_or_a_tunnel_is_refused(target: tuple[Client, bytes], start: bytes, status: int) -> None:
    client = said(target, head(start=start))

    assert client.answer().status in (status, 401)
    assert client.is_closed()


def test_another_expectation_is_refused(target: tuple[Client, bytes]) -> None:
    client = said(target, head(b"expect: a miracle"))

    assert client.answer().status == 417
    assert client.is_closed()
