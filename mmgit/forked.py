"""Work for a second processor: a child of this very process does it, and hands over bytes.

For pure work alone. Whoever begins may have no thread that the work waits for. Stands on very little of Python.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK_BYTES = 2**20
_MOST = 8


class Forked:
    """A child at work."""

    def __init__(self, child: int, reading: int) -> None:
        self._child, self._reading = child, reading

    def end(self) -> bytes | None:
        """What it made, once it is done; None if it failed. To be called once."""
        data = _whole(self._reading)
        return None if os.waitpid(self._child, 0)[1] else data


class StandingBy:
    """A child that is ready, or will soon be. Ended without a word, it has done nothing."""

    def __init__(self, child: Forked, telling: int) -> None:
        self._child, self._telling = child, telling

    def tell(self, data: bytes) -> None:
        """Say what to work on. To be called once."""
        telling, self._telling = self._telling, -1
        try:
            _write(telling, data)
        except BrokenPipeError:  # it failed, as `end` says
            pass
        finally:
            os.close(telling)

    def end(self) -> bytes | None:
        """What it made of that, once it is done; None if it failed. To be called once."""
        if self._telling >= 0:
            os.close(self._telling)
        return self._child.end()


def is_readable(pipe: int, seconds: float) -> bool:
    """Whether there is something to read from a pipe, or its end, within so long."""
    import select  # noqa: PLC0415 - who only forks need not wait for it

    waiting = select.poll()  # `select.select` takes no descriptor above 1023
    waiting.register(pipe, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def processors() -> int:
    """How many this process may use, and has reason to."""
    return min(_MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def begin(work: Callable[[], bytes]) -> Forked:
    """Let a child do the work, while this process goes on."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return Forked(child, reading)
    code = 1
    try:
        _write(writing, work())
        code = 0
    finally:
        os._exit(code)


def stand_by(prepare: Callable[[], object], work: Callable[[bytes], bytes]) -> StandingBy:
    """Let a child prepare itself, and then do the work on what it is told."""
    hearing, telling = os.pipe()

    def waiting() -> bytes:
        os.close(telling)
        prepare()
        told = _whole(hearing)
        return work(told) if told else b""

    child = begin(waiting)
    os.close(hearing)
    return StandingBy(child, telling)


def _whole(reading: int) -> bytes:
    """All that comes out of a pipe, which is closed then."""
    parts = []
    while part := os.read(reading, _BLOCK_BYTES):
        parts.append(part)
    os.close(reading)
    return b"".join(parts)


def _write(writing: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(writing, left) :]
