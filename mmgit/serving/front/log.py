"""Records in, JSON lines on stdout out, written by a thread: a reader that stalls costs lines, never a prediction."""

from __future__ import annotations

import os
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PENDING_BYTES_MAX = 4 * 1024 * 1024
_GATHERED_BYTES_MAX = 64 * 1024
"""More are written at once: a tick's lines of a busy service would be megabytes of memory."""
_encode = msgspec.json.Encoder().encode


class Answered(msgspec.Struct):
    """What the log says of one answered request, in this order."""

    request_id: str
    method: str
    path: str
    status: int
    seconds: float
    bytes_in: int
    bytes_out: int
    key: str
    queue_seconds: float | msgspec.UnsetType = msgspec.UNSET
    correlation_id: str | msgspec.UnsetType = msgspec.UNSET
    trace_id: str | msgspec.UnsetType = msgspec.UNSET
    time: str = ""
    level: str = "info"
    event: str = "request"


class Log:
    """The log of the front. `flush` hands over what was gathered and was not handed over yet."""

    def __init__(self, fd: int = 1) -> None:
        self.dropped_lines = 0
        self.on_lines: Callable[[list[bytes]], None] | None = None
        """Is told of all lines too, as they are handed over."""
        self._fd = fd
        self._lines: list[bytes] = []
        self._gathered_bytes = 0
        self._pending_bytes = 0
        self._second = 0
        self._second_text = ""
        self._time = ""
        self._time_from = self._time_until = 0.0
        self._batches: SimpleQueue[list[bytes]] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_batches, name="log", daemon=True)
        self._thread.start()

    def line(self, level: str, event: str, **fields: float | str) -> None:
        """Gather one line. Lines are dropped and counted while too much waits to be written."""
        self._gather(_encode({"time": self._now(), "level": level, "event": event, **fields}))

    def lines(self, lines: Iterable[bytes]) -> None:
        """Gather lines that are JSON already."""
        for line in lines:
            self._gather(line)

    def request(self, answered: Answered) -> None:
        """Gather the line of one answered request."""
        answered.time = self._now()
        self._gather(_encode(answered))

    def flush(self) -> None:
        """Give the gathered lines to the writing thread."""
        if self._lines:
            lines, self._lines, self._gathered_bytes = self._lines, [], 0
            if self.on_lines is not None:
                self.on_lines(lines.copy())
            self._batches.put(lines)

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Write what is left, as long as somebody reads it."""
        self.flush()
        self._batches.put([])
        self._thread.join(timeout_seconds)

    def _gather(self, line: bytes) -> None:
        if self._pending_bytes > _PENDING_BYTES_MAX:
            self.dropped_lines += 1
            return
        self._lines.append(line)
        size = len(line) + 1
        self._pending_bytes += size
        self._gathered_bytes += size
        if self._gathered_bytes > _GATHERED_BYTES_MAX:
            self.flush()

    def _now(self) -> str:
        """The text is the same for a millisecond."""
        now = time.time()
        if not self._time_from <= now < self._time_until:
            second, milliseconds = divmod(int(now * 1000), 1000)
            if second != self._second:
                self._second = second
                self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._time = f"{self._second_text}.{milliseconds:03d}Z"
            self._time_from = now
            self._time_until = second + (milliseconds + 1) / 1000
        return self._time

    def _write_batches(self) -> None:
        while True:
            batch = self._batches.get()
            if not batch:
                return
            batch.append(b"")
            self._write(b"\n".join(batch))

    def _write(self, data: bytes) -> None:
        rest = data
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            self.dropped_lines += rest.count(b"\n")
        self._pending_bytes -= len(data)
