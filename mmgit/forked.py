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
        parts = []
        while part := os.read(self._reading, _BLOCK_BYTES):
            parts.append(part)
        os.close(self._reading)
        return None if os.waitpid(self._child, 0)[1] else b"".join(parts)


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
        data = memoryview(work())
        while data:
            data = data[os.write(writing, data) :]
        code = 0
    finally:
        os._exit(code)
