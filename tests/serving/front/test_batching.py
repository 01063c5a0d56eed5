"""Requests that wait are scored together where that is declared, by a server as an image starts it."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mmgit.sdk import generate_schema
from tests.serving.conftest import Answer, Client, Service, Start, request, until

SCHEMA = generate_schema(lambda x: x, {"x": np.zeros((1, 2))}, row_wise=True)
SUMS = """
import os, time

def hold(name):
    open(f"holding-{name}", "w").close()
    while not os.path.exists(f"go-{name}"):
        time.sleep(0.002)

def run(x):
    if x[0][0] == -1:
        hold("one")
    with open("calls", "a") as calls:
        calls.write(f"{x[:, 0].astype(int).tolist()}\\n")
    if (x == 666).any():
        raise ValueError("poison")
    if (x == 667).any():
        os._exit(3)
    if (x == 668).any():
        hold("poison")
        raise ValueError("poison")
    if (x == 669).any():
        time.sleep(60)
    print("scored", len(x))
    return x.sum(axis=1)
"""
"""Holds the scorer for -1, and writes down the first cells of each call's rows."""

Batching = Callable[..., Service]


@pytest.fixture
def batching(start: Start) -> Batching:
    """Starts a server that scores up to 8 requests together."""

    def run(**given: Any) -> Service:
        return start(**{"score": SUMS, "schema": SCHEMA, "queue": 20, "batch_max_requests": 8, **given})

    return run


def ask(service: Service, *rows: list[float], **headers: str) -> Client:
    client = service.client()
    client.send(request(service.score_path, json.dumps({"x": rows}).encode(), **headers))
    return client


def hold(service: Service) -> Client:
    """Keep the only scorer busy."""
    client = ask(service, [-1, 0])
    until((service.scoring / "holding-one").exists)
    return client


def wait_for(service: Service, waiting: int) -> None:
    until(lambda: service.metric("mmgit_queue_requests") == waiting)


def ask_in_turn(service: Service, *values: float) -> list[Client]:
    """A request of one row a value; all wait, in this order."""
    clients = []
    for value in values:
        before = service.metric("mmgit_queue_requests")
        clients.append(ask(service, [value, 1], x_request_id=f"r{value:g}"))
        wait_for(service, int(before) + 1)
    return clients


def go(service: Service, name: str = "one") -> None:
    (service.scoring / f"go-{name}").touch()


def calls(service: Service) -> list[list[int]]:
    """The first cells of the rows of every call, but for the one that held the scorer."""
    lines = (service.scoring / "calls").read_text().splitlines()
    return [json.loads(line) for line in lines if line != "[-1]"]


def documents(clients: list[Client]) -> list[Any]:
    return [client.answer().document for client in clients]


def test_what_waits_is_scored_in_one_call_and_each_gets_its_rows(batching: Batching) -> None:
    service = batching()
    holding = hold(service)
    waiting = [*ask_in_turn(service, 1, 2), ask(service, [3, 1], [4, 1])]
    wait_for(service, 3)

    go(service)

    assert documents([holding, *waiting]) == [[-1.0], [2.0], [3.0], [4.0, 5.0]]
    assert calls(service) == [[1, 2, 3, 4]]
    assert (service.metric("mmgit_batch_requests_sum"), service.metric("mmgit_batch_requests_count")) == (4, 2)
    [line] = until(lambda: service.logged("print", message="scored 4"))
    assert line["request_ids"][:2] == ["r1", "r2"]


@pytest.fixture
def _one_processor() -> Iterator[None]:
    """What is started here runs on one processor, as in a small container."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system does not tie processes to processors")
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(own)})
    yield
    os.sched_setaffinity(0, own)


def ask_at_once(service: Service, *values: float) -> Client:
    """Requests that arrive in one piece."""
    client = service.client()
    client.send(*(request(service.score_path, json.dumps({"x": [[value, 1]]}).encode()) for value in values))
    return client


@pytest.mark.usefixtures("_one_processor")
def test_on_one_processor_what_comes_before_the_scorer_can_run_is_scored_with_it(batching: Batching) -> None:
    service = batching()

    client = ask_at_once(service, *range(1, 11))

    assert [client.answer().document for _ in range(10)] == [[value + 1] for value in range(1, 11)]
    assert calls(service) == [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10]]
    assert ask(service, [11, 1]).answer().document == [12]


@pytest.mark.usefixtures("_one_processor")
def test_on_one_processor_no_more_wait_for_it_than_may(batching: Batching) -> None:
    service = batching(queue=2)

    client = ask_at_once(service, 1, 2, 3, 4)

    assert [client.answer().status for _ in range(4)] == [200, 200, 200, 503]
    assert calls(service) == [[1, 2, 3]]


@pytest.mark.usefixtures("_one_processor")
def test_on_one_processor_what_is_not_row_wise_is_scored_as_before(batching: Batching) -> None:
    service = batching(schema={**SCHEMA, "x-mmgit": {}})

    client = ask_at_once(service, 1, 2, 3)

    assert [client.answer().document for _ in range(3)] == [[2], [3], [4]]
    assert calls(service) == [[1], [2], [3]]


def test_a_request_that_finds_a_scorer_waits_for_no_other(batching: Batching) -> None:
    service = batching()

    for value in (1, 2):
        assert ask(service, [value, 1]).answer().document == [value + 1]

    assert calls(service) == [[1], [2]]
    [line] = until(lambda: service.logged("print")[1:])
    assert "request_id" in line


def test_no_more_are_scored_together_than_declared(batching: Batching) -> None:
    service = batching(batch_max_requests=3)
    hold(service)
    clients = ask_in_turn(service, *range(1, 8))

    go(service)

    assert documents(clients) == [[value + 1.0] for value in range(1, 8)]
    assert calls(service) == [[1, 2, 3], [4, 5, 6], [7]]


def test_no_more_bytes_are_scored_together_than_declared(batching: Batching) -> None:
    service = batching(batch_max_bytes=40)
    hold(service)
    clients = ask_in_turn(service, 1, 2, 3)
    clients.append(ask(service, *[[4.0, 1.0]] * 20))
    wait_for(service, 4)

    go(service)

    assert [client.answer().status for client in clients] == [200] * 4
    assert calls(service) == [[1, 2], [3], [4] * 20]


def test_the_queue_counts_requests(batching: Batching) -> None:
    service = batching(queue=3)
    hold(service)
    clients = ask_in_turn(service, 1, 2, 3)

    refused = ask(service, [4, 1]).answer()

    assert (refused.status, refused.code) == (503, "queue_full")
    go(service)
    assert documents(clients) == [[2.0], [3.0], [4.0]]


def test_tensors_are_scored_with_arguments(batching: Batching) -> None:
    service = batching()
    hold(service)
    clients = ask_in_turn(service, 1)
    inputs = [{"name": "x", "datatype": "FP64", "shape": [2, 2], "data": [2, 1, 3, 1]}]
    clients.append(service.client())
    clients[-1].send(request(f"{service.base}/v2/models/digits/infer", json.dumps({"inputs": inputs}).encode()))
    wait_for(service, 2)

    go(service)

    one, two = (client.answer().document for client in clients)
    assert one == [2.0]
    assert two["outputs"] == [{"name": "output", "datatype": "FP64", "shape": [2], "data": [3.0, 4.0]}]
    assert calls(service) == [[1, 2, 3]]


def test_a_wrong_request_among_good_ones_is_told_so(batching: Batching) -> None:
    service = batching()
    hold(service)
    clients = [*ask_in_turn(service, 1), ask(service, [2, 1, 0]), ask(service, [3, 1])]
    wait_for(service, 3)

    go(service)

    answers = [client.answer() for client in clients]
    assert [answer.status for answer in answers] == [200, 400, 200]
    assert answers[1].code == "argument_invalid"
    assert calls(service) == [[1, 3]]
    assert service.metric("mmgit_batch_replays_total") == 0


def test_one_that_run_fails_for_spoils_no_other(batching: Batching) -> None:
    service = batching()
    hold(service)
    clients = ask_in_turn(service, 1, 666, 3)

    go(service)

    answers = [client.answer() for client in clients]
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert [answers[0].document, answers[1].code, answers[2].document] == [[2.0], "scoring_failed", [4.0]]
    assert calls(service) == [[1, 666, 3], [1], [666], [3]]
    assert service.metric("mmgit_batch_replays_total") == 1
    assert service.stop() == 0
    assert [line["request_ids"] for line in service.logged("batch_replayed")] == [["r1", "r666", "r3"]]
    assert [line["request_id"] for line in service.logged("run_failed")] == ["r666"]


def test_one_that_ends_the_scorer_spoils_no_other(batching: Batching) -> None:
    service = batching()
    hold(service)
    clients = ask_in_turn(service, 1, 667, 3)

    go(service)

    answers = [client.answer() for client in clients]
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert [answers[0].document, answers[1].code, answers[2].document] == [[2.0], "scorer_died", [4.0]]
    assert service.metric("mmgit_batch_replays_total") == 1


def test_a_result_that_is_no_rows_is_made_again_for_each(batching: Batching) -> None:
    service = batching(score=SUMS.replace("x.sum(axis=1)", "float(x.sum())"))
    hold(service)
    clients = ask_in_turn(service, 1, 2)

    go(service)

    assert documents(clients) == [2.0, 3.0]
    assert calls(service) == [[1, 2], [1], [2]]


def test_a_scorer_that_hangs_is_ended_and_all_that_it_scored_were_too_late(batching: Batching) -> None:
    service = batching(timeout_seconds=3)
    hold(service)
    clients = ask_in_turn(service, 1, 669)

    go(service)

    assert [(answer.status, answer.code) for answer in map(Client.answer, clients)] == [(504, "timeout")] * 2
    until(lambda: service.metric('mmgit_scorer_restarts_total{reason="hung"}') == 1)
    assert calls(service) == [[1, 669]]


def test_a_client_that_left_the_queue_is_never_scored(batching: Batching) -> None:
    service = batching()
    hold(service)
    one, leaver, three = ask_in_turn(service, 1, 2, 3)

    leaver.close()
    wait_for(service, 2)
    go(service)

    assert documents([one, three]) == [[2.0], [4.0]]
    assert calls(service) == [[1, 3]]


def test_a_deadline_that_passed_in_the_queue_is_never_scored(batching: Batching) -> None:
    service = batching()
    hold(service)
    clients = ask_in_turn(service, 1)

    late = ask(service, [2, 1], x_request_timeout_ms="100").answer()
    go(service)

    assert (late.status, late.code) == (504, "timeout")
    assert documents(clients) == [[2.0]]
    assert calls(service) == [[1]]


def test_who_left_or_is_too_late_is_not_scored_a_second_time(batching: Batching) -> None:
    service = batching()
    hold(service)
    [leaver, poison, patient] = ask_in_turn(service, 1, 668, 3)
    late = ask(service, [4, 1], x_request_timeout_ms="1000")
    wait_for(service, 4)

    go(service)
    until((service.scoring / "holding-poison").exists)
    leaver.close()
    assert late.answer().status == 504
    until(lambda: service.metric("mmgit_abandoned_requests_total") == 1)
    go(service, "poison")

    assert [poison.answer().status, patient.answer().document] == [500, [4.0]]
    assert calls(service) == [[1, 668, 3, 4], [668], [3]]


def test_several_scorers_share_what_is_scored_again(batching: Batching) -> None:
    service = batching(concurrency=2, score="import os\n" + SUMS.replace("x.sum(axis=1)", "[os.getpid()] * len(x)"))
    until(lambda: service.metric("mmgit_scorers_ready") == 2)
    hold(service)
    clients = [ask(service, [value, 1]) for value in (1, 666, 3, 4)]

    assert sorted(answer.status for answer in map(Client.answer, clients)) == [200, 200, 200, 500]
    go(service)


def test_what_was_accepted_is_answered_while_the_server_drains(batching: Batching) -> None:
    service = batching()
    holding = hold(service)
    clients = ask_in_turn(service, 1, 666, 3)

    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.logged("draining"))
    go(service)

    assert [client.answer().status for client in [holding, *clients]] == [200, 200, 500, 200]
    assert service.wait() == 0


def test_requests_of_one_connection_are_answered_in_their_order(batching: Batching) -> None:
    service = batching()
    hold(service)
    client = service.client()
    client.send(*(request(service.score_path, json.dumps({"x": [[value, 1]]}).encode()) for value in (1, 666, 3)))
    wait_for(service, 3)

    go(service)

    answers: list[Answer] = [client.answer() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert [answers[0].document, answers[2].document] == [[2.0], [4.0]]


@pytest.mark.parametrize(
    ("given", "is_told"),
    [
        ({"batch_max_requests": 1}, False),
        ({"schema": generate_schema(lambda x: x, {"x": np.zeros((1, 2))})}, True),
    ],
)
def test_without_either_declaration_each_is_scored_by_itself(
    batching: Batching, given: dict[str, Any], *, is_told: bool
) -> None:
    service = batching(**given)
    hold(service)
    clients = ask_in_turn(service, 1, 2)

    go(service)

    assert documents(clients) == [[2.0], [3.0]]
    assert calls(service) == [[1], [2]]
    assert service.stop() == 0
    assert bool(service.logged("batching_off", level="warning")) is is_told


def test_a_schema_that_declares_what_cannot_be_stops_the_server(start: Start) -> None:
    schema = {"properties": {"x": {}}, "required": ["x"], "x-mmgit": {"row_wise": True}}

    service = start(score=SUMS, schema=schema, awaited=False)

    assert service.wait() == 1
    [line] = service.logged("given_up")
    assert "x-mmgit.row_wise: x is neither a frame nor an array" in line["message"]
