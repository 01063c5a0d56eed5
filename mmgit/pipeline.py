"""mmgit on one page: load → resolve → check → build → lock → render → write → commit.

Every stage takes frozen values and returns frozen values. A dry run is the same pipeline with another last stage.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Self

from mmgit.checks import CHECKS, Scope
from mmgit.checks.objects import ObjectChecks
from mmgit.desired import Blueprint, Desired, DesiredEnvironment, DesiredService
from mmgit.errors import Finding, Problem, ProblemsFound
from mmgit.frozen import dataclass, replace
from mmgit.progress import unheard, unwatched
from mmgit.render.rendering import Rendering, render
from mmgit.repository import layout, problems
from mmgit.repository.files import near
from mmgit.repository.load import load
from mmgit.resolve import Resolved, blueprints_of, resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import TracebackType

    from mmgit.checks import Check
    from mmgit.deliver.baseline import Surroundings
    from mmgit.deliver.git import Repository
    from mmgit.deliver.write import Written
    from mmgit.deliver.writer import Writer
    from mmgit.progress import Advance, Watch
    from mmgit.render.builds import Build
    from mmgit.render.target import Rendered
    from mmgit.render.trainings import Training
    from mmgit.repository.files import Files
    from mmgit.repository.source import Source
    from mmgit.review.side import Selection, Side

_NOTHING = Resolved(Desired({}), ())


@dataclass(frozen=True)
class Checked:
    """What is declared, what should run, and everything that is wrong with it, warnings too."""

    source: Source | None
    desired: Desired
    tree: Mapping[str, bytes]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop a compile."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


@dataclass(frozen=True)
class Compiled:
    """What the declarations make: path -> bytes, in folders that are the compiler's own."""

    source: Source
    tree: Mapping[str, bytes]
    owned: tuple[str, ...]
    warnings: tuple[Problem, ...]


def check(
    root: Files,
    surroundings: Surroundings,
    services: Collection[str] | None = None,
    whole: Collection[str] = (),
    *,
    watch: Watch = unwatched,
) -> Checked:
    """Load, resolve, check and render everything below `root`, or only these service files and models."""
    loaded = load(root, services, whole)
    source = loaded.source
    if source is None:
        return Checked(None, Desired({}), {}, loaded.problems)
    total = sum(len(each.services) for each in source.environments.values())
    models = None if services is None else source.models
    with watch("services", total, "things") as advance, Checking(root, surroundings, source, models) as checking:
        made = checking.check(source, loaded.problems, CHECKS, advance)
        made = checking.with_printed(made)
    if made.errors:
        return made
    return replace(made, tree={**made.tree, **controllers(source, made.desired, surroundings.folder)})


class Checking:
    """Resolves, checks and renders services, at once or part by part. A context manager, as `Rendering` is one.

    Of `models` (None: all) is compared what was released.
    """

    def __init__(
        self, root: Files, surroundings: Surroundings, source: Source, models: Collection[str] | None = None
    ) -> None:
        branch = source.project.spec.branch
        former = cache(partial(surroundings.former_of, branch))  # each part asks the same again
        self._root = root
        self._is_whole = models is None
        self._baseline = surroundings.baseline_of(branch, models)
        self._former = lambda paths: former(tuple(paths))
        self._released_in = partial(surroundings.name_of, branch)
        self._inputs: dict[str, str | None] = {}
        self._rendering = Rendering(blueprints_of(source))
        self._objects = ObjectChecks()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._rendering.__exit__(kind, error, at)

    def check(
        self, source: Source, known: Iterable[Problem], checks: Iterable[Check], advance: Advance = unheard
    ) -> Checked:
        """Resolve and check what was loaded; if nothing is wrong, render its services and check their objects."""
        resolved = resolve(source)
        found = {*known, *self.judge(source, checks, resolved)}
        tree: Mapping[str, bytes] = {}
        if not any(problem.severity == "error" for problem in found):
            desired = resolved.desired.environments.values()
            rendered = self._rendering.render(desired, partial(self._check_rendered, advance))
            tree = rendered.files
            found |= set(problems.locate(rendered.findings, self._root.read))
        return Checked(source, resolved.desired, tree, _ordered(found))

    def with_printed(self, checked: Checked) -> Checked:
        """The same, with what is wrong with the Jobs by which clusters would build and train, by an example of each."""
        source, findings = checked.source, list[Finding]()
        if source is None or checked.errors:
            return checked
        for environment in checked.desired.environments.values():
            if environment.spec.building or environment.spec.retraining:
                findings += _wrong_with_printed(source, environment)
        found = {*checked.problems, *problems.locate(findings, self._root.read)}
        return replace(checked, problems=_ordered(found)) if findings else checked

    def judge(self, source: Source, checks: Iterable[Check], resolved: Resolved = _NOTHING) -> list[Problem]:
        """What checks find, and what the resolver found; nothing is rendered."""
        with near(self._root) as files:
            scope = Scope(
                source,
                resolved.desired,
                self._baseline,
                files.read,
                self._former,
                self._inputs,
                self._released_in,
                is_whole=self._is_whole,
            )
            findings = [*resolved.findings, *(finding for check in checks for finding in check(scope))]
            return list(problems.locate(findings, files.read))

    def _check_rendered(
        self, advance: Advance, environment: DesiredEnvironment, service: DesiredService, rendered: Rendered
    ) -> tuple[Finding, ...]:
        advance(1)
        size_bytes = sum(map(len, rendered.files.values()))
        return self._objects.check(environment, service, rendered.make_objects, rendered.mould, size_bytes)


def build_job(
    environment: DesiredEnvironment, wanted: Build, blueprints: Mapping[str, Blueprint]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The Job of a build, and what is wrong with it. Raises `BlueprintFault` where there is none."""
    from mmgit.checks.objects import check_printed  # noqa: PLC0415 - few environments build
    from mmgit.render.builds import objects_of, subject  # noqa: PLC0415 - as above

    objects = objects_of(environment, wanted, blueprints)
    findings = check_printed(environment, subject(environment, wanted), objects)
    return objects, [replace(each, keys=each.keys or ("building",)) for each in findings]


def training_objects(
    environment: DesiredEnvironment, wanted: Training, blueprints: Mapping[str, Blueprint]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The objects of a training, and what is wrong with them. Raises `BlueprintFault` where there are none."""
    from mmgit.checks.objects import check_printed  # noqa: PLC0415 - few environments train
    from mmgit.render.trainings import objects_of, subject  # noqa: PLC0415 - as above

    objects = objects_of(environment, wanted, blueprints)
    findings = check_printed(environment, subject(environment, wanted), objects)
    keys = ("retraining", environment.spec.retraining.index(wanted.spec))
    return objects, [replace(each, keys=each.keys or keys) for each in findings]


def _wrong_with_printed(source: Source, environment: DesiredEnvironment) -> list[Finding]:
    """What is wrong with what a cluster would be given to build and to train."""
    from mmgit.blueprints.faults import BlueprintFault  # noqa: PLC0415 - few environments do either
    from mmgit.render import builds, trainings  # noqa: PLC0415 - as above

    blueprints, findings = blueprints_of(source), list[Finding]()
    building = [partial(build_job, environment, builds.example_of(environment))] if environment.spec.building else []
    training = [partial(training_objects, environment, each) for each in trainings.examples_of(environment, source)]
    for make in (*building, *training):
        try:
            findings += make(blueprints)[1]
        except BlueprintFault as fault:
            findings += fault.findings
    return findings


def _ordered(found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(found, key=lambda problem: (problem.place, problem.code, problem.message)))


def side(files: Files, chosen: Selection, folder: str = "") -> Side:
    """One side of a change, to be reviewed; `folder` is the root's path in the git repository.

    Raises `ProblemsFound` if it cannot be read or joined.
    """
    from mmgit.review.side import Side  # noqa: PLC0415 - a compile must not wait for it

    loaded = load(files, chosen.services, chosen.models)
    errors = tuple(problem for problem in loaded.problems if problem.severity == "error")
    if loaded.source is None or errors:
        raise ProblemsFound(errors)
    desired = resolve(loaded.source).desired
    objects: dict[tuple[str, str], tuple[dict[str, Any], ...]] = {}

    def keep(environment: DesiredEnvironment, service: DesiredService, rendered: Rendered) -> tuple[Finding, ...]:
        objects[environment.name, service.name] = rendered.objects
        return ()

    rendered = render(desired, keep)
    if broken := [each for each in problems.locate(rendered.findings, files.read) if each.severity == "error"]:
        raise ProblemsFound(tuple(broken))
    whole = {name: each for name, each in desired.environments.items() if chosen.is_whole(name)}
    by_service = {name for name, each in desired.environments.items() if each.spec.target == "kubernetes"}
    made = {path: data for path, data in rendered.files.items() if path.split("/")[1] in {*whole, *by_service}}
    return Side(loaded.source, desired, objects, files, made | controllers(loaded.source, Desired(whole), folder))


def controllers(source: Source, desired: Desired, folder: str) -> dict[str, bytes]:
    """What a person applies once: bootstraps where the project says on which forge it lies, policies where declared."""
    forge, environments = source.project.spec.forge, desired.environments.values()
    if forge is None and not any(environment.spec.signatures for environment in environments):
        return {}
    from mmgit.render import controllers as made  # noqa: PLC0415 - not every project has a forge

    trees = [made.render_policies(environment) for environment in environments]
    if forge is not None:
        git_source = made.GitSource(forge.clone_url, source.project.spec.branch, folder)
        trees += [made.render_controllers(environment, git_source) for environment in environments]
    return {path: data for tree in trees for path, data in tree.items()}


def compiled(root: Files, surroundings: Surroundings, watch: Watch = unwatched) -> Compiled:
    """Everything that the declarations make. Raises `ProblemsFound` if there are errors."""
    checked = check(root, surroundings, watch=watch)
    if checked.source is None or checked.errors:
        raise ProblemsFound(checked.problems)
    return Compiled(checked.source, checked.tree, owned_folders(checked.source), checked.problems)


def owned_folders(source: Source) -> tuple[str, ...]:
    """The folders that are the compiler's own."""
    folders = (layout.rendered_folder, layout.controllers_folder)
    return tuple(folder(name) for name in source.environments for folder in folders)


@dataclass(frozen=True)
class Wish:
    """What somebody wants committed: uncommitted declarations, the message, and edited outputs that may be replaced."""

    paths: Collection[str]
    message: str = ""
    overwrite: Collection[str] = ()


@dataclass(frozen=True)
class Committed:
    """The commit, None if all of it was committed already; and what was written in the work tree besides."""

    commit: str | None
    written: Written


def commit(writer: Writer, repository: Repository, compiled: Compiled, wish: Wish) -> Committed:
    """Commit what was compiled with the declarations that were wished.

    Raises `ProblemsFound` for outputs that somebody edited and did not name.
    """
    from mmgit.deliver import history, write  # noqa: PLC0415 - a compile without commit must not wait for it

    uncommitted = history.changes_since(repository, repository.head, compiled.tree, compiled.owned)
    unwritten = write.changes_for(writer.root, compiled.tree, compiled.owned, wish.overwrite)
    made = commit_rendered(writer, repository, compiled.source, wish, {**uncommitted, **unwritten})
    return Committed(made, write.written(unwritten))


def commit_rendered(
    writer: Writer, repository: Repository, source: Source, wish: Wish, rendered: Mapping[str, bytes | None]
) -> str | None:
    """Commit rendered files, written or not, with the declarations that were wished; None if all of it is there."""
    from mmgit.deliver import commit as committing  # noqa: PLC0415 - a compile without commit must not wait for it
    from mmgit.deliver import declared  # noqa: PLC0415 - as above

    limit = source.project.spec.store.git_limit
    changes = {**declared.included(writer.root, repository, wish.paths, git_limit=limit), **rendered}
    return committing.commit(writer, repository, changes, wish.message or _message(changes))


def _message(changes: Iterable[str]) -> str:
    """The first line of a commit that nobody named: which environments it changes."""
    environments = sorted({path.split("/")[1] for path in changes if path.startswith(f"{layout.ENVIRONMENTS}/")})
    return f"Compile {', '.join(environments)}" if environments else "Compile"
