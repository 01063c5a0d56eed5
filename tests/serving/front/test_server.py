import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmgit.serving.front.server import http_date, serve
from tests.serving.conftest import BLOCKS, ECHO, Client, Load, Service, Start, request, until


def begin(service: Service, x: int, **headers: str) -> Client:
    client = service.client()
    client.send(request(service.score_path, json.dumps({"x": x}).encode(), **headers))
    return client


def test_dates_are_written_as_http_has_them() -> None:
    assert http_date(784111777.9) == b"Sun, 06 Nov 1994 08:49:37 GMT"


def test_readiness_fails_first_and_requests_are_still_taken_for_a_while(start: Start) -> None:
    service = start(drain_seconds=30)
    kept = service.client()
    kept.send(request(service.score_path, b'{"x": 1}'))
    assert "connection" not in kept.answer().headers

    service.process.send_signal(signal.SIGTERM)
    until(lambda: not service.is_ready())

    assert service.score(x=2).document == 2
    kept.send(request(service.score_path, b'{"x": 3}'))
    assert kept.answer().headers["connection"] == "close"
    assert kept.is_closed()
    assert service.ask("/", method="GET", key="").status == 503
    assert service.admin("/health").status == 200
    assert service.process.poll() is None


def test_what_was_accepted_is_answered_before_the_end(start: Start) -> None:
    service = start(score=BLOCKS)
    running = begin(service, 1)
    until((service.scoring / "started-1").exists)
    waiting = begin(service, 2)
    until(lambda: service.metric("mmgit_queue_requests") == 1)

    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.logged("draining"))
    (service.scoring / "go").touch()

    assert [client.answer().document for client in (running, waiting)] == [1, 2]
    assert service.wait() == 0


def test_an_idle_server_ends_at_once(start: Start) -> None:
    service = start()
    idle = service.client()

    assert service.stop() == 0
    assert idle.is_closed()


def test_a_server_that_is_not_up_yet_ends_at_once(start: Start) -> None:
    service = start(score="import time\ntime.sleep(1000)\n" + ECHO, awaited=False, drain_seconds=1000)

    assert service.stop() == 0


def test_a_second_signal_waits_for_nobody(start: Start) -> None:
    service = start(score=BLOCKS, drain_seconds=1000)
    begin(service, 1)
    until((service.scoring / "started-1").exists)

    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.logged("draining"))

    assert service.stop(signal.SIGINT) == 0


def test_no_process_outlives_the_server(start: Start) -> None:
    service = start(score="import os\ndef run(x):\n    return os.getpid()\n")
    scorer = service.score(x=1).document

    service.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(scorer, 0)


class Balancer(Load):
    """Sends steady requests to whichever servers are ready, as endpoints in Kubernetes would."""

    def __init__(self) -> None:
        self.servers: list[Service] = []
        self.ready: list[Service] = []
        self.answered = 0
        self.failures: list[str] = []
        super().__init__(self._watch(), *(self._requests(number) for number in range(4)))

    def _watch(self) -> Iterator[None]:
        while True:
            self.ready = [server for server in list(self.servers) if is_ready(server)]
            time.sleep(0.02)
            yield

    def _requests(self, number: int) -> Iterator[None]:
        client: Client | None = None
        while True:
            yield
            ready = self.ready
            if client is None and ready:
                client = Client(ready[number % len(ready)].port)
            if client is None:
                continue
            try:
                client.send(request(Service.score_path, b'{"x": 1}'))
                answer = client.answer()
            except OSError as error:
                self.failures.append(repr(error))
                client = None
                continue
            if answer.status != 200:
                self.failures.append(f"{answer.status} {answer.body!r}")
            self.answered += 1
            if answer.headers.get("connection") == "close":
                client = None


def is_ready(server: Service) -> bool:
    try:
        return server.is_ready()
    except OSError:
        return False


def test_a_rolling_restart_under_load_fails_no_request(start: Start) -> None:
    with Balancer() as balancer:
        old = start(drain_seconds=1)
        balancer.servers.append(old)
        until(lambda: balancer.answered > 20)
        for _ in range(2):
            new = start(drain_seconds=1)
            balancer.servers.append(new)
            until(lambda server=new: server in balancer.ready)  # type: ignore[misc]

            assert old.stop() == 0

            before, old = balancer.answered, new
            until(lambda count=before: balancer.answered > count + 20)  # type: ignore[misc]

    assert balancer.failures == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_is_bounded_under_overload(start: Start) -> None:
    service = start(score=BLOCKS, max_body_bytes=1_000_000)
    begin(service, 1)
    until((service.scoring / "started-1").exists)
    before = service.resident_mib()

    for _ in range(200):
        service.client().send(request(service.score_path, content_length="900000"), b" " * 500_000)

    assert service.admin("/health").status == 200
    until(lambda: service.metric("mmgit_held_bytes") <= 2_000_000)
    assert service.resident_mib() - before < 50


def test_wrong_settings_end_the_server_with_their_place(start: Start) -> None:
    service = start(concurrency="two", awaited=False)

    assert service.wait() == 2
    assert "settings.json: the field concurrency: expected int, found 'two'" in (service.folder / "log").read_text()


def test_a_broken_document_of_the_image_ends_the_server(start: Start) -> None:
    service = start(files={"swagger.json": "{"}, awaited=False)

    assert service.wait() == 2


def test_a_folder_without_settings_ends_the_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(tmp_path / "mmgit.json", tmp_path, tmp_path) == 2
    assert "mmgit.json" in capsys.readouterr().err
