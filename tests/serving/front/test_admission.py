import json
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, cast

import pytest

from mmgit.serving.front.admission import Admission
from mmgit.serving.front.exchange import Exchange
from mmgit.serving.front.metrics import Metrics
from mmgit.serving.settings import Settings
from tests.serving.conftest import BLOCKS, Client, Service, Start, request, until
from tests.serving.front.conftest import Play, QuietSite, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mmgit.serving.front.scorers import Scorers


def ask(service: Service, x: int, **headers: str) -> Client:
    client = service.client()
    client.send(request(service.score_path, json.dumps({"x": x}).encode(), **headers))
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


def test_a_request_whose_own_deadline_passed_is_answered_and_never_scored(start: Start) -> None:
    service = start(score=BLOCKS)
    running = begin(service, 1)
    patient = ask(service, 2)
    wait_for(service, 1)

    late = ask(service, 3, x_request_timeout_ms="100").answer()

    assert (late.status, late.code) == (504, "timeout")
    go(service)
    assert [client.answer().document for client in (running, patient)] == [1, 2]
    assert not (service.scoring / "started-3").exists()


def test_a_request_that_arrives_after_its_deadline_is_never_scored(start: Start) -> None:
    service = start(score=BLOCKS)

    late = ask(service, 1, x_request_timeout_ms="0").answer()

    assert (late.status, late.code) == (504, "timeout")
    go(service)
    assert service.score(x=2).document == 2
    assert not (service.scoring / "started-1").exists()


def test_a_clients_short_deadline_ends_no_scorer(start: Start) -> None:
    service = start(score="import os, time\ndef run(x):\n    time.sleep(x)\n    return os.getpid()\n")
    before = service.score(x=0).document

    assert ask(service, 1, x_request_timeout_ms="100").answer().status == 504

    assert service.score(x=0).document == before


class OneScorer:
    """A pool whose only scorer remembers what it was given."""

    def __init__(self) -> None:
        self.scored: list[Exchange] = []
        self.idle: list[OneScorer] = []
        self.only: OneScorer | None = None
        self.ready = 1
        self.is_row_wise = False
        self.on_idle: Callable[[], None] = lambda: None
        self.on_returned: Callable[[Iterable[Exchange]], None] = lambda _: None

    def score(self, group: Sequence[Exchange]) -> None:
        self.scored += group


def test_a_deadline_that_passed_since_anybody_looked_is_seen_before_scoring(play: Play, site: QuietSite) -> None:
    pool = OneScorer()
    admission = Admission(cast("Scorers", pool), Metrics(), Settings("digits"))

    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(b"GET /1 HTTP/1.1\r\nhost: test\r\n\r\n" * 2)
        await stage.until(lambda: len(site.waiting) == 2)
        for exchange in site.waiting:
            admission.take(exchange)
        site.waiting[0].deadline = monotonic()

        pool.idle.append(pool)
        pool.on_idle()

        assert (await peer.answer())[0] == 504
        assert pool.scored == [site.waiting[1]]

    play(scene)


@pytest.mark.parametrize("queue", [0, 10])
def test_nothing_is_taken_before_a_scorer_is_up(start: Start, queue: int) -> None:
    score = "import os, time\ndef init():\n    while not os.path.exists('go'): time.sleep(0.01)\ndef run(x): return x\n"
    service = start(score=score, awaited=False, queue=queue)

    early = service.score(x=1)

    assert (early.status, early.code) == (503, "not_ready")
    go(service)
    until(service.is_ready)
    assert service.score(x=1).document == 1
