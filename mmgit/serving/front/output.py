"""What a process writes into a pipe, in; complete lines, as they come, out.

Somebody who floods it waits in his own `write()`: so many lines are taken in a tick, and none of them is lost.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LINE_BYTES_MAX = 16 * 1024
LOG_LINE_BYTES_MAX = 256 * 1024
"""What a line of JSON with two texts of `LINE_BYTES_MAX` may need, where each character is escaped in six."""
_READ_BYTES = 8 * 1024
_LINES_PER_TICK = 5000
_LAST_READS = 64


class Output:
    """The reading end of one pipe; `take` is called with lines without their ends."""

    def __init__(self, take: Callable[[list[bytes]], None], line_bytes_max: int = LINE_BYTES_MAX) -> None:
        self._take = take
        self._line_bytes_max = line_bytes_max
        self._fd, self.write_fd = os.pipe()
        os.set_blocking(self._fd, False)
        self._pending = b""
        self._lines_left = _LINES_PER_TICK
        self._is_open = True
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def tick(self) -> None:
        """Take lines again; called several times a second."""
        if self._lines_left <= 0 and self._is_open:
            asyncio.get_running_loop().add_reader(self._fd, self._read)
        self._lines_left = _LINES_PER_TICK

    def finish(self) -> None:
        """Take what was written until now, as far as a pipe holds it, and close."""
        for _ in range(_LAST_READS):
            if not self._read():
                break
        if self._pending:
            self._take([self._pending])
            self._pending = b""
        self._close()

    def _read(self) -> bool:
        """Read once; whether there may be more."""
        if not self._is_open:
            return False
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._close()
            return False
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > self._line_bytes_max:
            lines.append(self._pending)
            self._pending = b""
        if lines:
            self._take(lines)
            self._lines_left -= len(lines)
            if self._lines_left <= 0:
                asyncio.get_running_loop().remove_reader(self._fd)
        return True

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
