"""The only scorer has the next requests before it answers the one it scores; nobody can tell but by its pace."""

import json
import time
from typing import Any

import numpy as np
import pytest

from mmgit.sdk import generate_schema
from mmgit.serving.front.turns import AHEAD_MAX
from mmgit.serving.scorer.frames import REQUEST
from tests.serving.conftest import Client, Service, Start, request, until

HOLDS = """
import fcntl, json, os, signal, struct, sys, termios, time

requests_fd = json.loads(sys.argv[1])["requests_fd"]

def run(x):
    name = x if isinstance(x, str) else "next" if x[0][0] else "hold"
    with open("scored", "a") as scored:
        scored.write(f"{name} {os.getpid()}\\n")
    if name == "hang":
        signal.signal(signal.SIGABRT, signal.SIG_IGN)
    while name in ("hold", "hang") and not os.path.exists("go"):
        time.sleep(0.005)
    if name == "fork":
        os.fork()
    if name == "die":
        while not os.path.exists("go"):
            time.sleep(0.005)
        os._exit(1)
    [ahead] = struct.unpack("i", fcntl.ioctl(requests_fd, termios.FIONREAD, bytes(4)))
    return ahead if isinstance(x, str) else [ahead] * len(x)
"""
"""Writes down what it scores and in which process; answers with how many bytes are in its pipe by then."""
ROW_WISE = generate_schema(lambda x: x, {"x": np.zeros((1, 1))}, row_wise=True)


def ask(service: Service, x: Any, **headers: str) -> Client:
    client = service.client()
    client.send(request(service.score_path, json.dumps({"x": x}).encode(), x_request_id="r", **headers))
    return client


def hold(service: Service, x: Any) -> Client:
    client = ask(service, x)
    until(lambda: scored(service))
    return client


def wait_for(service: Service, waiting: int) -> None:
    until(lambda: service.metric("mmgit_queue_requests") == waiting)


def go(service: Service) -> None:
    (service.scoring / "go").touch()


def scored(service: Service) -> list[list[str]]:
    """What was scored, each with its process."""
    file = service.scoring / "scored"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("waiting", [1, AHEAD_MAX, AHEAD_MAX + 2])
def test_the_only_scorer_has_the_first_of_those_that_wait(start: Start, waiting: int) -> None:
    service = start(score=HOLDS)
    held = hold(service, "hold")
    others = [ask(service, "next") for _ in range(waiting)]
    wait_for(service, waiting)
    busy = service.metric("mmgit_scorers_busy")

    go(service)

    assert busy == 1
    frame_bytes = REQUEST.size + len("r\n\n") + len('{"x": "next"}')
    assert held.answer().document == min(waiting, AHEAD_MAX) * frame_bytes
    assert [other.answer().status for other in others] == [200] * waiting
    assert service.metric("mmgit_queue_duration_seconds_count") == waiting + 1


@pytest.mark.parametrize(
    "given",
    [
        {"concurrency": 2},
        {"schema": ROW_WISE, "batch_max_requests": 8},
    ],
)
def test_several_scorers_and_those_of_batches_take_requests_when_they_are_free(start: Start, given: Any) -> None:
    service = start(score=HOLDS, **given)
    until(lambda: service.metric("mmgit_scorers_ready") == service.metric("mmgit_scorers"))
    held = [ask(service, [[0]]) for _ in range(given.get("concurrency", 1))]
    until(lambda: len(scored(service)) == len(held))
    others = [ask(service, [[1]]) for _ in range(2)]
    wait_for(service, 2)

    go(service)

    assert [client.answer().document for client in held] == [[0]] * len(held)
    assert [client.answer().status for client in others] == [200, 200]


def test_clients_that_left_after_that_are_not_scored_and_the_others_are(start: Start) -> None:
    service = start(score=HOLDS)
    held = hold(service, "hold")
    clients = {}
    for waiting, name in enumerate(("first", "second", "third", "fourth", "fifth"), 1):
        clients[name] = ask(service, name)
        wait_for(service, waiting)

    for waiting, name in ((4, "first"), (3, "fourth"), (2, "third")):
        clients[name].close()
        wait_for(service, waiting)
    go(service)

    assert [client.answer().status for client in (held, clients["second"], clients["fifth"])] == [200] * 3
    assert [name for name, _ in scored(service)] == ["hold", "second", "fifth"]
    assert service.metric("mmgit_abandoned_requests_total") == 3


def test_a_deadline_that_passed_after_that_is_not_scored_and_those_behind_it_are(start: Start) -> None:
    service = start(score=HOLDS)
    held = hold(service, "hold")
    late = ask(service, "late", x_request_timeout_ms="100")
    wait_for(service, 1)
    staying = ask(service, "second")
    wait_for(service, 2)

    answer = late.answer()
    go(service)

    assert (answer.status, answer.code) == (504, "timeout")
    assert (held.answer().status, staying.answer().status) == (200, 200)
    assert [name for name, _ in scored(service)] == ["hold", "second"]


def test_a_scorer_that_ends_before_has_not_begun_it(start: Start) -> None:
    service = start(score=HOLDS)
    dying = hold(service, "die")
    others = [ask(service, name) for name in ("second", "third")]
    wait_for(service, 2)

    go(service)

    assert dying.answer().code == "scorer_died"
    assert [client.answer().status for client in others] == [200, 200]
    (_, first), *rest = scored(service)
    assert [name for name, _ in rest] == ["second", "third"]
    assert first not in {pid for _, pid in rest}


def test_a_scorer_that_hangs_begins_nothing_more_even_if_it_comes_back(start: Start) -> None:
    service = start(score=HOLDS, timeout_seconds=3, spares=1)
    until(lambda: service.metric("mmgit_scorers_spare") == 1)
    hanging = hold(service, "hang")
    time.sleep(2)  # so that there is time to score the next one after three seconds
    following = ask(service, "next")
    wait_for(service, 1)

    until(lambda: service.metric("mmgit_scorers_ready") == 0)
    go(service)

    assert hanging.answer().code == "timeout"
    assert following.answer().status == 200
    (_, first), (name, second) = scored(service)
    assert name == "next"
    assert first != second


def test_a_second_answer_to_a_request_is_taken_for_no_other(start: Start) -> None:
    service = start(score=HOLDS)

    assert service.score(x="fork").status == 200

    until(lambda: service.logged("scorer_ended", message="it broke the frames' order"))
    until(service.is_ready)
    assert service.score(x="next").status == 200
