"""`mmgit build` and `mmgit release`."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from mmgit.cli.context import target_branch
from mmgit.cli.editing import Session, editing
from mmgit.edits.change import Change
from mmgit.errors import BuildError, UsageError
from mmgit.lock import Lock
from mmgit.repository import layout
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.pipeline import Compiled


@click.command()
@click.argument("manifests", nargs=-1, metavar="[MODEL/N]…")
def build(manifests: tuple[str, ...]) -> None:
    """Make the locked bytes of images present, and lock those that are new.

    Without arguments: every manifest that a service runs or should run next. No registry, no Docker, no pin moves.
    """
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above

    with editing(layout.BASES, layout.MODELS, layout.ENVIRONMENTS) as session:
        wanted = dict.fromkeys(manifests) or dict(_wanted(session.source))
        if not wanted:
            raise UsageError("no service runs a manifest yet", "mmgit build MODEL/N")
        locks = built(session, wanted)
        if any(environment.spec.target == "compose" for environment in session.source.environments.values()):
            with working("fetching the proxy") as watch:
                workshop_of(session.root, watch).fetch_proxy(session.source)
        change = recorded(session.source, locks)
        session.deliver(change, *(["git add -A && git commit"] if change.files else []))


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE]…")
@click.option("--env", "environment", required=True, help="The environment whose services are released.")
def release(services: tuple[str, ...], environment: str) -> None:
    """Build, push, verify, lock, pin and compile in one go: what SERVICE should run next runs in --env.

    Without SERVICE: all services of the environment that wait for a build.
    """
    with editing(layout.BASES, layout.MODELS, layout.ENVIRONMENTS) as session:
        released(session, environment, services)
        print("next: git add -A && git commit")


def released(session: Session, environment: str, services: tuple[str, ...]) -> tuple["Compiled", tuple[str, ...]]:
    """Release services, or all that wait; what was compiled, and the declared files that this changed."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.progress import working  # noqa: PLC0415 - as above
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above
    from mmgit.deliver.write import write_tree  # noqa: PLC0415 - as above

    waiting = _waiting(session.source, environment, services)
    locks = built(session, dict.fromkeys(waiting.values()))
    publish(session, environment, locks)
    pins = pipeline.pins(session.root, session.source, environment, waiting, locks)
    change = recorded(session.source, locks).and_then(pins)
    session.deliver(change)
    with working("compiling") as watch:
        compiled = pipeline.compiled(session.root, surroundings_of(session.root, target_branch()), watch)
    written = write_tree(session.writer, compiled.tree, compiled.owned)
    print(f"{len(written.changed)} rendered files written, {len(written.removed)} removed")
    return compiled, tuple(change.files)


def commit(session: Session, compiled: "Compiled", paths: Collection[str], message: str) -> None:
    """Commit what was compiled with the declared files at `paths`; outside of git, say what is left to do."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver import git  # noqa: PLC0415 - as above

    repository = git.find(session.root.path)
    if repository is None:
        print("next: git init && git add -A && git commit")
        return
    made = pipeline.commit(session.writer, repository, compiled, pipeline.Wish(paths, message))
    print(f"committed {made[:12]}" if made else "nothing to commit")


def built(session: Session, manifests: Mapping[str, str | None]) -> dict[str, Lock]:
    """The locks of these manifests (-> the image that it must be, or any), all of them present.

    Raises:
        BuildError: one could not be made; the others are built and locked.
    """
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above

    with working(f"building {', '.join(manifests)}") as watch:
        made = workshop_of(session.root, watch).build(session.source, manifests)
    for manifest, lock in made.locks.items():
        say_built(session.source, manifest, lock)
    if made.failures:
        name, first = next(iter(made.failures.items()))
        session.deliver(recorded(session.source, made.locks))
        others = f" ({len(made.failures) - 1} more failed)" if len(made.failures) > 1 else ""
        raise BuildError(f"manifest {name}: {first.message}{others}", first.hint)
    return dict(made.locks)


def say_built(source: Source, manifest: str, lock: Lock) -> None:
    """One line about an image that is there now."""
    size_mb = sum(blob.size_bytes for blob in lock.blobs) / 1e6
    print(f"{_spelt(source, manifest)}: {lock.index.digest} ({', '.join(lock.platforms)}, {size_mb:.1f} MB)")


def publish(session: Session, environment: str, locks: dict[str, Lock]) -> None:
    """Push images to the registry of an environment, unless this machine's layout is that registry."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.local.compose import is_served_here  # noqa: PLC0415 - as above

    spec = session.source.environments[environment].spec
    if spec.registry is None or is_served_here(spec):
        return
    for manifest, lock in locks.items():
        name = manifest.partition("/")[0]
        with working(spec.registry) as watch:
            sent_bytes = workshop_of(session.root, watch).push(lock, spec.registry, name)
        print(f"{spec.registry}/{name}@{lock.index.digest}: {sent_bytes / 1e6:.1f} MB sent, verified")


def recorded(source: Source, locks: Mapping[str, Lock]) -> Change:
    """The lock files that are not there yet."""
    from mmgit.edits.locks import record  # noqa: PLC0415 - --help must not wait for it

    changes = []
    for manifest, lock in locks.items():
        declared = source.manifest(manifest)
        if declared and lock.file_name.removesuffix(".yaml") not in declared.images:
            changes.append(record(manifest, lock))
    files = {path: data for change in changes for path, data in change.files.items()}
    return Change(files, f"{len(files)} image{'s' * (len(files) != 1)} locked" if files else "all images are locked")


def _wanted(source: Source) -> Iterator[tuple[str, str | None]]:
    for environment in source.environments.values():
        for service in environment.services:
            if service.spec.next:
                yield service.spec.next, None
            if service.spec.manifest:
                yield service.spec.manifest, service.spec.image


def _waiting(source: Source, environment: str, names: tuple[str, ...]) -> dict[str, str]:
    """Service -> the manifest that it should run. Raises `UsageError` for a name that is not declared."""
    from mmgit.edits.references import environment_of, service_of  # noqa: PLC0415 - --help must not wait for it

    if names:
        chosen = [service_of(source, environment, name) for name in names]
    else:
        chosen = [service for service in environment_of(source, environment).services if service.spec.next]
    waiting = {service.name: service.spec.next or service.spec.manifest or "" for service in chosen}
    if not waiting:
        hint = f"mmgit service update NAME --env {environment} --manifest MODEL/N"
        raise UsageError(f"no service in {environment} waits for a build", hint)
    return waiting


def _spelt(source: Source, manifest: str) -> str:
    declared = source.manifest(manifest)
    models = ", ".join(declared.spec.models) if declared else ""
    return f"manifest {manifest} (model {models})"
