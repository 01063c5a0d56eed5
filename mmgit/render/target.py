"""What every kind of target gives: the files of one service, and the files that all of its services share."""

from collections.abc import Mapping
from typing import Any, Protocol

from mmgit.desired import DesiredService
from mmgit.errors import Finding
from mmgit.frozen import dataclass, field

FileTree = Mapping[str, bytes]
"""Path relative to the root -> bytes."""


@dataclass(frozen=True)
class Rendered:
    """What was rendered. Where there are findings, files may be missing."""

    files: FileTree = field(default_factory=dict)
    objects: tuple[dict[str, Any], ...] = ()
    """What the files hold, for the checks of objects."""
    findings: tuple[Finding, ...] = ()


class Target(Protocol):
    """One environment, ready to be rendered service by service."""

    def service(self, service: DesiredService) -> Rendered:
        """The files that belong to `service` alone."""
        ...

    def shared(self) -> Rendered:
        """The files that belong to the environment as a whole."""
        ...
