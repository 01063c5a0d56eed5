"""How declared files were when the checked-out commit left the default branch. Pure reads, as in `history`."""

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from mmgit.deliver import history
from mmgit.deliver.git import Repository

Known: TypeAlias = Callable[[Repository, str], AbstractSet[str] | None]
"""A commit -> the only files that may be another there, if that is known without asking git."""


def former(
    repository: Repository, commit: str | None, paths: Collection[str], known: Known = lambda _, __: None
) -> dict[str, bytes | None]:
    """The files at and below `paths` that were another in the merge base: path -> its bytes then, None for a new one.

    One that is the same after all may be among them.

    Raises:
        GitError: with the command that fetches what a partial clone lacks.
    """
    if commit is None:
        return {}
    names = known(repository, commit)
    if names is None:
        changed = history.candidates(repository, commit, paths)
    else:
        changed = {name for name in names if any(f"{name}/".startswith(f"{path}/") for path in paths)}
    then = history.entries(repository, commit, changed)
    found = history.contents(repository, {entry.id for entry in then.values()})
    return {path: found[then[path].id] if path in then else None for path in sorted(changed)}
