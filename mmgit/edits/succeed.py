"""Lets services that run a model run its next manifest as soon as that is built, where builds are accepted."""

from collections.abc import Collection

from mmgit.edits.change import Change
from mmgit.edits.references import environment_of
from mmgit.edits.services import update
from mmgit.errors import UsageError
from mmgit.frozen import dataclass, field
from mmgit.repository.files import Files
from mmgit.repository.source import DeclaredService, Source


@dataclass(frozen=True)
class Succession:
    """Services of one model, by environment, whose `next` moves; and those that stay, with the reason."""

    moved: tuple[tuple[str, DeclaredService], ...]
    left: dict[str, str] = field(default_factory=dict)


def succession(source: Source, model: str, environments: Collection[str], today: str) -> Succession:
    """Which services run a manifest of a model, or wait for one: in these environments, or in all that accept builds.

    Raises `UsageError` for a named environment that takes promotions only.
    """
    for name in environments:
        if environment_of(source, name).spec.accepts != "build":
            hint = f"mmgit promote --from ENV --to {name}   when it runs elsewhere; or: accepts: build"
            raise UsageError(f"{name} takes what is promoted to it, and no build", hint)
    moved, left = [], {}
    for environment in source.environments.values():
        is_asked = environment.name in environments if environments else environment.spec.accepts == "build"
        for service in environment.services if is_asked else ():
            if model not in {named.partition("/")[0] for named in (service.spec.manifest, service.spec.next) if named}:
                continue
            if service.spec.hold and service.spec.hold.counts_on(today):
                left[f"{service.name} in {environment.name}"] = f"its pin is held: {service.spec.hold.reason}"
            else:
                moved.append((environment.name, service))
    return Succession(tuple(moved), left)


def succeed(source: Source, files: Files, of: Succession, manifest: str) -> Change:
    """Manifest `<model>/<n>`, new as it is, is what they shall run next."""
    change = Change({}, "")
    for environment, service in of.moved:
        edited = update(source, files, {"next": manifest}, environment=environment, name=service.name)
        said = f"{service.name} in {environment} runs manifest {manifest} as soon as it is built"
        change = change.and_then(Change(edited.files, said))
    return Change(change.files, change.summary.strip())
