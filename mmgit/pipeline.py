"""mmgit on one page: load → resolve → check → build → lock → render → write → commit.

Every stage takes frozen values and returns frozen values. A dry run is the same pipeline with another last stage.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from mmgit.checks import CHECKS, Baseline, Scope
from mmgit.checks.objects import check_objects
from mmgit.deliver import commit as committing
from mmgit.deliver import declared, history
from mmgit.deliver.git import Repository
from mmgit.deliver.writer import Writer
from mmgit.desired import Desired
from mmgit.edits.change import Change
from mmgit.edits.locks import pin
from mmgit.edits.services import update
from mmgit.errors import Finding, Problem, ProblemsFound
from mmgit.lock import Lock
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.kubernetes import Kubernetes
from mmgit.repository import layout, problems
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.repository.source import Source
from mmgit.resolve import resolve

BaselineOf = Callable[[str], Baseline | None]
"""The files of `models/` where the named default branch was left."""


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


def check(root: Root, baseline_of: BaselineOf, services: Collection[str] | None = None) -> Checked:
    """Load, resolve, check and render everything below `root`, or only the named service files."""
    loaded = load(root, services)
    source = loaded.source
    if source is None:
        return Checked(None, Desired({}), {}, loaded.problems)
    resolved = resolve(source)
    scope = Scope(source, resolved.desired, baseline_of(source.project.spec.branch), root.read)
    findings = [*resolved.findings, *(finding for check in CHECKS for finding in check(scope))]
    found = {*loaded.problems, *problems.locate(findings, root.read)}
    tree: Mapping[str, bytes] = {}
    if not any(problem.severity == "error" for problem in found):
        tree, rendering = rendered(resolved.desired)
        found |= set(problems.locate(rendering, root.read))
    ordered = sorted(found, key=lambda problem: (problem.place, problem.code, problem.message))
    return Checked(source, resolved.desired, tree, tuple(ordered))


def rendered(desired: Desired) -> tuple[Mapping[str, bytes], tuple[Finding, ...]]:
    """The files of every environment, and what is wrong with the objects in them."""
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    with BlueprintSet(desired.blueprints) as blueprints:
        for environment in desired.environments.values():
            if environment.spec.target != "kubernetes":
                continue
            target = Kubernetes(environment, blueprints)
            for service in environment.services:
                made = target.service(service)
                files |= made.files
                findings += (*made.findings, *check_objects(environment, service, made.objects))
            files |= target.shared().files
    return dict(sorted(files.items())), tuple(findings)


def compiled(root: Root, baseline_of: BaselineOf) -> Compiled:
    """Everything that the declarations make. Raises `ProblemsFound` if there are errors."""
    checked = check(root, baseline_of)
    if checked.source is None or checked.errors:
        raise ProblemsFound(checked.problems)
    owned = tuple(layout.rendered_folder(name) for name in checked.source.environments)
    return Compiled(checked.source, checked.tree, owned, checked.problems)


def commit(
    writer: Writer, repository: Repository, compiled: Compiled, paths: Collection[str], message: str
) -> str | None:
    """Commit what was compiled, with the uncommitted declarations at `paths`; the commit, or None if all is there."""
    limit = compiled.source.project.spec.store.git_limit
    changes = declared.included(writer.root, repository, paths, git_limit=limit)
    changes |= history.changes_since(repository, repository.head, compiled.tree, compiled.owned)
    return committing.commit(writer, repository, changes, message or _message(changes))


def _message(changes: Iterable[str]) -> str:
    """The first line of a commit that nobody named: which environments it changes."""
    environments = sorted({path.split("/")[1] for path in changes if path.startswith(f"{layout.ENVIRONMENTS}/")})
    return f"Compile {', '.join(environments)}" if environments else "Compile"


def pins(
    root: Root, source: Source, environment: str, services: Mapping[str, str], locks: Mapping[str, Lock]
) -> Change:
    """The services of an environment run the locked images of these manifests: service -> `<model>/<n>`."""
    files: dict[str, bytes | None] = {}
    for name, manifest in services.items():
        files |= update(source, root, pin(manifest, locks[manifest]), environment=environment, name=name).files
    running = ", ".join(f"{name} runs manifest {manifest}" for name, manifest in services.items())
    return Change(files, f"in {environment} {running}")
