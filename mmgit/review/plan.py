"""What a change does to each environment, in words: two sides come in, a `Plan` comes out.

Values only: `text` and `markdown` write it down for people, `json` for programs.
"""

from collections.abc import Collection, Iterator
from typing import Literal

from mmgit.desired import DesiredService
from mmgit.frozen import dataclass, replace
from mmgit.repository.source import DeclaredEnvironment, DeclaredService
from mmgit.review import contracts, differences, governance, images, releases
from mmgit.review.differences import Difference
from mmgit.review.images import Download
from mmgit.review.objects import ObjectChange, changed_objects
from mmgit.review.releases import Release
from mmgit.review.side import Side, Where
from mmgit.spec.predictions import Comparison

Action = Literal["add", "change", "remove"]


@dataclass(frozen=True)
class ServiceChange:
    """What becomes of one service."""

    group: str
    name: str
    action: Action
    differences: tuple[Difference, ...]
    downloads: tuple[Download, ...]
    """What a node of each platform pulls that ran the image before."""
    objects: tuple[ObjectChange, ...]


@dataclass(frozen=True)
class EnvironmentChange:
    """What becomes of one environment."""

    name: str
    action: Action
    differences: tuple[Difference, ...]
    services: tuple[ServiceChange, ...]


@dataclass(frozen=True)
class Plan:
    """What a change does."""

    environments: tuple[EnvironmentChange, ...]
    releases: tuple[Release, ...]
    """New model versions, manifests and images; no environment runs them by that alone."""
    governance: tuple[Difference, ...]
    """Changes of the rules themselves: gates, owners, policies, blueprints, workflows."""
    predictions: tuple[Comparison, ...] = ()
    """How the candidates predict beside what runs, if that was tried."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.environments or self.releases or self.governance)


def plan(before: Side, after: Side, paths: Collection[str], outside: Collection[str] = ()) -> Plan:
    """What lies between two sides; `paths` are the files that differ, `outside` those above the root, from the top."""
    return Plan(
        tuple(_environments(before, after)),
        tuple(releases.new(before, after, paths)),
        tuple(governance.changes(before, after, paths, outside)),
    )


def _environments(before: Side, after: Side) -> Iterator[EnvironmentChange]:
    was, now = before.source.environments, after.source.environments
    for name in sorted({*was, *now}):
        services = tuple(_services(name, before, after))
        found = tuple(differences.of_environment(was.get(name), now.get(name)))
        if services or found or name not in was or name not in now:
            yield EnvironmentChange(name, _action(name in was, name in now), found, services)


def _services(environment: str, before: Side, after: Side) -> Iterator[ServiceChange]:
    was, now = (
        _declared(before.source.environments.get(environment)),
        _declared(after.source.environments.get(environment)),
    )
    for name in sorted({*was, *now}, key=lambda each: ((now.get(each) or was[each]).group, each)):
        where = (environment, name)
        old, new = before.services.get(where), after.services.get(where)
        found = (
            *differences.of_service(was.get(name), now.get(name), old, new),
            *_since(where, before, after),
            *_awaited(was.get(name), now.get(name), before, after, old),
        )
        objects = changed_objects(before.objects.get(where, ()), after.objects.get(where, ()))
        if found or objects or name not in was or name not in now:
            downloads = tuple(images.downloads(before, after, old, new))
            group = (now.get(name) or was[name]).group
            yield ServiceChange(group, name, _action(name in was, name in now), found, downloads, objects)


def _since(where: Where, before: Side, after: Side) -> Iterator[Difference]:
    """What differs from what clients knew, be it from what ran until some time ago."""
    (side, old), new = before.last(where), after.services.get(where)
    if side is not before and old and new:
        yield Difference("ran last", differences.running(old))
    contract = contracts.contract_between(side, after, old, new) if new else None
    if contract:
        yield Difference("contract", contracts.in_words(contract))


def _awaited(
    was: DeclaredService | None, now: DeclaredService | None, before: Side, after: Side, old: DesiredService | None
) -> Iterator[Difference]:
    """What clients get when that is built which a service newly waits for."""
    waits = now.spec.next if now else None
    if old and waits and (was is None or was.spec.next != waits):
        contract = contracts.contract_between(before, after, old, replace(old, manifest=waits))
        if contract:
            yield Difference("contract", f"of {waits}: {contracts.in_words(contract)}")


def _declared(environment: DeclaredEnvironment | None) -> dict[str, DeclaredService]:
    return {service.name: service for service in environment.services} if environment else {}


def _action(was: bool, now: bool) -> Action:  # noqa: FBT001 - reads as a sentence where it is called
    return "change" if was and now else "add" if now else "remove"
