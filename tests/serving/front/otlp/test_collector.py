"""OpenTelemetry's own Collector reads what real servers send: what it wrote is compared with what was asked.

Its exporter writes a file of each kind, in which a message is its length in four bytes and OTLP's protobuf.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.archive.conftest import Upload, archived, upload
from tests.archive.network import Network
from tests.serving.conftest import Service, Start, until
from tests.serving.front.otlp.conftest import KINDS, Told
from tests.serving.front.otlp.test_messages import PARENT, TRACE, attributes_of
from tests.serving.front.test_recorder import Clients

__all__ = ["upload"]  # a fixture

pytestmark = pytest.mark.collector
DIVIDES = "def run(x):\n    print('asked for', x)\n    return 1 / x\n"
SIGNALS = {"traces": "/v1/traces", "metrics": "/v1/metrics", "logs": "/v1/logs"}


class Collector(Told):
    """The Collector on a port of its own, which may be stopped, killed and started again; its files stay."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        written = {"format": "proto", "append": True, "flush_interval": "50ms"}
        config = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.port}"}}}},
            "exporters": {f"file/{each}": {"path": str(folder / each), **written} for each in SIGNALS},
            "service": {
                "pipelines": {each: {"receivers": ["otlp"], "exporters": [f"file/{each}"]} for each in SIGNALS}
            },
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = self.folder / "log"
        with log.open("wb") as stream:
            command = [os.environ["MMGIT_TEST_COLLECTOR"], f"--config={self.folder}/config.yaml"]
            self.process = subprocess.Popen(command, stdout=stream, stderr=stream)
        until(lambda: "Everything is ready" in log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(60)

    @property
    def messages(self) -> list[Any]:  # type: ignore[override]
        """All that is in the files; the last message may be half of one."""
        return [message for each in SIGNALS for message in self._read(each)]

    def _read(self, kind: str) -> Iterator[Any]:
        data = (self.folder / kind).read_bytes()
        while len(data) > 4 and len(data) >= (end := 4 + int.from_bytes(data[:4], "big")):
            yield KINDS[SIGNALS[kind]].FromString(data[4:end])
            data = data[end:]


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    started = Collector(tmp_path / "collector")
    yield started
    started.process.kill()
    started.process.wait()


def asked(records: list[Any], name: str = "mmgit.request_id") -> list[str]:
    """The ids of the requests that spans or records are about."""
    return [attributes_of(record)[name] for record in records]


def of_requests(collector: Collector) -> list[str]:
    """The ids in the lines about answered requests."""
    return asked([record for record in collector.lines if record.event_name == "request"], "request_id")


def test_what_a_collector_wrote_is_what_was_asked(start: Start, collector: Collector) -> None:
    declared = {"environment": "prod", "manifest": "iris/2", "models": ["iris/1"], "group": "team"}
    service = start(otlp=collector.address, otlp_logs=True, score=DIVIDES, **declared)
    parents = [f"00-{TRACE}-{PARENT}-{flags}" for flags in ("01", "00")]
    traced: list[dict[str, str]] = [{}, *({"traceparent": parent} for parent in parents)]

    for number in range(30):
        body = json.dumps({"x": number % 2}).encode()
        service.ask(service.score_path, body, x_request_id=f"r{number}", **traced[number % 3])

    assert service.stop() == 0
    collector.stop()
    every = {f"r{number}": number for number in range(30)}
    spans = {attributes_of(span)["mmgit.request_id"]: span for span in collector.spans}
    assert sorted(asked(collector.spans)) == sorted(name for name, number in every.items() if number % 3 < 2)
    for name, span in spans.items():
        is_continued, is_failed = every[name] % 3 == 1, every[name] % 2 == 0
        assert (span.trace_id.hex() == TRACE, span.parent_span_id.hex()) == (is_continued, PARENT * is_continued)
        assert attributes_of(span)["http.response.status_code"] == (500 if is_failed else 200)
        assert (span.status.code, span.start_time_unix_nano < span.end_time_unix_nano) == (2 * is_failed, True)
    assert sorted(of_requests(collector)) == sorted(every)
    lines = [record for record in collector.lines if record.trace_id]
    assert {asked([record], "request_id")[0] for record in lines} == {n for n, at in every.items() if at % 3}
    counted = collector.metrics["mmgit_requests"].sum.data_points
    answered = {tuple(attributes_of(at).values()): at.as_double for at in counted}
    assert answered == {("200", "score"): 15, ("500", "score"): 15}
    assert [at.count for at in collector.metrics["mmgit_request_duration_seconds"].histogram.data_points] == [30]
    said = Counter(line["event"] for line in service.log())
    assert said - Counter(record.event_name for record in collector.lines) == Counter(["stopped"])
    assert service.logged("otlp_failed") == []


def test_every_message_says_whose_it_is(start: Start, collector: Collector) -> None:
    service = start(otlp=collector.address, otlp_logs=True, environment="prod", manifest="iris/2", group="team")
    service.score(x=1)

    assert service.stop() == 0

    collector.stop()
    resources = [
        getattr(message, field)[0].resource
        for message in collector.messages
        for field in ("resource_spans", "resource_metrics", "resource_logs")
        if hasattr(message, field)
    ]
    [whose] = {tuple(sorted(attributes_of(each).items())) for each in resources}
    assert dict(whose) | {"service.instance.id": ""} == {
        "service.name": "digits",
        "service.namespace": "team",
        "service.version": "iris/2",
        "service.instance.id": "",
        "deployment.environment.name": "prod",
    }
    assert {type(message) for message in collector.messages} == {*KINDS.values()}


def test_through_outages_each_span_and_line_is_there_once_or_counted(start: Start, collector: Collector) -> None:
    service = start(otlp=collector.address, otlp_logs=True)
    with Clients(service) as answered:
        for _ in range(2):
            before = len(collector.spans)
            until(lambda before=before: len(collector.spans) > before)  # type: ignore[misc]
            collector.stop()
            failed = service.metric("mmgit_otlp_failed_exports_total")
            until(lambda failed=failed: service.metric("mmgit_otlp_failed_exports_total") > failed)  # type: ignore[misc]
            collector.start()

    count = len(answered.times)
    until(lambda: len(collector.spans) + service.metric("mmgit_otlp_dropped_spans_total") == count)
    assert service.stop() == 0
    collector.stop()
    lost = {name.removeprefix("mmgit_otlp_dropped_"): metric for name, metric in collector.metrics.items()}
    lost_lines = sum(at.as_double for at in lost["log_lines"].sum.data_points)
    assert set(asked(collector.spans)) <= answered.times.keys()
    assert len(set(asked(collector.spans))) == len(collector.spans)
    assert len(set(of_requests(collector))) == len(of_requests(collector))
    assert len(collector.lines) + lost_lines + 1 == len(service.log())  # the last one is said when all is sent


@pytest.mark.parametrize(("flags", "spans"), [("01", 10), ("00", 0)])
def test_what_an_answer_was_lost_for_comes_again_and_is_known_by_its_ids(
    start: Start, collector: Collector, flags: str, spans: int
) -> None:
    network = Network(collector.port)
    service = start(otlp=f"http://127.0.0.1:{network.port}", otlp_logs=True)
    names = [f"r{number}" for number in range(10)]
    network.way = "lose_answers"
    for name in names:
        traceparent = f"00-{TRACE}-{PARENT}-{flags}"
        service.ask(service.score_path, b'{"x": 1}', x_request_id=name, traceparent=traceparent)
    until(lambda: len(collector.spans if spans else collector.lines) > len(ids_of(collector)[0 if spans else 1]))

    network.way = "open"

    until(lambda: {*names} <= {*of_requests(collector)})
    assert service.metric("mmgit_otlp_dropped_spans_total") == 0
    assert service.stop() == 0
    collector.stop()
    network.close()
    of_spans, of_lines = ids_of(collector)
    assert len(of_spans) == spans
    assert Counter(of_lines.values())["request"] == len(names)


def ids_of(collector: Collector) -> tuple[set[bytes], dict[str, str]]:
    """The ids of spans and of lines, these with what each is about."""
    of_lines = {attributes_of(record)["log.record.uid"]: record.event_name for record in collector.lines}
    return {span.span_id for span in collector.spans}, of_lines


def test_a_server_that_is_killed_loses_what_it_had_not_sent_and_doubles_nothing(
    start: Start, collector: Collector
) -> None:
    service = start(otlp=collector.address, otlp_logs=True)
    with Clients(service) as answered:
        until(lambda: collector.spans)
        until(lambda: len(of_requests(collector)) > len(answered.times) // 2)
        service.process.kill()
        service.process.wait()

    collector.stop()
    for there in (asked(collector.spans), of_requests(collector)):
        assert len(there) == len(set(there))
        assert len({*there} - answered.times.keys()) <= 2  # whose clients were not told any more
    said = {line["request_id"] for line in service.logged("request")}
    assert {*of_requests(collector)} <= said


def test_what_uploaders_did_is_told_as_it_is_also_when_they_are_killed(
    start: Start, collector: Collector, tmp_path: Path, upload: Upload
) -> None:
    telemetry = {"seal_seconds": 0.2}
    service = start(otlp=collector.address, spool_folder=str(tmp_path / "spool"), telemetry=telemetry)
    pace = (f"file://{tmp_path}/store", "--seconds", "0.2", "--grace-seconds", "30")
    with Clients(service) as answered:
        for _ in range(3):
            uploader = upload(*pace)
            time.sleep(0.7)
            uploader.kill()
            uploader.wait()
    last = upload(*pace)
    until(lambda: uploaded(service) == len(answered.times))

    assert service.stop() == 0
    last.terminate()
    assert last.wait(60) == 0
    collector.stop()
    [told] = collector.metrics["mmgit_telemetry_uploaded_records"].sum.data_points
    there = archived(tmp_path / "store")
    assert told.as_double == len(there) == len(set(there)) == len(answered.times)


def uploaded(service: Service) -> float:
    page = service.admin("/metrics").body
    return service.metric("mmgit_telemetry_uploaded_records_total") if b"uploaded_records" in page else 0
