"""Heads that a connection sends again are not parsed again; nothing else about their requests differs."""

import json
import time

import pytest

from tests.serving.conftest import KEY, Client, Service, Start, keys_document, request, until


@pytest.fixture
def client(echo: Service) -> Client:
    return echo.client()


def test_a_head_that_comes_again_is_read_with_its_own_body(client: Client) -> None:
    client.send(request(Service.score_path, b'{"x": 1}'))
    client.answer()

    client.send(request(Service.score_path, b'{"x": 2}'))

    assert client.answer().body == b"2"


@pytest.mark.parametrize("cut", [1, 40, -9, -8, -7, -1])
def test_a_known_request_may_come_in_pieces_or_with_another_one_behind_it(client: Client, cut: int) -> None:
    first, second = (request(Service.score_path, body) for body in (b'{"x": 1}', b'{"x": 2}'))
    client.send(first)
    client.answer()

    client.send(first[:cut])
    time.sleep(0.02)
    client.send(first[cut:], second)

    assert [client.answer().body, client.answer().body] == [b"1", b"2"]


def test_a_known_head_before_a_longer_body_is_parsed_again(client: Client) -> None:
    client.send(request(Service.score_path, b'{"x": 1}'))
    client.answer()

    client.send(request(Service.score_path, b'{"x": 234}'))

    assert client.answer().body == b"234"


def test_a_known_head_opens_nothing_once_its_key_is_gone(start: Start) -> None:
    service = start()
    client = service.client()
    client.send(request(Service.score_path, b'{"x": 1}'))
    opened = client.answer().status

    (service.folder / "keys" / "keys.json").write_text(keys_document())
    until(lambda: service.score(x=1).status == 401)
    client.send(request(Service.score_path, b'{"x": 1}'))

    assert (opened, client.answer().status) == (200, 401)


def test_a_known_head_opens_again_when_the_keys_were_written_again(start: Start) -> None:
    service = start()
    client = service.client()
    client.send(request(Service.score_path, b'{"x": 1}'))
    statuses = [client.answer().status]
    other = "mmgit_other_secret_check"

    (service.folder / "keys" / "keys.json").write_text(keys_document(KEY, other))
    until(lambda: service.ask(Service.score_path, b'{"x": 1}', key=other).status == 200)
    for _ in range(2):
        client.send(request(Service.score_path, b'{"x": 1}'))
        statuses.append(client.answer().status)

    assert statuses == [200, 200, 200]
    assert until(lambda: len(service.logged("request", key="k7f3")) == len(statuses))


def test_each_request_of_a_known_head_has_an_id_of_its_own(client: Client) -> None:
    answers = []
    for _ in range(3):
        client.send(request(Service.score_path, b'{"x": 1}'))
        answers.append(client.answer())

    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_refused_request_that_comes_again_is_refused_again(client: Client) -> None:
    wrong = request(Service.score_path, b'{"x": 1}', key="mmgit_other_secret_check")
    right = request(Service.score_path, b'{"x": 1}')

    client.send(wrong)
    statuses = [client.answer().status]
    for again in (wrong, right, wrong):
        client.send(again)
        statuses.append(client.answer().status)

    assert statuses == [401, 401, 200, 401]


def test_chunks_are_parsed_every_time(client: Client) -> None:
    head = request(Service.score_path, transfer_encoding="chunked", content_length="", content_type="application/json")
    for number in (b"1", b"2"):
        client.send(head, b"8\r\n", b'{"x": %b}' % number, b"\r\n0\r\n\r\n")

        assert client.answer().body == number


def test_requests_of_a_known_head_leave_nothing_behind(start: Start) -> None:
    service = start()
    client = service.client()
    asked = request(Service.score_path, json.dumps({"x": "a" * 2000}).encode())

    def held_mib(requests: int) -> float:
        for _ in range(requests):
            client.send(asked)
            client.answer()
        return service.resident_mib()

    before = held_mib(500)

    assert held_mib(2500) - before < 2
