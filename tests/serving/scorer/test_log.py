import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mmgit.serving.scorer.log import LINE_BYTES_MAX, RequestLog, summary


class Written:
    """What a log wrote."""

    def __init__(self) -> None:
        self.raw = b""

    def write(self, fd: int, data: bytes) -> int:
        assert fd == 1
        self.raw += data
        return len(data)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw.splitlines()]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    written = Written()
    monkeypatch.setattr(os, "write", written.write)
    return written


@contextmanager
def taking_over() -> Iterator[RequestLog]:
    """A log that has the streams, until the end of the block."""
    streams = sys.stdout, sys.stderr
    log = RequestLog()
    log.take_over_streams()
    try:
        yield log
    finally:
        sys.stdout, sys.stderr = streams


def test_each_printed_line_is_a_log_line_with_the_requests_id(written: Written) -> None:
    with taking_over() as log:
        log.begin("r1")
        print("one\ntwo")  # noqa: T201 - what a user does
        print("three", file=sys.stderr)  # noqa: T201

    one, two, three = written.lines()
    assert one.items() >= {"level": "info", "event": "print", "request_id": "r1", "stream": "stdout"}.items()
    assert [line["message"] for line in (one, two, three)] == ["one", "two", "three"]
    assert three["stream"] == "stderr"


def test_a_line_without_end_is_written_when_the_request_ends(written: Written) -> None:
    with taking_over() as log:
        log.begin("r1")
        sys.stdout.write("half")
        assert written.lines() == []

        log.end()
        log.begin("r2")
        sys.stdout.write("whole\n")

    assert [(line["request_id"], line["message"]) for line in written.lines()] == [("r1", "half"), ("r2", "whole")]


def test_bytes_and_lone_surrogates_are_no_obstacle(written: Written) -> None:
    with taking_over():
        sys.stdout.buffer.write(b"\xff\xfe\n")
        sys.stdout.write("\ud800\n")

    assert [line["message"] for line in written.lines()] == ["\ufffd\ufffd", "\\ud800"]


def test_a_very_long_line_is_written_in_pieces(written: Written) -> None:
    with taking_over() as log:
        sys.stdout.write("a" * (2 * LINE_BYTES_MAX + 1))
        log.end()

    assert [len(line["message"]) for line in written.lines()] == [LINE_BYTES_MAX, LINE_BYTES_MAX, 1]


def test_the_streams_keep_their_file_numbers() -> None:
    with taking_over():
        assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)


def test_a_log_that_nobody_reads_does_not_disturb_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _data: bytes) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(os, "write", refuse)

    with taking_over() as log:
        print("nobody hears this")  # noqa: T201
        log.end()


def test_a_failure_is_written_with_its_traceback(written: Written) -> None:
    log = RequestLog()
    log.begin("r1")
    try:
        Path("/nowhere").read_text()
    except OSError as error:
        log.failure("run_failed", error)

    [line] = written.lines()
    assert (line["level"], line["event"], line["request_id"]) == ("error", "run_failed", "r1")
    assert line["message"].startswith("FileNotFoundError: ")
    assert "test_log.py" in line["traceback"]


class Rude(Exception):  # noqa: N818 - a user's
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (Rude(), "Rude"),
        (KeyError("a"), "KeyError: 'a'"),
    ],
)
def test_an_exception_is_summed_up_whatever_it_is(error: Exception, text: str) -> None:
    assert summary(error) == text
    assert len(summary(ValueError("a" * 10_000))) == 2000
