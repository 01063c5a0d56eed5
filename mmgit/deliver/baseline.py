"""What git knows around a root: where in its repository it lies, and what was released when this branch began."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mmgit.deliver import git, history
from mmgit.deliver.git import Repository
from mmgit.repository import layout
from mmgit.repository.files import Root


@dataclass(frozen=True)
class Surroundings:
    """Outside of git: nothing released, and the root is the top."""

    baseline_of: Callable[[str], dict[str, str] | None] = lambda _: None
    """Default branch -> the files of `models/` where it was left (path -> git blob id); None without history.

    It raises `GitError` with the command that fetches what a partial clone lacks.
    """
    folder: str = ""
    """The root's path in the git repository."""


def surroundings_of(root: Root) -> Surroundings:
    """What git knows around `root`."""
    repository = git.find(root.path)
    if repository is None:
        return Surroundings()
    return Surroundings(partial(_baseline, repository), repository.prefix.rstrip("/"))


def _baseline(repository: Repository, branch: str) -> dict[str, str] | None:
    commit = history.merge_base(repository, branch)
    if commit is None:
        return None
    return {path: entry.id for path, entry in history.listing(repository, commit, [layout.MODELS]).items()}
