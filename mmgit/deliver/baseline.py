"""What git knows around a root: where in its repository it lies, and what was released when this branch began."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mmgit.frozen import dataclass
from mmgit.repository import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from mmgit.deliver.former import Known
    from mmgit.deliver.git import Repository
    from mmgit.repository.files import Root


@dataclass(frozen=True)
class Surroundings:
    """Outside of git: nothing released, and the root is the top."""

    baseline_of: Callable[[str, Collection[str] | None], dict[str, str] | None] = lambda _, __: None
    """Declared default branch, names of models (None: all) -> their files where the default one was left, as blob ids.

    None without history. `default_branch` decides which one that is. It raises `GitError` with the command that fetches
    or sets what a clone lacks.
    """
    base_of: Callable[[str], str | None] = lambda _: None
    """The same, as the commit at which that branch was left."""
    name_of: Callable[[str], str] = lambda declared: f"origin/{declared}"
    """The same, as what git calls that branch here."""
    folder: str = ""
    """The root's path in the git repository."""
    former_of: Callable[[str, Collection[str]], Mapping[str, bytes | None]] = lambda _, __: {}
    """The same, files and folders -> what changed since it was left: path -> its bytes then, None if new."""


def surroundings_of(root: Root, target_branch: str = "", known: Known = lambda _, __: None) -> Surroundings:
    """What git knows around `root`; `target_branch` is what a CI says that the change shall be merged into."""
    from mmgit.deliver import git, history  # noqa: PLC0415 - `Surroundings` must not wait for it
    from mmgit.deliver.default_branch import default_branch  # noqa: PLC0415 - as above
    from mmgit.deliver.former import former  # noqa: PLC0415 - as above

    repository = git.find(root.path)
    if repository is None:
        return Surroundings()

    @cache
    def base(declared: str) -> str | None:
        return history.merge_base(repository, default_branch(repository, declared, target_branch))

    return Surroundings(
        baseline_of=lambda declared, models: _baseline(repository, base(declared), models),
        base_of=base,
        name_of=lambda declared: history.name_of(repository, default_branch(repository, declared, target_branch)),
        folder=repository.prefix.rstrip("/"),
        former_of=lambda declared, paths: former(repository, base(declared), paths, known),
    )


def _baseline(repository: Repository, commit: str | None, models: Collection[str] | None) -> dict[str, str] | None:
    from mmgit.deliver import history  # noqa: PLC0415 - as above

    if commit is None:
        return None
    folders = [layout.MODELS] if models is None else [f"{layout.MODELS}/{name}" for name in models]
    listed = history.listing(repository, commit, folders) if folders else {}
    return {path: entry.id for path, entry in listed.items()}
