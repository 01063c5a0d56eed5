"""What of the work tree is not as a commit holds it, known from what the last compile left: no file is asked for.

What was looked at and what git says of commits and of folders that no look goes into come in; paths come out. Whoever
is told of a path that is the same after all reads it to find out: the files at these paths may differ, no others do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgit import looking
from mmgit.errors import GitError
from mmgit.incremental import looked
from mmgit.repository import layout
from mmgit.state import Basis

if TYPE_CHECKING:
    from collections.abc import Collection

    from mmgit.deliver.former import Known
    from mmgit.deliver.git import Repository
    from mmgit.incremental.memory import Before

_MOST_ARGUMENTS = 500


def differing(
    before: Before, repository: Repository, commit: str, again: Collection[str] | None = None
) -> set[str] | None:
    """The declared and rendered files that may not be in the work tree what they are in a commit; None if unknown.

    Folders in `again` may have changed since `before` and are looked at once more.
    """
    basis = before.last.basis if before.last else None
    if basis is None or before.last is None:
        return None
    found = set(basis.but) | looked.differing(before.last.listings, before.listings)
    if again:
        now = looked.look_at(str(before.root.path), before.listings, again)
        found |= looked.differing({folder: before.listings[folder] for folder in now}, now)
    unlooked = {*basis.unlooked, *before.unlooked}
    if commit != basis.commit:
        from mmgit.deliver import history  # noqa: PLC0415 - most compiles follow no commit

        try:
            moved = history.changed_paths(repository, basis.commit, commit)
        except GitError:  # that commit is gone
            return None
        unlooked |= {folder for path in moved if (folder := looked.unlooked_above(path))}
        found |= {path for path in moved if is_looked_at(path)}
    return found | _in_unlooked(repository, commit, unlooked)


def known_of(before: Before) -> Known:
    """The same for whoever asks several times of one repository."""
    found: dict[str, set[str] | None] = {}

    def known(repository: Repository, commit: str) -> set[str] | None:
        if commit not in found:
            found[commit] = differing(before, repository, commit)
        return found[commit]

    return known


def is_looked_at(path: str) -> bool:
    """Whether looks go where a path lies, which is where something may be declared or rendered."""
    top = path.partition("/")[0]
    return path == layout.PROJECT or (
        top in (layout.BASES, layout.MODELS, layout.ENVIRONMENTS, layout.BLUEPRINTS)
        and path != top
        and looked.unlooked_above(path) is None
        and f"/{looking.UNSEEN}/" not in path
    )


def basis_at(before: Before, repository: Repository, made: str | None) -> Basis | None:
    """What is known of the commit that was made of all that differed, or of the one checked out if nothing did."""
    commit = made or repository.head
    if commit is None:
        return None
    from mmgit.deliver import history, porcelain  # noqa: PLC0415 - as above

    paths: Collection[str] = ()
    if made and repository.head and porcelain.has_hooks(repository):  # it may hold other bytes than lie here
        paths = history.changed_paths(repository, repository.head, made)
    return Basis(commit, [path for path in paths if is_looked_at(path)], before.unlooked)


def _in_unlooked(repository: Repository, commit: str, folders: Collection[str]) -> set[str]:
    """What git finds in the folders that no look goes into."""
    if not folders:
        return set()
    from mmgit.deliver import history  # noqa: PLC0415 - as above

    found = history.candidates(repository, commit, folders if len(folders) <= _MOST_ARGUMENTS else [layout.MODELS])
    return {path for path in found if looked.unlooked_above(path)}
