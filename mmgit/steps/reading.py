"""Reads steps: the bytes of a file come in, values go out, or all that is wrong with it, with line and column.

The form is Docker's, as far as it can be read in one way; all else is refused.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from mmgit.spec.secrecy import LOGIN, is_secret_name
from mmgit.steps import OWN_VARIABLES, SHELL, Run, Steps
from mmgit.steps.text import Fault, FaultyError, Instruction, RefusedError, instructions
from mmgit.steps.words import words

_OWN_LABELS = "dev.mmgit."
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_LABEL = re.compile(r"[A-Za-z0-9]+(?:[._/-]+[A-Za-z0-9]+)*")
_PORT = re.compile(r"([1-9][0-9]{0,4})(/tcp|/udp)?")
_LAST_PORT = 65535
INSTRUCTIONS_LIMIT = 200
_VALUES_LIMIT = 256 * 2**10
_HERE_DOCUMENT = re.compile(r"<<-?\s*[\"']?[A-Za-z_]")
_OF_MMGIT = "USER, CMD, ENTRYPOINT and WORKDIR are mmgit's own: leave them out"
_OF_SCORING = "instead of COPY and ADD: --file FILE, or put it beside score.py"
_INSTEAD = {
    "FROM": "instead of FROM: mmgit base update --image IMAGE",
    **dict.fromkeys(("COPY", "ADD"), _OF_SCORING),
    **dict.fromkeys(("USER", "CMD", "ENTRYPOINT", "WORKDIR"), _OF_MMGIT),
}


def read(data: bytes) -> Steps:
    """The steps of a file.

    Raises:
        FaultyError: it holds anything but these five instructions in their plain form.
    """
    reader = _Reader()
    for number, instruction in enumerate(instructions(data, reader.faults.append)):
        if number == INSTRUCTIONS_LIMIT:
            reader.faults.append(instruction.fault(0, f"these are more than {INSTRUCTIONS_LIMIT} instructions"))
            break
        reader.take(instruction)
    if reader.faults:
        raise FaultyError(sorted(reader.faults, key=lambda fault: (fault.line, fault.column)))
    variables = {name: reader.known[name] for name in reader.known if name in reader.kept}
    return Steps(tuple(reader.runs), variables, reader.labels, tuple(reader.ports), tuple(reader.secrets))


class _Reader:
    """What was read so far."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.secrets: list[Fault] = []
        self.runs: list[Run] = []
        self.labels: dict[str, str] = {}
        self.ports: dict[str, None] = {}
        self.known: dict[str, str] = {}
        """The variables that ENV and ARG have set."""
        self.kept: set[str] = set()
        """Those of ENV, which the image has."""
        self.left = _VALUES_LIMIT

    def take(self, of: Instruction) -> None:
        """Read one instruction, or keep what is wrong with it."""
        if found := LOGIN.search(of.text):
            self.secrets.append(of.fault(found.start(), "an address with a login"))
        word = of.text.split(maxsplit=1)[0]
        begin = of.text.index(word)
        rest = begin + len(word)
        rest += len(of.text[rest:]) - len(of.text[rest:].lstrip())
        taken = INSTRUCTIONS.get(word.upper())
        if taken is None:
            named = f"`{word}`" if _NAME.fullmatch(word) else "this"
            hint = _INSTEAD.get(word.upper(), "")
            self.faults.append(of.fault(begin, f"{named} is none of {', '.join(INSTRUCTIONS)}", hint))
        elif rest == len(of.text):
            self.faults.append(of.fault(begin, f"{word.upper()} says nothing"))
        else:
            try:
                taken(self, of, rest)
            except RefusedError as refused:
                self.faults.append(of.fault(refused.at, str(refused), refused.hint))

    def run(self, of: Instruction, begin: int) -> None:
        """A command for the shell, or a program with its arguments as JSON."""
        command = of.text[begin:].rstrip()
        if command.startswith("--"):
            raise RefusedError(begin, "RUN takes no options")
        if found := _HERE_DOCUMENT.search(command):
            raise RefusedError(begin + found.start(), "RUN takes no here-documents: printf writes a text")
        self.runs.append(Run(of.line, _arguments(command, begin) or (SHELL, "-c", command), dict(self.known)))

    def env(self, of: Instruction, begin: int) -> None:
        """Variables of the image, and of what is run after them."""
        told = self._assigned("ENV", of, begin)
        self.known |= told
        self.kept |= told.keys()

    def arg(self, of: Instruction, begin: int) -> None:
        """Variables of what is run after them."""
        told = self._assigned("ARG", of, begin)
        if again := sorted(self.kept & told.keys()):
            raise RefusedError(begin, f"`{again[0]}` is set by ENV before, which counts")
        self.known |= told

    def label(self, of: Instruction, begin: int) -> None:
        """Labels of the image."""
        for at, word in self._words(of, begin):
            name, equals, value = word.partition("=")
            if not equals or not _LABEL.fullmatch(name):
                raise RefusedError(at, "LABEL takes NAME=VALUE", "LABEL team=fraud")
            if name.startswith(_OWN_LABELS):
                raise RefusedError(at, f"labels that begin with {_OWN_LABELS} are mmgit's own")
            self.labels[name] = value

    def expose(self, of: Instruction, begin: int) -> None:
        """Ports that somebody may listen at."""
        for at, word in self._words(of, begin):
            found = _PORT.fullmatch(word)
            if found is None or int(found[1]) > _LAST_PORT:
                raise RefusedError(at, "EXPOSE takes ports like 9000 or 9000/udp")
            self.ports[f"{found[1]}{found[2] or '/tcp'}"] = None

    def _assigned(self, instruction: str, of: Instruction, begin: int) -> dict[str, str]:
        told: dict[str, str] = {}
        for at, word in self._words(of, begin):
            name, equals, value = word.partition("=")
            if not equals or not _NAME.fullmatch(name):
                raise RefusedError(at, f"{instruction} takes NAME=VALUE", f"{instruction} MODE=fast")
            if name.startswith(OWN_VARIABLES):
                raise RefusedError(at, f"variables that begin with {' or '.join(OWN_VARIABLES)} are the server's own")
            if value and is_secret_name(name):
                self.secrets.append(of.fault(at, f"{instruction} {name}"))
            told[name] = value
        return told

    def _words(self, of: Instruction, begin: int) -> Iterator[tuple[int, str]]:
        for at, word in words(of.text, begin, self.known):
            self.left -= len(word)
            if self.left < 0:
                raise RefusedError(at, f"all values together have more than {_VALUES_LIMIT} characters")
            yield at, word


def hints_of(faults: Iterable[Fault]) -> tuple[str, ...]:
    """What to do about these, each once."""
    return tuple(
        dict.fromkeys(fault.hint or f"steps are {', '.join(INSTRUCTIONS)} and nothing else" for fault in faults)
    )


INSTRUCTIONS: Mapping[str, Callable[[_Reader, Instruction, int], None]] = {
    "RUN": _Reader.run,
    "ENV": _Reader.env,
    "ARG": _Reader.arg,
    "LABEL": _Reader.label,
    "EXPOSE": _Reader.expose,
}


def _arguments(command: str, at: int) -> tuple[str, ...]:
    """What a JSON list of texts says; nothing for what is a command of the shell."""
    if not command.startswith("["):
        return ()
    try:
        found = json.loads(command)
    except (ValueError, RecursionError):
        return ()
    if not found or not all(isinstance(each, str) and _is_argument(each) for each in found):
        raise RefusedError(at, "a program is a list of texts without NUL")
    return tuple(found)


def _is_argument(text: str) -> bool:
    return "\0" not in text and text.encode(errors="replace").decode() == text


__all__ = ["INSTRUCTIONS", "INSTRUCTIONS_LIMIT", "FaultyError", "hints_of", "read"]
