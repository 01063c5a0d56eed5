"""What the user's code prints, in; one JSON line a line with the request's id, on the pipe that the front reads, out.

Nothing here raises into the user's code, and no line is longer than `LINE_BYTES_MAX`.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

LINE_BYTES_MAX = 16 * 1024
_IDS_MAX = 32


class RequestLog:
    """The log of one scorer: who is being served, and lines about it."""

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self.ids: dict[str, str | list[str]] = {}
        self._streams: tuple[_LineStream, ...] = ()

    def take_over_streams(self) -> None:
        """Turn `sys.stdout` and `sys.stderr` into writers of log lines."""
        self._streams = (_LineStream(self, 1, "stdout"), _LineStream(self, 2, "stderr"))
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(stream, "utf-8", "backslashreplace", write_through=True)  # type: ignore[type-var]
            for stream in self._streams
        )

    def begin(self, request_id: str, correlation_id: str = "", trace_id: str = "") -> None:
        """Lines from here on belong to this request."""
        self.ids = {"request_id": request_id}
        if correlation_id:
            self.ids["correlation_id"] = correlation_id
        if trace_id:
            self.ids["trace_id"] = trace_id

    def begin_group(self, request_ids: list[str]) -> None:
        """Lines from here on belong to all of these requests; as many are named as a line has room for."""
        self.ids = {"request_ids": request_ids[:_IDS_MAX]}

    def end(self) -> None:
        """Write what was printed without a line end."""
        for stream in self._streams:
            stream.finish_line()

    def line(self, level: str, event: str, **fields: str | int) -> None:
        """Write one line of JSON."""
        record = {"time": utc_text(), "level": level, "event": event, **self.ids, **fields}
        _write_all(self._fd, json.dumps(record).encode() + b"\n")

    def failure(self, event: str, error: BaseException, *, level: str = "error") -> None:
        """Write an exception with its traceback: the only place where either is told."""
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        self.line(level, event, message=summary(error), traceback="".join(lines)[-LINE_BYTES_MAX:])


def utc_text() -> str:
    """The time now, to the millisecond."""
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"


def summary(error: BaseException) -> str:
    """`Type: message` in one bounded piece, also for exceptions whose `__str__` fails."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the user's __str__ may do anything
        text = ""
    return f"{type(error).__name__}: {text}"[:2000].rstrip(": ")


class _LineStream(io.RawIOBase):
    """A stream whose every complete line becomes one log line."""

    def __init__(self, log: RequestLog, fd: int, name: str) -> None:
        super().__init__()
        self._log = log
        self._fd = fd
        self._name = name
        self._pending = b""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, data: Buffer) -> int:
        given = bytes(data)
        *lines, self._pending = (self._pending + given).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._pending) > LINE_BYTES_MAX:
            self._emit(self._pending[:LINE_BYTES_MAX])
            self._pending = self._pending[LINE_BYTES_MAX:]
        return len(given)

    def finish_line(self) -> None:
        if self._pending:
            line, self._pending = self._pending, b""
            self._emit(line)

    def _emit(self, line: bytes) -> None:
        message = line[:LINE_BYTES_MAX].decode("utf-8", "replace").rstrip("\r")
        self._log.line("info", "print", stream=self._name, message=message)


def _write_all(fd: int, line: bytes) -> None:
    try:
        while line:
            line = line[os.write(fd, line) :]
    except OSError:
        pass  # nobody reads the log any more; scoring goes on
