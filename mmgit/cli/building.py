"""`mmgit build` and `mmgit release`."""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click

from mmgit.cli import releasing
from mmgit.cli.apart import refuse_together
from mmgit.cli.context import find_root
from mmgit.cli.editing import Session, editing, loaded
from mmgit.cli.folders import make_folder
from mmgit.cli.pushing import Destination, push, pushed_to
from mmgit.cli.releasing import built, recorded
from mmgit.edits.locks import waiting
from mmgit.errors import GitError, UsageError
from mmgit.repository import layout
from mmgit.repository.source import Source

_RELEASES_SHOWN = 3
_MATRIX_JOBS_MAX = 256
"""As many jobs as GitHub makes of one matrix."""
_APART = {
    "mmgit build --on kubernetes": ("--on", "--matrix", "--push", "--part", "--locks", "--hand-over"),
    "mmgit build --matrix": ("--matrix", "--push", "--part"),
    "mmgit build --push --hand-over": ("--hand-over", "--locks"),
    "mmgit build --since REF": ("--since", "manifests"),
}
_MATTERS = (layout.BASES, layout.MODELS, layout.ENVIRONMENTS)


@click.command()
@click.argument("manifests", nargs=-1, metavar="[MODEL/N]…")
@click.option(
    "--since", metavar="REF", help="Only what the changes since a commit need: new manifests, and new `next`."
)
@click.option("--push", "is_pushed", is_flag=True, help="Only what waits, to the registries of those who wait.")
@click.option("--locks", type=click.Path(path_type=Path), metavar="FOLDER", help="Put lock files there, not here.")
@click.option("--hand-over", "is_handed_over", is_flag=True, help="Leave lock files in the registries, not here.")
@click.option("--part", metavar="I/N", help="Only the I-th of N parts, counted from 0, or job/N in a Job.")
@click.option("--on", "where", type=click.Choice(["kubernetes"]), help="Build nothing: print the Job that does.")
@click.option("--env", "environments", multiple=True, metavar="ENV", help="With --on: in whose cluster.")
@click.option("--matrix", "is_matrix", is_flag=True, help="Build nothing: print who builds what in GitHub Actions.")
def build(manifests: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - click's values
    """Make the locked bytes of images present, and lock those that are new.

    Without arguments: every manifest that a service runs or should run next. No pin moves. Only
    RUN steps need a Docker engine.

    With --push or --matrix: what services wait for (`next`) in environments that accept builds and have a registry.
    `mmgit lock` checks, on another machine, what --push --locks FOLDER or --push --hand-over made.
    """
    refuse_together(build, {"manifests": manifests, **given}, _APART)
    locks, is_pushed = given["locks"], given["is_pushed"]
    destination = Destination(locks, given["is_handed_over"])
    if destination != Destination() and not is_pushed:
        raise UsageError("--locks and --hand-over are for images that were pushed", "mmgit build --push --locks FOLDER")
    if given["environments"] and not given["where"]:
        raise UsageError("--env says in whose cluster, with --on", "mmgit build --on kubernetes --env ENV")
    if given["is_matrix"]:
        print(json.dumps(matrix(_chosen(loaded(find_root(), *_MATTERS), manifests, given["since"], is_remote=True))))
        return
    if given["where"]:
        from mmgit.cli.building_objects import objects_text  # noqa: PLC0415 - --help must not wait for it

        source = loaded(find_root(), *_MATTERS)
        chosen = _chosen(source, manifests, given["since"], is_remote=True)
        print(objects_text(source, chosen, given["environments"]), end="")
        return
    with editing(*_MATTERS) as session:
        chosen = _chosen(session.source, manifests, given["since"], is_remote=is_pushed)
        wanted = part_of(chosen, given["part"], os.environ.get("JOB_COMPLETION_INDEX"))
        if locks:
            make_folder(locks, "--locks FOLDER   where one may be made")
        if not wanted:
            print("nothing to build")
        elif is_pushed:
            push(session, wanted, destination)
        else:
            _build_here(session, wanted)


def part_of(wanted: Mapping[str, str | None], part: str | None, job_index: str | None = None) -> dict[str, str | None]:
    """The part `I/N` of what is wanted: every N-th, from the I-th on; `job/N` is the part of a pod with that index.

    Raises:
        UsageError: it is no part.
    """
    asked = "0/1" if part is None else f"{job_index}/{part[4:]}" if part.startswith("job/") else part
    found = re.fullmatch(r"([0-9]{1,6})/([1-9][0-9]{0,5})", asked, re.ASCII)
    if found is None or int(found[1]) >= int(found[2]):
        raise UsageError(f"--part {part} is no part", "--part 0/3, 1/3 or 2/3; job/3 where JOB_COMPLETION_INDEX is set")
    return dict([*wanted.items()][int(found[1]) :: int(found[2])])


def matrix(manifests: Collection[str]) -> dict[str, list[dict[str, str]]]:
    """The matrix of GitHub Actions jobs that build these manifests: one each, or as many as there may be jobs."""
    ordered = [*manifests]
    rows = (" ".join(ordered[start::_MATRIX_JOBS_MAX]) for start in range(min(len(ordered), _MATRIX_JOBS_MAX)))
    return {"include": [{"manifest": row} for row in rows]}


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
    session.deliver(change, *_releases(session.source, wanted), *(["git add -A && git commit"] if change.files else []))


def _releases(source: Source, built: Collection[str]) -> list[str]:
    """The commands that let services run what was built, as building moves no pin."""
    waiting_here = (
        f"mmgit release {service.name} --env {environment.name}"
        for environment in source.environments.values()
        for service in environment.services
        if environment.spec.target != "process" and service.spec.next in built
    )
    return [*islice(waiting_here, _RELEASES_SHOWN)]


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
