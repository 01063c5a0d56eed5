"""`mmgit build` and `mmgit release`."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import click

from mmgit.cli import releasing
from mmgit.cli.context import find_root
from mmgit.cli.editing import Session, editing, loaded, say
from mmgit.cli.releasing import built, publish, recorded
from mmgit.edits.locks import waiting
from mmgit.errors import GitError, UsageError
from mmgit.lock import Lock
from mmgit.repository import layout
from mmgit.repository.source import Source

_MATRIX_JOBS_MAX = 256
"""As many jobs as GitHub makes of one matrix."""


@click.command()
@click.argument("manifests", nargs=-1, metavar="[MODEL/N]…")
@click.option(
    "--since", metavar="REF", help="Only what the changes since a commit need: new manifests, and new `next`."
)
@click.option("--push", "is_pushed", is_flag=True, help="Only what waits, to the registries of those who wait.")
@click.option("--locks", type=click.Path(path_type=Path), metavar="FOLDER", help="Put lock files there, not here.")
@click.option("--matrix", "is_matrix", is_flag=True, help="Build nothing: print who builds what in GitHub Actions.")
def build(manifests: tuple[str, ...], since: str | None, locks: Path | None, **ways: bool) -> None:
    """Make the locked bytes of images present, and lock those that are new.

    Without arguments: every manifest that a service runs or should run next. No registry, no Docker, no pin moves.

    With --push or --matrix: what services wait for (`next`) in environments that accept builds and have a registry.
    `mmgit lock FOLDER` checks, on another machine, what --push --locks FOLDER made.
    """
    if locks and not ways["is_pushed"]:
        raise UsageError("--locks is for images that were pushed", "mmgit build --push --locks FOLDER")
    if ways["is_matrix"]:
        print(json.dumps(matrix(_chosen(loaded(find_root()), manifests, since, is_remote=True))))
        return
    with editing(layout.BASES, layout.MODELS, layout.ENVIRONMENTS) as session:
        wanted = _chosen(session.source, manifests, since, is_remote=ways["is_pushed"])
        if locks:
            locks.mkdir(parents=True, exist_ok=True)
        if not wanted:
            print("nothing to build")
        elif ways["is_pushed"]:
            _push(session, wanted, locks)
        else:
            _build_here(session, wanted)


def matrix(manifests: Collection[str]) -> dict[str, list[dict[str, str]]]:
    """The matrix of GitHub Actions jobs that build these manifests: one each, or as many as there may be jobs."""
    ordered = [*manifests]
    rows = (" ".join(ordered[start::_MATRIX_JOBS_MAX]) for start in range(min(len(ordered), _MATRIX_JOBS_MAX)))
    return {"include": [{"manifest": row} for row in rows]}


def pushed_to(source: Source) -> tuple[str, ...]:
    """The environments whose images come from a registry that other machines reach."""
    from mmgit.local.compose import is_served_here  # noqa: PLC0415 - --help must not wait for it

    specs = {name: environment.spec for name, environment in source.environments.items()}
    return tuple(name for name, spec in specs.items() if spec.registry and not is_served_here(spec))


def _chosen(source: Source, manifests: Collection[str], since: str | None, *, is_remote: bool) -> dict[str, str | None]:
    """The manifests to build -> the image that each must be, or any."""
    if manifests:
        return dict.fromkeys(manifests)
    changed = dict.fromkeys(_changed(source, since)) if since else None
    if is_remote:
        waits = waiting(source, pushed_to(source))
        return {manifest: None for manifest in waits if changed is None or manifest in changed}
    if changed is not None:
        return changed
    wanted = dict(_wanted(source))
    if not wanted:
        raise UsageError("no service runs a manifest yet", "mmgit build MODEL/N")
    return wanted


def _build_here(session: Session, wanted: Mapping[str, str | None]) -> None:
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above

    locks = built(session, wanted)
    own = {name for each in session.source.environments.values() for name in session.source.own_images_of(each.spec)}
    if own:
        with working(f"fetching {' and '.join(sorted(own))}") as watch:
            workshop_of(session.root, watch).fetch_own(session.source, *own)
    change = recorded(session.source, locks)
    session.deliver(change, *(["git add -A && git commit"] if change.files else []))


def _push(session: Session, wanted: Mapping[str, str | None], folder: Path | None) -> None:
    """Build, and push to every environment that waits; lock files go into a folder, else into the repository."""
    from mmgit.edits.locks import record  # noqa: PLC0415 - --help must not wait for it

    waits = waiting(session.source, pushed_to(session.source))
    for manifest in wanted.keys() - waits.keys():
        hint = f"mmgit service update NAME --env ENV --manifest {manifest}"
        raise UsageError(f"no service that accepts builds from a registry waits for manifest {manifest}", hint)
    there = {manifest: lock for manifest in wanted if (lock := _there(session, manifest, waits[manifest]))}
    absent = {manifest: image for manifest, image in wanted.items() if manifest not in there}
    made = built(session, absent) if absent else {}
    for manifest, lock in made.items():
        for environment in waits[manifest]:
            publish(session, environment, {manifest: lock})
    locks = {**there, **made}
    if folder is None:
        session.deliver(recorded(session.source, locks))
        return
    for manifest, lock in locks.items():
        for path, data in record(manifest, lock).files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data or b"")
    say(f"{len(locks)} lock files in {folder}", f"mmgit lock {folder}")


def _there(session: Session, manifest: str, environments: Collection[str]) -> Lock | None:
    """A locked image of a manifest that the registries of these environments have already."""
    from mmgit.cli.workplace import is_confirmed  # noqa: PLC0415 - --help must not wait for it
    from mmgit.lock import lock_of  # noqa: PLC0415 - as above

    declared = session.source.manifest(manifest)
    locks = (lock_of(image.spec) for image in declared.images.values()) if declared else ()
    prefixes = [session.source.environments[name].spec.registry or "" for name in environments]
    return next((lock for lock in locks if all(is_confirmed(lock, manifest, prefix) for prefix in prefixes)), None)


def _changed(source: Source, since: str) -> Iterator[str]:
    """The manifests that changes since a commit brought, or that changed services should run next."""
    from mmgit.deliver import git, history  # noqa: PLC0415 - --help must not wait for it

    root = find_root()
    repository = git.find(root.path)
    if repository is None:
        raise GitError(f"{root.path} is not in a git repository", "git init")
    paths = history.changed_paths(repository, history.commit_named(repository, since), None)
    folders = {"/".join(path.split("/")[:4]) for path in paths}
    for name, model in source.models.items():
        references = (f"{name}/{number}" for number in model.manifests)
        yield from (each for each in references if layout.manifest_folder(each) in folders)
    for environment in source.environments.values():
        yield from (each.spec.next for each in environment.services if each.spec.next and each.path in paths)


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE]…")
@click.option("--env", "environment", required=True, help="The environment whose services are released.")
def release(services: tuple[str, ...], environment: str) -> None:
    """Build, push, verify, lock, pin and compile in one go: what SERVICE should run next runs in --env.

    Without SERVICE: all services of the environment that wait for a build.
    """
    releasing.release(environment, services)


def _wanted(source: Source) -> Iterator[tuple[str, str | None]]:
    for environment in source.environments.values():
        for service in environment.services:
            if service.spec.next:
                yield service.spec.next, None
            if service.spec.manifest:
                yield service.spec.manifest, service.spec.image
