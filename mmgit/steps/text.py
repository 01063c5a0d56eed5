"""The text of steps as instructions, each on one line that knows where its characters stood; and what is wrong with it.

Source: Dockerfile reference, "Format" and "Parser directives".
"""

import re
from collections.abc import Callable, Iterator, Sequence

from mmgit.frozen import dataclass

MAX_BYTES = 64 * 2**10
_DIRECTIVE = re.compile(r"\s*#\s*(escape|syntax|check)\s*=", re.IGNORECASE)
_CONTINUED = re.compile(r"\\[ \t]*$")


@dataclass(frozen=True)
class Fault:
    """Something in the file, and where."""

    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class FaultyError(ValueError):
    """The file is not taken; all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class RefusedError(Exception):
    """What is not taken of an instruction, and the character where it stands."""

    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


@dataclass(frozen=True)
class Instruction:
    """The lines of an instruction, each with its number and without what joins it to the next."""

    lines: tuple[tuple[int, str], ...]

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.lines[0][0]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(text for _, text in self.lines)

    def fault(self, at: int, message: str, hint: str = "") -> Fault:
        """What is wrong at a character of the text."""
        for number, text in self.lines[:-1]:
            if at < len(text):
                return Fault(number, at + 1, message, hint)
            at -= len(text)
        return Fault(self.lines[-1][0], at + 1, message, hint)


def instructions(data: bytes, refuse: Callable[[Fault], None]) -> Iterator[Instruction]:
    """The instructions of a file, until something is wrong that makes the rest uncertain; `refuse` is told of it."""
    begun: list[tuple[int, str]] = []
    for number, line in _lines(data, refuse):
        if line.lstrip().startswith("#"):
            if found := _DIRECTIVE.match(line):
                refuse(Fault(number, 1, f"`# {found[1].lower()}=` would change how the file is read"))
            continue
        if not line.strip():
            if begun:
                refuse(Fault(number, 1, "an empty line in an instruction that goes on"))
                return
            continue
        joined = _CONTINUED.search(line)
        begun.append((number, line[: joined.start()] if joined else line))
        if not joined:
            yield Instruction(tuple(begun))
            begun = []
    if begun:
        refuse(Fault(begun[-1][0], len(begun[-1][1]) + 1, "the file ends in an instruction that goes on"))


def _lines(data: bytes, refuse: Callable[[Fault], None]) -> Iterator[tuple[int, str]]:
    if len(data) > MAX_BYTES:
        refuse(Fault(1, 1, f"the file has more than {MAX_BYTES} bytes"))
        return
    for number, line in enumerate(data.replace(b"\r\n", b"\n").split(b"\n"), 1):
        text = line.decode(errors="replace")
        for at, letter in enumerate(text, 1):
            if not (letter.isprintable() or letter == "\t") or letter == "\ufffd":
                refuse(Fault(number, at, "a character that cannot be seen, or is none of UTF-8"))
                return
        yield number, text
