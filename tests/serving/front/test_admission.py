import json

import pytest

from tests.serving.conftest import BLOCKS, Client, Service, Start, request, until


def ask(service: Service, x: int) -> Client:
    client = service.client()
    client.send(request(service.score_path, json.dumps({"x": x}).encode()))
    return client


def begin(service: Service, x: int) -> Client:
    """A request that is being scored."""
    client = ask(service, x)
    until((service.scoring / f"started-{x}").exists)
    return client


def wait_for(service: Service, waiting: int) -> None:
    until(lambda: service.metric("mmgit_queue_requests") == waiting)


def go(service: Service) -> None:
    (service.scoring / "go").touch()


def test_as_many_run_as_there_are_scorers_as_many_wait_as_declared_and_the_next_is_refused(start: Start) -> None:
    service = start(score=BLOCKS, concurrency=2, queue=3)
    until(lambda: service.metric("mmgit_scorers_ready") == 2)
    running = [begin(service, number) for number in (1, 2)]
    waiting = [ask(service, number) for number in (3, 4, 5)]
    wait_for(service, 3)

    refused = ask(service, 6).answer()

    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "queue_full", "1")
    assert (service.admin("/health").status, service.admin("/ready").status) == (200, 200)
    assert service.metric("mmgit_scorers_busy") == 2
    go(service)
    assert sorted(client.answer().document for client in [*running, *waiting]) == [1, 2, 3, 4, 5]


def test_a_full_queue_refuses_before_the_body_is_sent(start: Start) -> None:
    service = start(score=BLOCKS, queue=0)
    running = begin(service, 1)
    client = service.client()

    client.send(request(service.score_path, content_length="1000"))

    assert client.answer().status == 503
    go(service)
    assert running.answer().document == 1


def test_a_slow_body_takes_no_place_in_the_queue(start: Start) -> None:
    service = start(score=BLOCKS, queue=1)
    slow = [service.client() for _ in range(5)]
    for client in slow:
        client.send(request(service.score_path, content_length="1000"), b"{")
    go(service)

    assert service.score(x=1).document == 1


def test_waiting_requests_are_scored_in_their_order(start: Start) -> None:
    score = BLOCKS + "    \ndone = []\nfirst = run\ndef run(x):\n    first(x)\n    done.append(x)\n    return done\n"
    service = start(score=score)
    clients = [begin(service, 0)]
    for number in (1, 2, 3):
        clients.append(ask(service, number))
        wait_for(service, number)

    go(service)

    assert [client.answer().document for client in clients][-1] == [0, 1, 2, 3]


def test_a_request_whose_client_left_is_never_scored(start: Start) -> None:
    service = start(score=BLOCKS)
    running = begin(service, 1)
    leaver = ask(service, 2)
    wait_for(service, 1)

    leaver.close()
    wait_for(service, 0)
    go(service)

    assert running.answer().document == 1
    assert service.score(x=3).document == 3
    assert not (service.scoring / "started-2").exists()
    assert service.metric("mmgit_abandoned_requests_total") == 1


def test_a_request_that_waited_too_long_is_answered_and_never_scored(start: Start) -> None:
    service = start(score=BLOCKS, timeout_seconds=1)
    running = begin(service, 1)

    late = ask(service, 2).answer()

    assert (late.status, late.code) == (504, "timeout")
    assert running.answer().status == 504
    until(service.is_ready)
    assert not (service.scoring / "started-2").exists()


@pytest.mark.parametrize("queue", [0, 10])
def test_nothing_is_taken_before_a_scorer_is_up(start: Start, queue: int) -> None:
    score = "import os, time\ndef init():\n    while not os.path.exists('go'): time.sleep(0.01)\ndef run(x): return x\n"
    service = start(score=score, awaited=False, queue=queue)

    early = service.score(x=1)

    assert (early.status, early.code) == (503, "not_ready")
    go(service)
    until(service.is_ready)
    assert service.score(x=1).document == 1
