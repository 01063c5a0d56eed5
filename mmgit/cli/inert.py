"""Keeps a CI's log from acting on what mmgit prints: no value of a repository becomes a command of the runner.

Text goes in and comes out as it was, but for what GitHub's and Azure's runners look for. A file is no log.
"""

import os
import re
import stat
import sys
from typing import TextIO

_COMMAND = re.compile(r"(?:^|(?<=[\r\n]))(\s*):(?=:)|#(?=#\w*\[)")
"""`::warning …` at the beginning of a line, `##[group]` and `##vso[…]` anywhere."""


class Inert:
    """A stream that only ever hands on whole lines, each of which is no command."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""

    def write(self, text: str) -> int:
        """Write what is complete; the rest waits for the end of its line."""
        lines, end, self._begun = (self._begun + text).rpartition("\n")
        self._stream.write(_inert(lines + end))
        return len(text)

    def flush(self) -> None:
        """Write what has not ended too."""
        self._stream.write(_inert(self._begun))
        self._begun = ""
        self._stream.flush()

    def command(self, line: str) -> None:
        """A line that is meant as a command; its values are escaped already."""
        self.flush()
        self._stream.write(f"{line}\n")

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def install() -> None:
    """Make standard output and errors inert, for they are a runner's log."""
    sys.stdout, sys.stderr = (_wrapped(stream) for stream in (sys.stdout, sys.stderr))


def print_command(line: str) -> None:
    """Print a line that the runner shall act on."""
    if isinstance(sys.stdout, Inert):
        sys.stdout.command(line)
    else:
        print(line)


def _wrapped(stream: TextIO) -> TextIO:
    try:
        is_file = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        is_file = False
    return stream if is_file else Inert(stream)  # type: ignore[return-value]  # it has all that print needs


def _inert(text: str) -> str:
    return _COMMAND.sub(lambda found: f"{found[0]} ", text) if ":" in text or "#" in text else text
