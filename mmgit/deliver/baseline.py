"""What git knows around a root: where in its repository it lies, and what was released when this branch began."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, partial

from mmgit.deliver import git, history
from mmgit.deliver.default_branch import default_branch
from mmgit.deliver.former import former
from mmgit.deliver.git import Repository
from mmgit.repository import layout
from mmgit.repository.files import Root


@dataclass(frozen=True)
class Surroundings:
    """Outside of git: nothing released, and the root is the top."""

    baseline_of: Callable[[str], dict[str, str] | None] = lambda _: None
    """Declared default branch -> the files of `models/` where the default one was left: path -> git blob id.

    None without history. `default_branch` decides which one that is. It raises `GitError` with the command that fetches
    or sets what a clone lacks.
    """
    folder: str = ""
    """The root's path in the git repository."""
    former_of: Callable[[str, Collection[str]], Mapping[str, bytes | None]] = lambda _, __: {}
    """The same, files and folders -> what changed since it was left: path -> its bytes then, None if new."""


def surroundings_of(root: Root, target_branch: str = "") -> Surroundings:
    """What git knows around `root`; `target_branch` is what a CI says that the change shall be merged into."""
    repository = git.find(root.path)
    if repository is None:
        return Surroundings()
    branch = cache(partial(default_branch, repository, target=target_branch))
    return Surroundings(
        lambda declared: _baseline(repository, branch(declared)),
        repository.prefix.rstrip("/"),
        lambda declared, paths: former(repository, branch(declared), paths),
    )


def _baseline(repository: Repository, branch: str) -> dict[str, str] | None:
    commit = history.merge_base(repository, branch)
    if commit is None:
        return None
    return {path: entry.id for path, entry in history.listing(repository, commit, [layout.MODELS]).items()}
