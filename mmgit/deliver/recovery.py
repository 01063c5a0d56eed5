"""Makes good what a crashed writer left: its journal is finished or undone, its git lock and staged files go.

Runs under the writer's lock, before anything else is written.
"""

from mmgit.deliver import git, index, journal, worktree
from mmgit.deliver.git import Repository
from mmgit.deliver.history import entries, refuse_committed_state
from mmgit.deliver.journal import Journal
from mmgit.frozen import replace
from mmgit.repository.files import Root
from mmgit.repository.layout import STAGING


def recover(root: Root, owner: str, children: int) -> tuple[str, ...]:
    """Finish or undo; git commands inherit the descriptor `children`.

    Returns the files that were to change but were changed by somebody else since.
    """
    _empty_staging(root)
    repository = git.find(root.path)
    if repository:
        repository = replace(repository, inherited=(children,))
        index.remove_stale(repository, owner)
        refuse_committed_state(repository)
    left = journal.pending(root)
    if left is None:
        journal.discard(root)
        return ()
    if left.base is None:
        return worktree.finish(root, left)
    landed = _landed(repository, left) if repository else set()
    if repository and landed:
        _renew_index(repository, owner, left, landed)
    return worktree.finish(root, left, landed)


def _landed(repository: Repository, left: Journal) -> set[str]:
    """The paths whose new bytes are in the commit that is checked out: none, if the crash came before the commit."""
    if repository.head is None or repository.head == left.base:
        return set()
    there = entries(repository, repository.head, [entry.path for entry in left.entries])
    return {e.path for e in left.entries if (there[e.path].id if e.path in there else None) == e.blob}


def _renew_index(repository: Repository, owner: str, left: Journal, landed: set[str]) -> None:
    """Let the index follow the commit, where it still has what was there before."""
    if repository.head is None or left.base is None:
        return
    after = entries(repository, repository.head, landed)
    before = entries(repository, left.base, landed)
    with index.locked(repository, owner) as held:
        staged = held.staged(repository.head)
        stale = {
            repository.prefix + path: after.get(path)
            for path in landed
            if (change := staged.get(repository.prefix + path)) and change.after == before.get(path)
        }
        if stale:
            held.prepare(stale)
            held.replace()


def _empty_staging(root: Root) -> None:
    with root.state(STAGING) as staging:
        for name in staging.names()[0]:
            staging.remove(name)
