import asyncio
import json
import os
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from mmgit.serving.front import scorers as module
from mmgit.serving.front.launch import launch_of
from mmgit.serving.front.log import Log
from mmgit.serving.front.metrics import Metrics
from mmgit.serving.front.scorer_process import Scorer
from mmgit.serving.front.scorers import Scorers
from mmgit.serving.settings import Settings
from tests.serving.conftest import BLOCKS, ECHO, Start, request, until


class NeverStarted(Scorer):
    """A scorer whose process is a number."""

    started: ClassVar[list["NeverStarted"]] = []

    async def start(self) -> None:
        self.started.append(self)

    @property
    def pid(self) -> int:
        return 0

    def kill(self) -> None:
        pass


@pytest.fixture
def scorers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Scorers]]:
    monkeypatch.setattr(module, "Scorer", NeverStarted)
    NeverStarted.started = []
    settings = Settings("digits")
    null = os.open(os.devnull, os.O_WRONLY)
    log = Log(null)
    yield lambda: Scorers(settings, launch_of(settings, {}), log, Metrics())
    log.close()
    os.close(null)


def test_a_failed_init_ends_the_server_with_the_reason(start: Start) -> None:
    service = start(score="def init():\n    raise FileNotFoundError('no weights')\n" + ECHO, awaited=False)

    assert service.wait() == 1
    [line] = service.logged("given_up")
    assert line["message"] == "FileNotFoundError: no weights"
    assert "mmgit: the service cannot run: FileNotFoundError: no weights" in (service.folder / "log").read_text()
    assert "no weights" in service.logged("init_failed")[0]["traceback"]


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        ("async def run(x):\n    return x\n", "'async def'"),
        ("async def run(x):\n    yield x\n", "'async def'"),
        ("def init(): pass\n", "no function run()"),
        ("import nothing_of_this_name\n", "nothing_of_this_name"),
        ("def run(x) return x\n", "SyntaxError"),
        ("import sys\nsys.exit('enough')\n", "SystemExit: enough"),
        ("import os\nos._exit(7)\n", "status 7"),
        ("import os\nos.kill(os.getpid(), 11)\n", "signal 11"),
    ],
)
def test_a_score_file_that_cannot_serve_ends_the_server_with_the_reason(start: Start, score: str, reason: str) -> None:
    service = start(score=score, awaited=False)

    assert service.wait() == 1
    assert reason in service.logged("given_up")[0]["message"]


def test_an_init_that_does_not_end_ends_the_server(start: Start) -> None:
    score = "import time\ndef init():\n    time.sleep(1000)\n" + ECHO

    service = start(score=score, awaited=False, startup_timeout_seconds=0.3)

    assert service.wait() == 1
    assert service.logged("given_up")[0]["message"] == "init() did not finish within 0.3 s"


def test_an_interpreter_that_is_not_there_ends_the_server(start: Start) -> None:
    service = start(interpreter="/nowhere/python3", awaited=False)

    assert service.wait() == 1
    assert "/nowhere/python3" in service.logged("given_up")[0]["message"]


def test_a_scorer_that_keeps_dying_is_started_later_and_later(
    scorers: Callable[[], Scorers], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> list[float]:
        pool = scorers()
        loop = asyncio.get_running_loop()
        delays: list[float] = []

        def call_later(delay: float, callback: Callable[[], None]) -> None:
            delays.append(delay)
            callback()

        pool.start()
        await asyncio.sleep(0)
        monkeypatch.setattr(loop, "call_later", call_later)
        for _ in range(12):
            scorer = NeverStarted.started[-1]
            scorer.is_ready = True
            pool.became_idle(scorer)
            pool.ended(scorer, "it died")
            await asyncio.sleep(0)
        return delays

    delays = asyncio.run(scene())

    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == 30.0


def test_a_spare_takes_the_place_of_a_scorer_that_ends_at_once(start: Start) -> None:
    slow_start = "import os, time\ndef init():\n    time.sleep(2 if os.path.exists('slow') else 0)\n"
    score = slow_start + "def run(x):\n    return os._exit(3) if x == 'die' else os.getpid()\n"
    service = start(score=score, spares=1)
    until(lambda: service.metric("mmgit_scorers_spare") == 1)
    (service.scoring / "slow").touch()
    first = service.score(x=1).document

    assert service.score(x="die").code == "scorer_died"
    second = service.score(x=1)

    assert second.status == 200
    assert second.document != first
    assert service.metric("mmgit_scorers_spare") == 0
    assert service.metric("mmgit_scorers_ready") == 1
    until(lambda: service.metric("mmgit_scorers_spare") == 1)


def test_no_more_take_requests_than_declared(start: Start) -> None:
    service = start(score=BLOCKS, concurrency=1, spares=2)
    until(lambda: service.metric("mmgit_scorers_spare") == 2)
    clients = [service.client() for _ in range(3)]

    for number, client in enumerate(clients):
        client.send(request(service.score_path, json.dumps({"x": number}).encode()))
    until(lambda: service.metric("mmgit_queue_requests") == 2)

    assert service.metric("mmgit_scorers_busy") == 1
    (service.scoring / "go").touch()
    assert [client.answer().document for client in clients] == [0, 1, 2]


def test_scorers_that_stopped_coming_up_are_given_up(scorers: Callable[[], Scorers]) -> None:
    async def scene() -> str:
        pool = scorers()
        pool.start()
        await asyncio.sleep(0)
        scorer = NeverStarted.started[0]
        scorer.is_ready = True
        pool.became_idle(scorer)
        for _ in range(5):
            assert not pool.given_up.done()
            pool.ended(NeverStarted(pool, launch_of(Settings("digits"), {})), "no memory")
        return await pool.given_up

    assert asyncio.run(scene()) == "no memory"
