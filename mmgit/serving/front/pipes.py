"""Pipes to a process that is about to start, and the end of what is only for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIPE_BYTES = 256 * 1024
"""More would soon use up what a user of the machine may have in all pipes together: 64 MiB."""
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", 1031 if sys.platform == "linux" else None)  # named since Python 3.10


def roomy_pipe() -> tuple[int, int]:
    """The reading and the writing end of a pipe that has room for most bodies."""
    ends = os.pipe()
    if _SET_PIPE_SIZE is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(ends[1], _SET_PIPE_SIZE, _PIPE_BYTES)
    return ends


@contextlib.contextmanager
def closing(*fds: int) -> Iterator[None]:
    """Close these in the end: the process that was started has them."""
    try:
        yield
    finally:
        for fd in fds:
            os.close(fd)
