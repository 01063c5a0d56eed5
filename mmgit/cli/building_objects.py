"""The Job by which a cluster builds what is missing: made of declarations, checked, printed for `kubectl create`."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from mmgit.checks.trainings import fetched_from, unreachable
from mmgit.cli.context import find_root
from mmgit.cli.printing import text_of
from mmgit.cli.pushing import pushed_to, refuse_what_nobody_waits_for, there
from mmgit.deliver import git, history
from mmgit.edits.locks import waiting
from mmgit.edits.references import environment_of
from mmgit.errors import Finding, GitError, UsageError
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.spec.building import BuildingSpec

if TYPE_CHECKING:
    from mmgit.render.shapes import Object

_COMMIT = "git add -A && git commit && git push"


def objects_text(source: Source, manifests: Collection[str], environments: tuple[str, ...]) -> str:
    """The Job as YAML, and on standard error what it need not build; nothing where nothing is missing.

    No registry is asked before a Job of one manifest is known to be a good one.

    Raises:
        GitError: what is declared is of no commit, which pods could get.
        ProblemsFound: a cluster would refuse the Job.
        RegistryError: it cannot be asked what is there.
    """
    from mmgit.desired import DesiredEnvironment  # noqa: PLC0415 - --help must not wait for it
    from mmgit.pipeline import build_job  # noqa: PLC0415 - as above
    from mmgit.render.builds import Build  # noqa: PLC0415 - as above
    from mmgit.resolve import blueprints_of  # noqa: PLC0415 - as above

    root = find_root()
    name, spec = _where(source, environments)
    commit, folder = _commit(root)
    address = _repository(source, name, spec)
    waits = waiting(source, pushed_to(source))
    refuse_what_nobody_waits_for(manifests, waits)
    called = f"build-{datetime.now(UTC):%Y%m%d%H%M%S}"
    environment = DesiredEnvironment(name, environment_of(source, name).spec, ())

    def make(needed: tuple[str, ...]) -> tuple[Sequence["Object"], Sequence[Finding]]:
        wanted = Build(spec, called, address, commit, folder, needed)
        return build_job(environment, wanted, blueprints_of(source))

    for manifest in [*manifests][:1]:
        text_of(root, partial(make, (manifest,)))
    if missing := tuple(_missing(source, root, {each: waits[each] for each in manifests})):
        return text_of(root, partial(make, missing))
    print("nothing to build", file=sys.stderr)
    return ""


def _where(source: Source, environments: tuple[str, ...]) -> tuple[str, BuildingSpec]:
    """The environment whose cluster builds. Raises `UsageError` unless it is one."""
    for name in environments:
        environment_of(source, name)
    found = [
        (name, each.spec.building)
        for name, each in source.environments.items()
        if each.spec.building and (not environments or name in environments)
    ]
    if len(found) != 1:
        where = "   or   ".join(f"--env {name}" for name, _ in found)
        hint = where or "building: {image: …, registry_secret: …}   in environment.yaml"
        who = f"{len(found)} environments say how their cluster" if found else "no environment says how its cluster"
        raise UsageError(f"{who} builds images", hint)
    return found[0]


def _commit(root: Root) -> tuple[str, str]:
    """The commit that declares what is here, and the folder of the root in it."""
    repository = git.find(root.path)
    commit = (repository.head if repository else None) or ""
    if repository is None or not commit:
        raise GitError("there is no commit, and pods build what one declares", _COMMIT)
    parts = (layout.PROJECT, layout.BASES, layout.MODELS, layout.ENVIRONMENTS)
    above = [f"{repository.prefix}{path}" for path in parts]
    if changed := history.changed_from_top(repository, commit, None, above):
        raise GitError(f"{changed[0]} is not as it was committed, and pods build what a commit declares", _COMMIT)
    return commit, repository.prefix.rstrip("/")


def _repository(source: Source, environment: str, spec: BuildingSpec) -> str:
    """The address of the declarations. Raises `UsageError` unless logins can be sent to it."""
    address = fetched_from(source, spec)
    if message := unreachable(address):
        raise UsageError(message, f"building: {{repository: https://…}}   in {layout.environment(environment)}")
    return address


def _missing(source: Source, root: Root, waits: Mapping[str, Collection[str]]) -> Iterator[str]:
    """The manifests that are not in the registries of all who wait for them; says which are."""
    for manifest, environments in waits.items():
        if there(source, root, manifest, environments) is None:
            yield manifest
        else:
            print(f"manifest {manifest} is built already: mmgit lock --from-registry", file=sys.stderr)
