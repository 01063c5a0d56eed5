"""What real servers record, and what that may never do to a prediction or to the disk."""

import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from mmgit.serving.front import recorder as module
from mmgit.serving.front.exchange import Exchange
from mmgit.serving.front.log import Log
from mmgit.serving.front.recorder import Recorder
from mmgit.serving.settings import Recording, Settings
from mmgit.serving.spool.segments import read, segments_of
from tests.serving.conftest import Client, Load, Service, Start, request, until

if TYPE_CHECKING:
    from mmgit.serving.front.connection import Connection

FLUSH_SECONDS = 1.0
ROWS = {"frame": [{"age": 40, "ssn": "078-05-1120"}], "x": 1}
FRAME: dict[str, Any] = {"properties": {"frame": {}, "x": {}}, "required": ["frame", "x"]}


def spooled(service: Service) -> list[dict[str, Any]]:
    return [json.loads(record) for record in read(service.folder / "spool")]


def recording(start: Start, tmp_path: Path, **options: Any) -> Service:
    """A server that records into `spool` of its folder; `options` are those of its telemetry."""
    settings = {"telemetry": options.pop("telemetry", {}), "spool_folder": str(tmp_path / "0" / "spool"), **options}
    return start(manifest="iris/2", models=["iris/1"], environment="prod", **settings)


def test_each_scored_request_is_a_record_and_nothing_of_its_body(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path)
    service.ask(service.score_path, b'{"x": "secret"}', x_request_id="r1", x_correlation_id="c1")
    service.ask(service.score_path, b"{}", x_request_id="r2")

    first, second = until(lambda: spooled(service)[1:] and spooled(service))

    assert {name: first[name] for name in ("kind", "service", "environment", "manifest", "models", "route")} == {
        "kind": "request",
        "service": "digits",
        "environment": "prod",
        "manifest": "iris/2",
        "models": ["iris/1"],
        "route": "score",
    }
    assert (first["request_id"], first["correlation_id"], first["status"], first["key"]) == ("r1", "c1", 200, "k7f3")
    assert (first["bytes_in"], first["bytes_out"]) == (15, 8)
    assert (second["request_id"], second["status"]) == ("r2", 400)
    assert "secret" not in json.dumps(first)


def test_who_has_no_key_and_who_only_reads_leaves_no_record(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path)

    service.ask(service.score_path, b'{"x": 1}', key="")
    service.ask("/", method="GET")
    service.ask(f"{service.base}/v2", method="GET")
    service.score(x=1)

    assert service.stop() == 0
    assert [record["status"] for record in spooled(service)] == [200]


def test_inputs_and_outputs_are_kept_where_they_are_asked_for(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path, telemetry={"inputs": True, "outputs": True})

    service.score(x={"a": [1.5, None]})

    [record] = until(lambda: spooled(service))
    assert (record["inputs"], record["outputs"]) == ({"x": {"a": [1.5, None]}}, {"a": [1.5, None]})


def test_a_redacted_field_never_reaches_the_disk(start: Start, tmp_path: Path) -> None:
    telemetry = {"inputs": True, "outputs": True, "redact": ["ssn"]}
    score = "def run(frame, x):\n    return {'rows': frame, 'ssn': frame[0]['ssn']}\n"
    service = recording(start, tmp_path, telemetry=telemetry, score=score, schema=FRAME)

    service.score(**ROWS)
    service.ask(service.score_path, json.dumps(ROWS).encode()[:-1])

    assert service.stop() == 0
    files = [segment.file for segment in segments_of(service.folder / "spool")]
    assert files
    assert not any(b"078-05-1120" in file.read_bytes() for file in files)
    first = spooled(service)[0]
    assert first["inputs"] == {"frame": [{"age": 40, "ssn": None}], "x": 1}
    assert first["outputs"] == {"rows": [{"age": 40, "ssn": None}], "ssn": None}


def test_after_a_sigterm_under_load_no_answered_request_is_missing(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path)
    with Clients(service) as answered:
        time.sleep(0.5)
        assert service.stop() == 0

    kept = {record["request_id"] for record in spooled(service) if record["status"] == 200}
    assert len(answered.times) > 10
    assert answered.times.keys() - kept == set()
    assert all(segment.is_sealed for segment in segments_of(service.folder / "spool"))


class Clients(Load):
    """Two that score all the time; `times` holds when each request was answered with 200."""

    def __init__(self, service: Service) -> None:
        self.times: dict[str, float] = {}
        super().__init__(*(self._requests(service, number) for number in range(2)))

    def _requests(self, service: Service, number: int) -> Iterator[None]:
        with suppress(OSError):
            client = Client(service.port)
            for count in itertools.count():
                name = f"{number}-{count}"
                client.send(request(Service.score_path, b'{"x": 1}', x_request_id=name))
                if client.answer().status == 200:
                    self.times[name] = time.monotonic()
                yield


def kill_once(service: Service, seconds: float) -> None:
    """Kill a server under load and check what is missing; its spool must be one that the next server can use."""
    folder = service.folder / "spool"
    with Clients(service) as answered:
        time.sleep(seconds)
        service.process.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        service.process.wait()

    kept = {record["request_id"] for record in spooled(service)}
    missing = answered.times.keys() - kept
    assert all(answered.times[name] > killed_at - FLUSH_SECONDS for name in missing), (len(missing), len(kept))
    assert os.path.getsize(next(iter(segments_of(folder))).file) > 0  # noqa: PTH202 - of one file


@pytest.mark.parametrize("seed", [1, 2])
def test_a_server_that_is_killed_loses_the_last_second_at_most(start: Start, tmp_path: Path, seed: int) -> None:
    service = recording(start, tmp_path)

    kill_once(service, random.Random(seed).uniform(0.5, 1.5))  # noqa: S311 - a moment, no secret


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_servers_that_are_killed_again_and_again_lose_the_last_second_each(start: Start, tmp_path: Path) -> None:
    moments = random.Random(7)  # noqa: S311 - moments, no secret
    for number in range(100):
        folder = str(tmp_path / str(number) / "spool")
        service = start(telemetry={"inputs": True}, spool_folder=folder)

        kill_once(service, moments.uniform(0.3, 3.0))


def test_what_a_killed_server_left_is_completed_by_the_next_one(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path)
    service.score(x=1)
    until(lambda: spooled(service))
    service.process.kill()
    service.process.wait()
    [left] = segments_of(service.folder / "spool")
    with left.file.open("ab") as stream:
        stream.write(b"\x20\0\0\0torn")

    next_one = start(telemetry={}, spool_folder=str(service.folder / "spool"))
    next_one.score(x=2)

    until(lambda: next_one.metric('mmgit_telemetry_dropped_records_total{reason="torn"}') == 1)
    until(lambda: len(spooled(service)) == 2)
    assert segments_of(service.folder / "spool")[0].is_sealed


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null/spool"])
def test_a_spool_that_cannot_be_written_fails_no_prediction(start: Start, place: str) -> None:
    service = start(telemetry={"inputs": True}, spool_folder=place)

    assert [service.score(x=number).document for number in range(5)] == list(range(5))

    until(lambda: service.metric('mmgit_telemetry_dropped_records_total{reason="disk"}') == 5)
    assert service.is_ready()
    assert service.stop() == 0
    assert len(service.logged("spool_failed")) == 1


def test_a_second_server_on_the_same_folder_serves_and_drops(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path)
    service.score(x=1)
    until(lambda: spooled(service))

    second = start(telemetry={}, spool_folder=str(service.folder / "spool"))

    assert second.score(x=2).document == 2
    until(lambda: second.metric('mmgit_telemetry_dropped_records_total{reason="disk"}') == 1)
    assert len(spooled(service)) == 1


def test_the_disk_that_is_taken_is_bounded_and_shown(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path, telemetry={"inputs": True, "spool_bytes": 2**20})
    body = json.dumps({"x": "a" * 100_000}).encode()
    client = service.client()

    for _ in range(30):
        client.send(request(service.score_path, body))
        client.answer()

    def taken() -> float:
        try:
            return sum(segment.file.stat().st_size for segment in segments_of(service.folder / "spool"))
        except FileNotFoundError:  # evicted since it was listed
            return float("inf")

    until(lambda: service.metric('mmgit_telemetry_dropped_records_total{reason="evicted"}') > 15)
    assert service.metric("mmgit_telemetry_spool_bytes") <= 2**20
    until(lambda: taken() <= service.metric("mmgit_telemetry_spool_bytes"))  # it goes on until all are written


def test_a_server_without_telemetry_has_neither_spool_nor_metrics_of_it(start: Start, tmp_path: Path) -> None:
    service = start(spool_folder=str(tmp_path / "spool"))

    service.score(x=1)

    assert b"telemetry" not in service.admin("/metrics").body
    assert not (tmp_path / "spool").exists()


def test_a_disk_that_stalls_costs_records_and_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    recorder = recorder_in(tmp_path, Recording(inputs=True))
    monkeypatch.setattr(recorder.spool, "append", lambda _: goes_on.wait(60))
    exchange = answered_exchange(b"7".ljust(200_000))

    began = time.monotonic()
    for _ in range(1000):
        recorder.answered(exchange, "score", 0.1)
        recorder.flush()

    assert time.monotonic() - began < 5
    assert recorder.pending_bytes <= module.PENDING_BYTES_MAX
    assert recorder.dropped["buffer"] > 900
    goes_on.set()
    finish(recorder)


def test_what_is_gathered_when_it_closes_is_written(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path, Recording())
    for _ in range(100):
        recorder.answered(answered_exchange(b""), "score", 0.1)
    recorder.collected(b'{"n":1}\n{"n":2}', 3)

    finish(recorder)

    assert len(list(read(tmp_path / "spool"))) == 102
    assert recorder.dropped["scorer"] == 3
    assert recorder.pending_bytes == 0


def finish(recorder: Recorder) -> None:
    recorder.finish()
    until(lambda: recorder.is_finished)


def recorder_in(folder: Path, asked: Recording) -> Recorder:
    log = Log(os.open(os.devnull, os.O_WRONLY))
    return Recorder(Settings("digits", spool_folder=str(folder / "spool")), asked, log)


def answered_exchange(body: bytes) -> Exchange:
    exchange = Exchange(cast("Connection", None), 0.0)  # it is answered already
    exchange.status, exchange.kept_body = 200, body
    return exchange
