"""mmgit on one page: load → resolve → check → build → lock → render → write → commit.

Every stage takes frozen values and returns frozen values. A dry run is the same pipeline with another last stage.
"""

from dataclasses import dataclass

from mmgit.checks import CHECKS, Baseline, Scope
from mmgit.desired import Desired
from mmgit.errors import Problem, ProblemsFound
from mmgit.repository import problems
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.repository.source import Source
from mmgit.resolve import resolve


@dataclass(frozen=True)
class Checked:
    """What is declared, what should run, and everything that is wrong with it, warnings too."""

    source: Source | None
    desired: Desired
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop a compile."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def check(root: Root, baseline: Baseline | None) -> Checked:
    """Load, resolve and check everything below `root`."""
    loaded = load(root)
    if loaded.source is None:
        return Checked(None, Desired({}), loaded.problems)
    resolved = resolve(loaded.source)
    scope = Scope(loaded.source, resolved.desired, baseline, root.read)
    findings = [*resolved.findings, *(finding for check in CHECKS for finding in check(scope))]
    found = {*loaded.problems, *problems.locate(findings, root.read)}
    return Checked(loaded.source, resolved.desired, tuple(sorted(found, key=_by_place)))


def checked(root: Root, baseline: Baseline | None) -> tuple[Source, Desired, tuple[Problem, ...]]:
    """The same, for stages that need it whole. Raises `ProblemsFound`; the warnings are returned."""
    result = check(root, baseline)
    if result.source is None or result.errors:
        raise ProblemsFound(result.problems)
    return result.source, result.desired, result.problems


def _by_place(problem: Problem) -> tuple[object, ...]:
    return problem.place, problem.code, problem.message
