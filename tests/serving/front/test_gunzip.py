import gzip
import json
import os
from collections.abc import Iterator

import pytest

from tests.serving.conftest import BLOCKS, Service, Start, request, running, until

LIMIT = 20_000_000
MEBIBYTE = 1024 * 1024


def compressed(size: int) -> bytes:
    """A body of JSON with this many bytes of text that compresses to nearly nothing."""
    return gzip.compress(b'{"x": "' + b" " * size + b'"}')


def ask(service: Service, body: bytes, coding: str = "gzip") -> tuple[int, str]:
    answer = service.ask(service.score_path, body, content_encoding=coding)
    return answer.status, "" if answer.status == 200 else answer.code


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("server") / "measuring"
    with running(folder, score="def run(x):\n    return len(x)\n", max_body_bytes=LIMIT) as service:
        yield service


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_gzip_body_is_scored_as_what_it_holds(measuring: Service, coding: str) -> None:
    assert ask(measuring, compressed(3), coding) == (200, "")


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, MEBIBYTE, 10 * MEBIBYTE])
def test_any_size_within_the_limit_is_decompressed_whole(measuring: Service, size: int) -> None:
    answer = measuring.ask(measuring.score_path, compressed(size), content_encoding="gzip")

    assert answer.document == size


def test_what_does_not_compress_is_decompressed_too(measuring: Service) -> None:
    text = os.urandom(2 * MEBIBYTE).hex()

    answer = measuring.ask(
        measuring.score_path, gzip.compress(json.dumps({"x": text}).encode()), content_encoding="gzip"
    )

    assert answer.document == len(text)


def test_several_members_are_one_body(measuring: Service) -> None:
    text = b'{"x": "' + b"a" * 1000 + b'"}'
    body = b"".join(gzip.compress(text[at : at + 7]) for at in range(0, len(text), 7))

    assert measuring.ask(measuring.score_path, body, content_encoding="gzip").document == 1000


def test_as_a_chunked_body_it_is_decompressed_too(measuring: Service) -> None:
    body = compressed(100)
    client = measuring.client()
    client.send(
        request(measuring.score_path, content_length="", content_encoding="gzip", transfer_encoding="chunked"),
        *(b"1\r\n%c\r\n" % byte for byte in body),
        b"0\r\n\r\n",
    )

    assert client.answer().document == 100


@pytest.mark.parametrize("size", [LIMIT + 1, 500_000_000])
def test_a_bomb_is_refused_and_the_connection_goes_on(measuring: Service, size: int) -> None:
    client = measuring.client()
    client.send(request(measuring.score_path, compressed(size), content_encoding="gzip"))
    assert client.answer().status == 413

    client.send(request(measuring.score_path, b'{"x": "ab"}'))
    assert client.answer().document == 2
    assert measuring.metric("mmgit_held_bytes") == 0


GOOD = gzip.compress(b'{"x": "a"}', mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x1f",
        b'{"x": "a"}',
        GOOD[:-1],
        GOOD[:-9],
        GOOD[:10],
        GOOD + b"\x00",
        GOOD + b"more",
        GOOD + GOOD[:5],
        GOOD[:-8] + b"\x00" * 8,
        gzip.compress(b"") * 10_001,
        compressed(MEBIBYTE)[:-4],
    ],
)
def test_a_broken_gzip_body_is_refused(measuring: Service, body: bytes) -> None:
    assert ask(measuring, body) == (400, "gzip_invalid")


def test_what_is_decompressed_is_as_strict_json_as_any_body(measuring: Service) -> None:
    assert ask(measuring, gzip.compress(b'{"x": NaN}')) == (400, "json_invalid")


def test_others_are_answered_while_large_bodies_are_decompressed(start: Start) -> None:
    service = start(score="def run(x):\n    return len(x)\n", max_body_bytes=200_000_000)
    bomb = compressed(199_000_000)
    client = service.client()
    client.send(request(service.score_path, bomb, content_encoding="gzip"))
    until(lambda: service.metric("mmgit_held_bytes") > MEBIBYTE)

    answered = 0
    while 0 < service.metric("mmgit_held_bytes") < 150_000_000:
        assert service.ask("/", method="GET", key="").status == 200
        answered += 1

    assert answered > 3
    client.close()


def test_a_client_that_leaves_ends_its_decompression(start: Start) -> None:
    service = start(score=BLOCKS, max_body_bytes=200_000_000)
    client = service.client()
    client.send(request(service.score_path, compressed(190_000_000), content_encoding="gzip"))
    until(lambda: service.metric("mmgit_held_bytes") > MEBIBYTE)

    client.close()

    until(lambda: service.metric("mmgit_held_bytes") == 0)
    assert service.metric("mmgit_abandoned_requests_total") == 1


def test_bytes_that_were_decompressed_count_as_held(start: Start) -> None:
    service = start(score=BLOCKS, max_body_bytes=1_000_000)
    body = gzip.compress(b'{"x": 1' + b" " * 900_000 + b"}")
    waiting = [service.client() for _ in range(4)]
    for client, held_bytes in zip(waiting, (900_000, 1_800_000, 1_800_000, 1_800_000), strict=True):
        client.send(request(service.score_path, body, content_encoding="gzip"))
        until(lambda floor=held_bytes: service.metric("mmgit_held_bytes") >= floor)  # type: ignore[misc]

    refused = [client.answer() for client in waiting[2:]]

    assert {(answer.status, answer.code) for answer in refused} == {(503, "overloaded")}
    (service.scoring / "go").touch()
    assert [client.answer().document for client in waiting[:2]] == [1, 1]
