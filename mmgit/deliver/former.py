"""How declared files were when the checked-out commit left the default branch. Pure reads, as in `history`."""

from collections.abc import Collection

from mmgit.deliver import history
from mmgit.deliver.git import Repository


def former(repository: Repository, commit: str | None, paths: Collection[str]) -> dict[str, bytes | None]:
    """The files at and below `paths` that were another in the merge base: path -> its bytes then, None for a new one.

    Raises `GitError` with the command that fetches what a partial clone lacks.
    """
    if commit is None:
        return {}
    changed = history.candidates(repository, commit, paths)
    then = history.entries(repository, commit, changed)
    found = history.contents(repository, {entry.id for entry in then.values()})
    return {path: found[then[path].id] if path in then else None for path in sorted(changed)}
