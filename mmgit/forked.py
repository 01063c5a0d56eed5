"""Work for a second processor: a child of this very process does it, and hands over bytes.

For pure work alone. Whoever begins may have no thread that the work waits for. Stands on very little of Python.
"""

import os

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK_BYTES = 2**20
_MOST = 8
_DONE = b"."
"""The last that a child hands over, unless it failed."""


class Forked:
    """A child at work."""

    def __init__(self, child: int, reading: int) -> None:
        self._child, self._reading = child, reading

    def end(self, *, is_waiting: bool = True) -> bytes | None:
        """What it made, once it is done; None if it failed. To be called once.

        Who will soon end, too, need not be `waiting` until the child is gone.
        """
        parts = _parts(self._reading)
        if is_waiting:
            os.waitpid(self._child, 0)
        if not parts or not parts[-1].endswith(_DONE):
            return None
        parts[-1] = parts[-1].removesuffix(_DONE)
        return b"".join(parts)

    def leave(self) -> None:
        """Let it end without hearing what it made. To be called instead of `end`."""
        os.close(self._reading)
        os.waitpid(self._child, 0)


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


def begin(work: "Callable[[], bytes]") -> Forked:
    """Let a child do the work, while this process goes on."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return Forked(child, reading)
    os.close(reading)  # else it would wait for itself to read, where its parent is gone
    try:
        _write(writing, work())
        _write(writing, _DONE)
        os.close(writing)  # nobody waits until its memory is cleared away
    finally:
        os._exit(0)


def stand_by(prepare: "Callable[[], object]", work: "Callable[[bytes], bytes]") -> StandingBy:
    """Let a child prepare itself, and then do the work on what it is told."""
    hearing, telling = os.pipe()

    def waiting() -> bytes:
        os.close(telling)
        prepare()
        told = b"".join(_parts(hearing))
        return work(told) if told else b""

    child = begin(waiting)
    os.close(hearing)
    return StandingBy(child, telling)


def _parts(reading: int) -> list[bytes]:
    """All that comes out of a pipe, which is closed then."""
    parts = []
    while part := os.read(reading, _BLOCK_BYTES):
        parts.append(part)
    os.close(reading)
    return parts


def _write(writing: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(writing, left) :]
