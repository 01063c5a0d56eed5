"""Real servers, and receivers that take, refuse, stall or are not there."""

import os
import signal
import subprocess
import sys
import time
from queue import SimpleQueue
from typing import Any, cast

import pytest

from mmgit.serving.front.exchange import Exchange
from mmgit.serving.front.log import Log
from mmgit.serving.front.otlp import exporter as module
from mmgit.serving.front.otlp.exporter import SPANS_MAX, Exporter
from mmgit.serving.settings import Settings
from tests.serving.conftest import Service, Start, until
from tests.serving.front.otlp.conftest import Receiver
from tests.serving.front.otlp.test_messages import PARENT, TRACE, attributes_of

NOWHERE = "http://127.0.0.1:9"


def scored(service: Service, request_id: str, **headers: str) -> None:
    assert service.ask(service.score_path, b'{"x": 1}', x_request_id=request_id, **headers).status == 200


def test_each_request_is_a_span_at_the_receiver(start: Start, receiver: Receiver) -> None:
    service = start(otlp=receiver.address, environment="prod", manifest="iris/2", models=["iris/1"], group="team")

    scored(service, "r1")
    scored(service, "r2", traceparent=f"00-{TRACE}-{PARENT}-01")
    scored(service, "r3", traceparent=f"00-{TRACE}-{PARENT}-00")

    assert service.stop() == 0
    spans = {attributes_of(span)["mmgit.request_id"]: span for span in receiver.spans}
    assert spans.keys() == {"r1", "r2"}  # who traces and does not sample is not traced here
    assert spans["r2"].trace_id.hex() == TRACE
    [message] = [message for message in receiver.messages if message.DESCRIPTOR.name == "ExportTraceServiceRequest"]
    resource = attributes_of(message.resource_spans[0].resource)
    assert resource.pop("service.instance.id")
    assert resource == {
        "service.name": "digits",
        "service.namespace": "team",
        "service.version": "iris/2",
        "deployment.environment.name": "prod",
        "mmgit.models": "iris/1",
    }


def test_the_metrics_of_the_page_are_at_the_receiver_too(start: Start, receiver: Receiver) -> None:
    service = start(otlp=receiver.address)
    scored(service, "r1")
    page = service.admin("/metrics").body.decode()

    assert service.stop() == 0

    shown = {line.split()[2].removesuffix("_total") for line in page.splitlines() if line.startswith("# TYPE")}
    assert receiver.metrics.keys() == shown - {"mmgit_otlp_dropped_spans"} | {"mmgit_otlp_dropped_spans"}
    [point] = receiver.metrics["mmgit_requests"].sum.data_points
    assert (point.as_double, attributes_of(point)) == (1, {"status": "200", "route": "score"})
    assert receiver.metrics["mmgit_request_duration_seconds"].histogram.data_points[0].count == 1


def test_metrics_wait_for_nothing_else_that_is_sent(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    class Swift(SimpleQueue[Any]):
        """Whoever waits has taken what is put before `put` returns."""

        def put(self, item: Any) -> None:  # type: ignore[override]
            super().put(item)
            until(self.empty)
            time.sleep(0.1)

    monkeypatch.setattr(module, "SimpleQueue", Swift)
    exporter = exporter_to(receiver.address)

    exporter.flush()

    until(lambda: receiver.requests)
    exporter.finish()


def test_a_receiver_that_is_not_there_fails_no_prediction(start: Start) -> None:
    service = start(otlp=NOWHERE)

    for number in range(20):
        scored(service, f"r{number}")

    until(lambda: service.metric("mmgit_otlp_failed_exports_total") >= 1)
    assert service.is_ready()
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 10
    assert "refused" in service.logged("otlp_failed")[0]["message"]


def test_a_receiver_that_does_not_answer_holds_up_neither_requests_nor_the_end(
    start: Start, receiver: Receiver
) -> None:
    receiver.goes_on.clear()
    service = start(otlp=receiver.address)

    until(lambda: receiver.requests)
    for number in range(20):
        scored(service, f"r{number}")

    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 10


def test_a_second_signal_does_not_wait_for_a_receiver(start: Start, receiver: Receiver) -> None:
    receiver.goes_on.clear()
    service = start(otlp=receiver.address)
    until(lambda: receiver.requests)

    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    until(lambda: service.logged("draining"))

    assert service.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 4


def test_what_a_receiver_refuses_is_counted(start: Start, receiver: Receiver) -> None:
    receiver.status = 400
    service = start(otlp=receiver.address)

    scored(service, "r1")

    until(lambda: service.metric('mmgit_otlp_dropped_spans_total{reason="receiver"}') == 1)
    until(lambda: service.logged("otlp_failed", message="status 400; spans are dropped"))


def test_what_fails_at_the_very_end_is_told(start: Start, receiver: Receiver) -> None:
    service = start(otlp=receiver.address)
    until(lambda: receiver.requests)
    receiver.status = 400

    assert service.stop() == 0

    assert service.logged("otlp_failed", message="status 400; spans are dropped")


def test_a_receiver_that_comes_back_gets_what_waited(start: Start, receiver: Receiver) -> None:
    receiver.status = 503
    service = start(otlp=receiver.address)
    scored(service, "r1")
    until(lambda: receiver.requests > 1)

    receiver.status = 200

    until(lambda: receiver.spans)
    assert service.metric("mmgit_otlp_dropped_spans_total") == 0


def test_a_server_without_a_receiver_loads_no_http_client(start: Start) -> None:
    service = start()

    assert b"otlp" not in service.admin("/metrics").body
    question = "import sys, mmgit.serving.front.server; print('http.client' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert asked.stdout == "False\n"


def test_while_nobody_takes_spans_memory_is_bounded_and_each_loss_counted(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SPANS_SECONDS", 0.0)
    receiver.goes_on.clear()
    exporter = exporter_to(receiver.address)

    for _ in range(SPANS_MAX + 100):
        exporter.answered(answered_exchange(), "score", 0.1)
        exporter.flush()

    lost = dict(exporter.families()[0].series)
    assert lost[("reason", "queue"),] == 100
    receiver.goes_on.set()
    exporter.finish()
    until(lambda: exporter.is_finished)
    assert len(receiver.spans) == SPANS_MAX


def test_tracing_one_request_takes_little_of_the_loop() -> None:
    exporter = exporter_to(NOWHERE)
    exchange = answered_exchange()

    def microseconds() -> float:
        began = time.perf_counter()
        for _ in range(100):
            exporter.answered(exchange, "score", 0.1)
        return (time.perf_counter() - began) * 10_000

    assert min(microseconds() for _ in range(20)) < 20  # it takes 1 where nothing else runs
    exporter.finish()


def exporter_to(address: str) -> Exporter:
    log = Log(os.open(os.devnull, os.O_WRONLY))
    return Exporter(Settings("digits", otlp=address), {}, log, list)


def answered_exchange() -> Exchange:
    exchange = Exchange(cast("Any", None), 0.0)
    exchange.status, exchange.method, exchange.path = 200, b"POST", b"/score"
    return exchange
