"""What every kind of target gives: the files of one service, and the files that all of its services share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mmgit.desired import DesiredService
from mmgit.errors import Finding
from mmgit.frozen import dataclass, field
from mmgit.render.shapes import Object

FileTree = Mapping[str, bytes]
"""Path relative to the root -> bytes."""


@dataclass(frozen=True)
class Rendered:
    """What was rendered. Where there are findings, files may be missing."""

    files: FileTree = field(default_factory=dict)
    make_objects: Callable[[], Sequence[Object]] = tuple
    findings: tuple[Finding, ...] = ()
    mould: object | None = None
    """What makes the objects, where all that it makes differ in texts alone."""

    @property
    def objects(self) -> tuple[Object, ...]:
        """What the files hold, for the checks of objects; made when it is asked for, so ask once."""
        return tuple(self.make_objects())


class Target(Protocol):
    """One environment, ready to be rendered service by service."""

    def service(self, service: DesiredService) -> Rendered:
        """The files that belong to `service` alone."""
        ...

    def shared(self) -> Rendered:
        """The files that belong to the environment as a whole."""
        ...
