import json
import os
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
