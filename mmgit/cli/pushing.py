"""What `mmgit build --push` does: images go to the registries of those who wait, locks to whoever may write git."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

from mmgit.cli.editing import Session, say
from mmgit.cli.releasing import attempted, failure_of, publish, recorded
from mmgit.edits.locks import record, waiting
from mmgit.errors import MmgitError, UsageError
from mmgit.frozen import dataclass, replace
from mmgit.lock import Lock
from mmgit.plural import counted
from mmgit.repository.files import Files, Root
from mmgit.repository.source import Source


@dataclass(frozen=True)
class Destination:
    """Where lock files go: into a folder, into the registries beside the images, else into the repository."""

    folder: Path | None = None
    is_registry: bool = False


def push(session: Session, wanted: Mapping[str, str | None], destination: Destination) -> None:
    """Build, and push to every environment that waits.

    Raises:
        MmgitError: one could not be made, or pushed, after which no other one is pushed; the locks of those that were
            pushed are where they belong.
    """
    waits = waiting(session.source, pushed_to(session.source))
    refuse_what_nobody_waits_for(wanted, waits)
    find = partial(there, session.source, session.root) if destination.is_registry else partial(locked, session.source)
    present = {manifest: lock for manifest in wanted if (lock := find(manifest, waits[manifest]))}
    absent = {manifest: image for manifest, image in wanted.items() if manifest not in present}
    first = {next(iter(waits[manifest])) for manifest in absent}
    made = attempted(session, absent, first.pop() if len(first) == 1 else None)
    failures = dict(made.failures)
    for manifest, lock in made.locks.items():
        try:
            for environment in waits[manifest]:
                publish(session, environment, {manifest: lock})
            if destination.is_registry:
                _leave(lock, manifest, prefixes_of(session.source, waits[manifest]))
        except MmgitError as error:
            failures[manifest] = error
            break
        present[manifest] = lock
    _hand_over(session, present, destination, is_complete=not failures)
    if failures:
        raise failure_of(replace(made, failures=failures))


def refuse_what_nobody_waits_for(manifests: Iterable[str], waits: Collection[str]) -> None:
    """Raise `UsageError` for a manifest that no service gets from a registry once it is built."""
    for manifest in manifests:
        if manifest not in waits:
            hint = f"mmgit service update NAME --env ENV --manifest {manifest}"
            raise UsageError(f"no service that accepts builds from a registry waits for manifest {manifest}", hint)


def pushed_to(source: Source) -> tuple[str, ...]:
    """The environments whose images come from a registry that other machines reach."""
    from mmgit.local.compose import is_served_here  # noqa: PLC0415 - --help must not wait for it

    specs = {name: environment.spec for name, environment in source.environments.items()}
    return tuple(name for name, spec in specs.items() if spec.registry and not is_served_here(spec))


def locked(source: Source, manifest: str, environments: Iterable[str]) -> Lock | None:
    """A locked image of a manifest that the registries of these environments have already."""
    from mmgit.cli.workplace import is_confirmed  # noqa: PLC0415 - --help must not wait for it
    from mmgit.lock import lock_of  # noqa: PLC0415 - as above

    declared = source.manifest(manifest)
    locks = (lock_of(image.spec) for image in declared.images.values()) if declared else ()
    prefixes = prefixes_of(source, environments)
    return next((lock for lock in locks if all(is_confirmed(lock, manifest, prefix) for prefix in prefixes)), None)


def left(source: Source, files: Files, manifest: str, environments: Collection[str]) -> Lock | None:
    """The lock that was left beside an image in these registries, which have it. It is still to be judged.

    Raises:
        RegistryError: a registry cannot be asked.
    """
    from mmgit.cli.workplace import docker_config, is_confirmed  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images import beside  # noqa: PLC0415 - as above
    from mmgit.images.recipes import recipe_of  # noqa: PLC0415 - as above
    from mmgit.images.workshop import registry_at  # noqa: PLC0415 - as above

    recipe, _ = recipe_of(files, source, manifest)
    prefixes = prefixes_of(source, environments)
    for prefix in prefixes:
        lock = beside.found(recipe.key, registry_at(prefix, manifest.partition("/")[0], docker_config()))
        if lock and all(is_confirmed(lock, manifest, each) for each in prefixes):
            return lock
    return None


def there(source: Source, root: Root, manifest: str, environments: Collection[str]) -> Lock | None:
    """The lock of an image that these registries have, in git or beside it; what is not of the manifest is not there.

    Raises:
        RegistryError: a registry cannot be asked.
    """
    if lock := locked(source, manifest, environments):
        return lock
    from mmgit.cli.progress import warn  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.images.assemble import Assembler  # noqa: PLC0415 - as above
    from mmgit.images.handover import objections  # noqa: PLC0415 - as above

    lock = left(source, root, manifest, environments)
    words = next(objections(lock, manifest, source, root, Assembler(workshop_of(root).layout)), "") if lock else ""
    if words:
        warn(f"manifest {manifest} is built anew, as the lock that was left beside an image is not of it: {words}")
    return None if words else lock


def _leave(lock: Lock, manifest: str, prefixes: Iterable[str]) -> None:
    from mmgit.cli.workplace import docker_config  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images import beside  # noqa: PLC0415 - as above
    from mmgit.images.workshop import registry_at  # noqa: PLC0415 - as above

    for prefix in prefixes:
        beside.leave(lock, registry_at(prefix, manifest.partition("/")[0], docker_config()))


def _hand_over(session: Session, locks: Mapping[str, Lock], destination: Destination, *, is_complete: bool) -> None:
    if not locks and destination != Destination():
        return
    if destination.folder:
        for manifest, lock in locks.items():
            for path, data in record(manifest, lock).files.items():
                (destination.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (destination.folder / path).write_bytes(data or b"")
        say(f"{counted(len(locks), 'lock file')} in {destination.folder}", f"mmgit lock {destination.folder}")
    elif destination.is_registry:
        say(f"{counted(len(locks), 'lock file')} beside their images", "mmgit lock --from-registry")
    elif (change := recorded(session.source, locks)).files or is_complete:
        session.deliver(change)


def prefixes_of(source: Source, environments: Iterable[str]) -> list[str]:
    """The registries of environments, each once."""
    return list(dict.fromkeys(source.environments[name].spec.registry or "" for name in environments))
