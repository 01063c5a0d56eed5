import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mmgit.serving.front import output as module
from mmgit.serving.front.output import LINE_BYTES_MAX, Output
from tests.serving.conftest import Start, until

PRINTS = """
import ctypes, os, subprocess, sys

def run(x):
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    os.write(2, b"past the log\\r\\n")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    print("as usual")
    return x
"""
FLOODS = """
import os, threading

def init():
    threading.Thread(target=flood, daemon=True).start()

def flood():
    while True:
        os.write(1, b"y\\n" * 30_000)

def run(x):
    return x
"""


def played(scene: Callable[[Output, list[bytes]], Coroutine[Any, Any, None]]) -> list[bytes]:
    """The lines that an output took while a scene was played."""
    lines: list[bytes] = []

    async def main() -> None:
        await scene(Output(lines.extend), lines)

    asyncio.run(main())
    return lines


async def seen(lines: list[bytes], count: int) -> None:
    for _ in range(1000):
        if len(lines) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(lines)


def test_lines_come_as_they_are_complete_and_the_rest_in_the_end() -> None:
    async def scene(output: Output, lines: list[bytes]) -> None:
        os.write(output.write_fd, b"one\ntw")
        await seen(lines, 1)
        assert lines == [b"one"]
        os.write(output.write_fd, b"o\n\nhalf")
        await seen(lines, 3)
        os.close(output.write_fd)
        output.finish()
        output.finish()

    assert played(scene) == [b"one", b"two", b"", b"half"]


def test_a_line_without_end_is_cut() -> None:
    async def scene(output: Output, lines: list[bytes]) -> None:
        os.write(output.write_fd, b"a" * 40_000)
        await seen(lines, 1)
        output.finish()
        os.close(output.write_fd)

    lines = played(scene)

    assert b"".join(lines) == b"a" * 40_000
    assert max(map(len, lines)) <= LINE_BYTES_MAX + 8 * 1024


def test_somebody_who_floods_waits_for_the_next_tick_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LINES_PER_TICK", 10)

    async def scene(output: Output, lines: list[bytes]) -> None:
        os.write(output.write_fd, b"0123456\n" * 4096)
        await seen(lines, 10)
        await asyncio.sleep(0.1)
        assert len(lines) == 1024  # one read
        output.tick()
        await seen(lines, 2048)
        os.close(output.write_fd)
        output.finish()

    assert played(scene) == [b"0123456"] * 4096


def test_what_is_printed_past_python_is_a_log_line_too(start: Start) -> None:
    service = start(score=PRINTS)

    assert service.score(x=1).status == 200

    for stream, message in (("stdout", "from C"), ("stderr", "past the log"), ("stdout", "from a child")):
        until(lambda: service.logged("print", stream=stream, message=message))  # noqa: B023 - asked at once
    [usual] = until(lambda: service.logged("print", message="as usual"))
    assert usual["request_id"]
    assert all(line.startswith("{") for line in (service.folder / "log").read_text().splitlines())


def test_long_texts_and_tracebacks_are_whole_lines_of_the_log(start: Start) -> None:
    service = start(score="def run(x):\n    print('\\0a' * x)\n    raise ValueError('é' * x)\n")
    for x in (5_000, 20_000):
        service.score(x=x)

    assert service.stop() == 0

    lines = (service.folder / "log").read_text().splitlines()
    assert len(service.log()) == len([line for line in lines if json.loads(line)])
    assert "".join(line["message"] for line in service.logged("print")) == "\0a" * 25_000
    assert len(service.logged("run_failed")) == 2


def test_a_scorer_that_floods_its_output_disturbs_nobody(start: Start) -> None:
    service = start(score=FLOODS)

    answers = [service.score(x=number) for number in range(20)]

    assert [answer.document for answer in answers] == list(range(20))
    assert service.admin("/health").status == 200


def test_the_last_words_of_a_scorer_that_dies_are_heard(start: Start) -> None:
    score = "import os\ndef run(x):\n    os.write(2, b'one\\ntwo without end')\n    os._exit(3)\n"
    service = start(score=score)

    assert service.score(x=1).code == "scorer_died"

    until(lambda: service.logged("print", stream="stderr", message="one"))
    until(lambda: service.logged("print", stream="stderr", message="two without end"))
