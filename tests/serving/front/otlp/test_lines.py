"""Lines of the log reach a receiver where that is asked for, each once, and cost nothing where it is not."""

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from mmgit.serving.front.otlp import lines as module
from mmgit.serving.front.otlp.lines import Lines, logs_message
from tests.serving.conftest import Start, until
from tests.serving.front.otlp.conftest import Receiver
from tests.serving.front.otlp.test_messages import SOURCE, TRACE, attributes_of

SCORE = "def run(x):\n    print('scored', x)\n    return x\n"


def record_of(**said: Any) -> Any:
    line = json.dumps({"time": "2026-11-30T04:00:00.250Z", "level": "warning", "event": "print", **said}).encode()
    message = ExportLogsServiceRequest.FromString(logs_message(SOURCE, [line], "batch"))
    return message.resource_logs[0].scope_logs[0].log_records[0]


def test_a_line_is_a_record_with_its_time_level_and_trace() -> None:
    record = record_of(message="hot", trace_id=TRACE, request_id="r1", seconds=0.5, request_ids=["a"])

    assert record.time_unix_nano == 1796011200250 * 10**6
    assert (record.severity_number, record.severity_text) == (13, "warning")
    assert (record.body.string_value, record.event_name, record.trace_id.hex()) == ("hot", "print", TRACE)
    assert attributes_of(record) == {
        "request_id": "r1",
        "seconds": 0.5,
        "request_ids": '["a"]',
        "log.record.uid": "batch-0",
    }


def test_a_line_without_a_message_is_called_by_its_event() -> None:
    assert record_of().body.string_value == "print"


@pytest.mark.parametrize("line", [b'{"level": "info"}', b"[1]", b"\xff", b"[" * 100_000])
def test_a_line_that_cannot_be_taken_apart_is_a_record_all_the_same(line: bytes) -> None:
    message = ExportLogsServiceRequest.FromString(logs_message(SOURCE, [line], "batch"))

    (record,) = message.resource_logs[0].scope_logs[0].log_records
    assert record.body.string_value == line.decode("utf-8", "replace")


def test_what_is_logged_is_at_the_receiver(start: Start, receiver: Receiver) -> None:
    service = start(otlp=receiver.address, otlp_logs=True, score=SCORE)
    service.ask(service.score_path, b'{"x": 1}', x_request_id="r1")
    until(lambda: service.logged("request"))

    assert service.stop() == 0
    assert receiver.faults == []
    asked = [record for record in receiver.lines if attributes_of(record).get("request_id") == "r1"]
    assert sorted(record.event_name for record in asked) == ["print", "request"]
    assert [record.body.string_value for record in asked if record.event_name == "print"] == ["scored 1"]


def test_every_record_has_an_id_of_its_own() -> None:
    message = ExportLogsServiceRequest.FromString(logs_message(SOURCE, [b"{}", b"{}"], "batch"))

    records = message.resource_logs[0].scope_logs[0].log_records
    assert [attributes_of(record)["log.record.uid"] for record in records] == ["batch-0", "batch-1"]


def test_no_line_is_sent_unasked(start: Start, receiver: Receiver) -> None:
    service = start(otlp=receiver.address)
    service.score(x=1)

    assert service.stop() == 0
    assert receiver.lines == []


def test_lines_that_nobody_takes_are_counted() -> None:
    lines = Lines()
    large = [b"x" * (module._WAITING_BYTES_MAX // 2)]  # noqa: SLF001 - so much waits at most

    for _ in range(3):
        lines.put(large)
    lines.done(lines.take(), is_taken=False)
    lines.put(large)

    assert lines.dropped == {"queue": 1, "receiver": 1}
