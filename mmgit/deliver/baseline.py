"""What `models/` held where this branch left the default branch: released, and so never to change."""

from collections.abc import Callable
from functools import partial

from mmgit.deliver import git, history
from mmgit.repository import layout
from mmgit.repository.files import Root


def baseline_of(root: Root) -> Callable[[str], dict[str, str] | None]:
    """A function from the name of the default branch to path -> git blob id; None where there is no history.

    It raises `GitError` with the command that fetches what a partial clone lacks.
    """
    return partial(_baseline, root)


def _baseline(root: Root, branch: str) -> dict[str, str] | None:
    repository = git.find(root.path)
    if repository is None:
        return None
    commit = history.merge_base(repository, branch)
    if commit is None:
        return None
    return {path: entry.id for path, entry in history.listing(repository, commit, [layout.MODELS]).items()}
