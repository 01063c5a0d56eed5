import json
import os
import time
from pathlib import Path

import pytest

from mmgit.serving.front import log as module
from mmgit.serving.front.log import Answered, Log
from tests.serving.conftest import until

REQUEST = Answered("r1", "POST", "/score", 200, 0.001, 2, 3, "primary")


def test_lines_are_written_in_their_order(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = Log(file.fileno())
        log.line("info", "ready", seconds=1.5)
        log.request(REQUEST)
        log.close()

    first, second = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert (first["level"], first["event"], first["seconds"]) == ("info", "ready", 1.5)
    assert (second["event"], second["request_id"], second["status"]) == ("request", "r1", 200)
    assert first["time"] <= second["time"]


def test_many_lines_do_not_wait_in_memory_to_be_flushed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = Log(file.fileno())

        for _ in range(1000):
            log.request(REQUEST)

        until(lambda: (tmp_path / "log").stat().st_size > 100_000)
        log.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ([1_767_225_600.0], "2026-01-01T00:00:00.000Z"),
        ([1_767_225_600.0, 1_767_225_600.0009], "2026-01-01T00:00:00.000Z"),
        ([1_767_225_600.0, 1_767_225_600.0015], "2026-01-01T00:00:00.001Z"),
        ([1_767_225_599.9995, 1_767_225_600.0002], "2026-01-01T00:00:00.000Z"),
        ([1_767_225_600.5, 1_767_225_599.25], "2025-12-31T23:59:59.250Z"),
    ],
)
def test_a_line_has_the_time_of_its_clock_also_when_that_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: list[float], text: str
) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = Log(file.fileno())
        for now in seconds:
            monkeypatch.setattr(time, "time", lambda now=now: now)
            log.line("info", "ready")
        monkeypatch.undo()
        log.close()

    assert json.loads((tmp_path / "log").read_text().splitlines()[-1])["time"] == text


def test_a_reader_that_stalls_costs_lines_and_never_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PENDING_BYTES_MAX", 100_000)
    read_end, write_end = os.pipe()
    log = Log(write_end)

    for _ in range(10_000):
        log.request(REQUEST)
        log.flush()

    assert log.dropped_lines > 5_000
    os.close(read_end)
    log.close()
    os.close(write_end)


def test_a_reader_that_is_gone_is_counted() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    log = Log(write_end)

    log.line("info", "ready")
    log.flush()

    until(lambda: log.dropped_lines == 1)
    log.close()
    os.close(write_end)


def test_lines_that_are_json_already_are_passed_on(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = Log(file.fileno())
        log.lines([b'{"a":1}', b'{"a":2}'])
        log.close()

    assert (tmp_path / "log").read_bytes() == b'{"a":1}\n{"a":2}\n'
