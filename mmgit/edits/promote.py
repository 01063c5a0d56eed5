"""Moves pins: from one environment to the next, or back to what ran before, with a hold that automation respects.

Only the pin and the hold change; scale, keys and comments stay. `today` is an argument: nothing here reads a clock.
"""

from collections.abc import Collection, Mapping

from mmgit.edits.change import Change
from mmgit.edits.references import environment_of, manifest_in_words, service_of
from mmgit.edits.services import Options, update
from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.repository.files import Files
from mmgit.repository.source import DeclaredService, Source
from mmgit.spec.service import Hold


@dataclass(frozen=True)
class Promotion:
    """Pins on their way from one environment to another: one tested set."""

    origin: str
    target: str
    services: tuple[str, ...]
    """Those whose pin changes, sorted."""
    left: Mapping[str, str]
    """Services that stay as they are, and why."""


@dataclass(frozen=True)
class Earlier:
    """A pin that ran before, and why and how long it shall be held."""

    manifest: str
    image: str
    hold: Hold


def promotion(source: Source, names: Collection[str], *, origin: str, target: str, today: str) -> Promotion:
    """Which services a promotion moves: those in `names`, or all that run in both environments.

    Raises `UsageError` for a route that is not declared, and for a named service that cannot be promoted.
    """
    _refuse_route(source, origin, target)
    there = {service.name: service for service in environment_of(source, target).services}
    here = [service for service in environment_of(source, origin).services if not names or service.name in names]
    for name in sorted({*names} - {service.name for service in here}):
        service_of(source, origin, name)
    moved, left = [], {}
    for service in here:
        reason = _stays(service, there.get(service.name), origin, target, today)
        if reason:
            left[service.name] = reason
        else:
            moved.append(service.name)
    refused = {name: reason for name, reason in left.items() if name in names and reason != _SAME}
    for name, reason in refused.items():
        raise UsageError(f"service `{name}` cannot be promoted: {reason}", _way_on(name, origin, target, there))
    return Promotion(origin, target, tuple(sorted(moved)), left)


def pins(source: Source, of: Promotion) -> list[tuple[str, str]]:
    """The manifest and image of each service that a promotion moves."""
    specs = (service_of(source, of.origin, name).spec for name in of.services)
    return [(str(spec.manifest), str(spec.image)) for spec in specs]


def promote(source: Source, files: Files, of: Promotion) -> Change:
    """The pins of `of.origin` in the files of `of.target`."""
    change = Change({}, f"{of.origin} → {of.target}")
    for name in of.services:
        pinned = service_of(source, of.origin, name).spec
        options: Options = {"manifest": pinned.manifest, "image": pinned.image, "next": None, "hold": None}
        edited = update(source, files, options, environment=of.target, name=name)
        manifest = source.manifest(str(pinned.manifest))
        words = manifest_in_words(str(pinned.manifest), manifest.spec.models if manifest else ())
        change = change.and_then(Change(edited.files, f"  {name}: {words}"))
    return change


def roll_back(source: Source, files: Files, to: Earlier, *, environment: str, name: str) -> Change:
    """Pin an earlier manifest and image again, and hold them. Raises `UsageError` if they are not declared here."""
    manifest = source.manifest(to.manifest)
    if manifest is None or to.image not in {lock.spec.digest for lock in manifest.images.values()}:
        message = f"manifest {to.manifest} with image {to.image} is not declared any more"
        raise UsageError(message, f"mmgit history {name} --env {environment}")
    hold = to.hold.plain(without_none=True)
    options = {"manifest": to.manifest, "image": to.image, "next": None, "hold": hold}
    edited = update(source, files, options, environment=environment, name=name)
    words = manifest_in_words(to.manifest, manifest.spec.models)
    until = f" until {to.hold.until}" if to.hold.until else ""
    return Change(edited.files, f"{name} in {environment} runs {words} again, held{until}")


def release_hold(source: Source, files: Files, *, environment: str, name: str) -> Change:
    """Take the hold from a service. Raises `UsageError` if it has none."""
    if service_of(source, environment, name).spec.hold is None:
        message = f"service `{name}` in {environment} is not held"
        raise UsageError(message, f"mmgit service show {name} --env {environment}")
    edited = update(source, files, {"hold": None}, environment=environment, name=name)
    return Change(edited.files, f"{name} in {environment} is not held any more")


_SAME = "it runs the same there"


def _stays(service: DeclaredService, there: DeclaredService | None, origin: str, target: str, today: str) -> str:
    """Why a service is not promoted; empty if it is."""
    if service.spec.manifest is None:
        return f"nothing runs in {origin} yet"
    if there is None:
        return f"{target} does not declare it"
    if there.spec.hold and there.spec.hold.counts_on(today):
        until = f" until {there.spec.hold.until}" if there.spec.hold.until else ""
        return f"{target} holds its pin{until}: {there.spec.hold.reason}"
    is_same = (there.spec.manifest, there.spec.image) == (service.spec.manifest, service.spec.image)
    return _SAME if is_same else ""


def _refuse_route(source: Source, origin: str, target: str) -> None:
    gates = environment_of(source, target).spec.promotion
    if environment_of(source, origin).name == target:
        raise UsageError(f"{origin} cannot be promoted to itself", f"mmgit promote --from {origin} --to ENV")
    if gates and gates.from_ != origin:
        message = f"{target} is promoted from {gates.from_}, not from {origin}"
        raise UsageError(message, f"mmgit promote --from {gates.from_} --to {target}")


def _way_on(name: str, origin: str, target: str, there: Mapping[str, DeclaredService]) -> str:
    if name not in there:
        return f"mmgit service create {name} --env {target} --manifest …   then: mmgit promote {name}"
    if there[name].spec.hold:
        return f"mmgit rollback {name} --env {target} --release"
    return f"mmgit service show {name} --env {origin}"
