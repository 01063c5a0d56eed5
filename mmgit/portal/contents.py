"""All that a portal shows: declared files as read and resolved, what git remembers, API documents and reports."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from mmgit.deliver.pins import Pinned
from mmgit.desired import Desired, DesiredService
from mmgit.frozen import dataclass
from mmgit.repository.source import DeclaredEnvironment, DeclaredService, Source
from mmgit.spec.drift import DriftSpec


@dataclass(frozen=True)
class Change:
    """One commit that moved pins of services, each with the pin before it."""

    pin: Pinned
    moves: tuple["Move", ...]


@dataclass(frozen=True)
class Move:
    """What a service ran before and after a commit; None where it ran nothing."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Contents:
    """What the pages are made of."""

    source: Source
    desired: Desired
    pins: Mapping[str, Sequence[Pinned]]
    """Path of a service's file -> what it ran, the newest first."""
    documents: Mapping[str, Mapping[str, Any]]
    """`<model>/<n>` of a manifest -> its OpenAPI document."""
    reports: Mapping[str, DriftSpec]
    """Path below the folder of reports, without its ending -> report."""
    commit: tuple[str, str] | None = None
    """Id and time of what is checked out."""

    @cached_property
    def services(self) -> tuple[tuple[DeclaredEnvironment, DeclaredService], ...]:
        """All of them, each with its environment."""
        return tuple((each, service) for each in self.source.environments.values() for service in each.services)

    @cached_property
    def by_path(self) -> Mapping[str, tuple[DeclaredEnvironment, DeclaredService]]:
        """The same by the path of the file."""
        return {service.path: (environment, service) for environment, service in self.services}

    @cached_property
    def running(self) -> Mapping[str, DesiredService]:
        """What should run, with all defaults, by the path of the service's file."""
        return {each.path: each for environment in self.desired.environments.values() for each in environment.services}

    @cached_property
    def users(self) -> Mapping[str, Sequence[tuple[DeclaredEnvironment, DeclaredService]]]:
        """`<model>/<n>` of a manifest -> the services that run it."""
        found: dict[str, list[tuple[DeclaredEnvironment, DeclaredService]]] = {}
        for environment, service in self.services:
            if service.spec.manifest:
                found.setdefault(service.spec.manifest, []).append((environment, service))
        return found

    @cached_property
    def changes(self) -> Sequence[Change]:
        """The commits that moved pins of what is declared, the newest first."""
        moves: dict[str, list[Move]] = {}
        pins: dict[str, Pinned] = {}
        for path, pin, before in self._steps():
            pins.setdefault(pin.commit, pin)
            moves.setdefault(pin.commit, []).append(Move(path, before, pin.manifest))
        newest = sorted(pins.values(), key=lambda pin: (_moment(pin.time), pin.commit), reverse=True)
        return [Change(pin, tuple(moves[pin.commit])) for pin in newest]

    def _steps(self) -> Iterator[tuple[str, Pinned, str | None]]:
        for path in sorted(self.by_path.keys() & self.pins.keys()):
            pins = self.pins[path]
            for pin, former in zip(pins, [*pins[1:], None], strict=True):
                before = former.manifest if former else None
                if before or pin.manifest:
                    yield path, pin, before


def _moment(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
