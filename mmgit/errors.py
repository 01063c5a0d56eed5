"""Everything that can go wrong, in one file: problems in declared files, and failed actions with their exit codes.

A wrong declaration is a `Problem`: collected, never raised one at a time. A failed action is an `MmgitError`,
one class a cause, each with its own exit code and a hint. Anything else is a bug and exits 70.
"""

from typing import ClassVar, Literal

from mmgit.frozen import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """Where a problem is: a path relative to the root, and a line and column from 1 (0: the whole file)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True)
class Problem:
    """One thing wrong in the declared files, and what to do about it."""

    code: str
    place: Place
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        text = visible(f"{self.place}: {self.severity} {self.code}: {self.message}")
        return f"{text}\n  hint: {visible(self.hint)}" if self.hint else text


def visible(text: str) -> str:
    """Text on one line, with controls, line breaks and direction marks written out: a log may act on them."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True)
class Finding:
    """A problem that knows its file and the keys down to the value, but not yet the line.

    Stages that work on values report these; `repository.places` reads the file again and makes them `Problem`s.
    """

    code: str
    path: str
    keys: tuple[str | int, ...]
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"
    at: tuple[int, int] | None = None
    """Line and column, in a file that is no YAML."""


def with_extra(name: str) -> str:
    """What to type where a part of mmgit that is an extra is not installed. No index has mmgit yet."""
    return f"install mmgit with its extra: `mmgit[{name}]`, or in a clone of it uv tool install --force '.[{name}]'"


class MmgitError(Exception):
    """An action that failed for a reason that the user can understand and act on."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MmgitError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class ProblemsFound(MmgitError):  # noqa: N818 - problems are the expected outcome of a check, not a fault
    """The declared files hold problems; they travel with the exception."""

    exit_code = 3

    def __init__(self, problems: tuple[Problem, ...], form: Literal["text", "json", "github"] = "text") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.form = form


class OutOfDate(MmgitError):  # noqa: N818 - the answer of `compile --check`
    """What is committed is not what the compiler makes."""

    exit_code = 4


class Busy(MmgitError):  # noqa: N818 - somebody else writes
    """Another run of mmgit holds the repository."""

    exit_code = 5


class UnsafePath(MmgitError):  # noqa: N818 - names the path, not a fault of ours
    """A path leaves the root, or reaches its file through a symbolic link."""

    exit_code = 6


class GitError(MmgitError):
    """Git refused, or the repository is in a state in which mmgit does not write."""

    exit_code = 7


class BuildError(MmgitError):
    """An image cannot be assembled from its lock."""

    exit_code = 8


class RegistryError(MmgitError):
    """An image registry refused, broke off, or gave other bytes than it was asked for."""

    exit_code = 9


class ServingError(MmgitError):
    """A service did not start or did not answer."""

    exit_code = 10


class EngineError(MmgitError):
    """The Docker engine or Compose is missing or refused."""

    exit_code = 11


class VersionMismatch(MmgitError):  # noqa: N818 - a statement about the pin
    """The repository pins another mmgit; this one reads but does not write."""

    exit_code = 12


class ForgeError(MmgitError):
    """The forge cannot be asked, refused, or broke off."""

    exit_code = 13


class GateFailed(MmgitError):  # noqa: N818 - the answer of `gate`
    """A gate does not let a change through, whatever the time."""

    exit_code = 14


class GateWaiting(MmgitError):  # noqa: N818 - the answer of `gate`
    """No gate failed, and one waits: for time, evidence or an approval."""

    exit_code = 15


class ClusterError(MmgitError):
    """A Kubernetes cluster cannot be asked, or does not let us see what we ask for."""

    exit_code = 16


class TrainingFailed(MmgitError):  # noqa: N818 - what a command of the user's came to
    """A training command did not end well, or did not make what it is declared to make."""

    exit_code = 18


class NotDue(MmgitError):  # noqa: N818 - the answer of `retrain --if-due`
    """No trigger makes a training due."""

    exit_code = 19


class NotAsDeclared(MmgitError):  # noqa: N818 - the answer of `status`, `diff` and `env doctor`
    """What a cluster runs or has is not what is declared."""

    exit_code = 17


class TelemetryError(MmgitError):
    """A store of telemetry cannot be read, or holds nothing of what is asked for."""

    exit_code = 20


class NotVerified(MmgitError):  # noqa: N818 - the answer of `image verify`
    """An image lacks what must lie beside it, or nobody whom we know vouches for that."""

    exit_code = 21
