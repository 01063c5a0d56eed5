"""Steps that customise an image: what RUN, ENV, ARG, LABEL and EXPOSE of a file come to, as values. Pure.

Nothing of it ever becomes a Dockerfile again: what an engine gets are these values.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmgit.frozen import dataclass, field

if TYPE_CHECKING:
    from mmgit.steps.text import Fault

FILE = "steps.Dockerfile"
SHELL = "/bin/sh"
OWN_VARIABLES = ("MMGIT_", "OTEL_")
SEARCH_PATH = "PATH"
"""Whatever steps set, the search path of the image stands behind it."""


@dataclass(frozen=True)
class Run:
    """One command as the arguments of a program, and the variables that are set for it."""

    line: int
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Steps:
    """What is run once, and what the image says of itself afterwards."""

    runs: tuple[Run, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    """Like `9000/tcp`."""
    secrets: "tuple[Fault, ...]" = ()
    """What looks like a secret; no value is in it."""


NO_STEPS = Steps()
