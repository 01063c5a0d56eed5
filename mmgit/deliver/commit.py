"""Commits changed files: the objects first, then the branch in one step, then index and work tree follow.

A `Writer`, a `Repository` and path -> bytes (None: removed; paths relative to the root) come in. Index entries of
other paths, staged changes and other files stay as they were, also when it fails.
"""

from collections.abc import Iterator, Mapping

from mmgit.deliver import index, journal, porcelain, worktree
from mmgit.deliver.git import Repository, checked_out
from mmgit.deliver.history import EXECUTABLE, PLAIN, Entry, entries
from mmgit.deliver.objects import Change, begin_commit, make_commit
from mmgit.deliver.patched import Renewal
from mmgit.deliver.who import who_of
from mmgit.deliver.write import apply_changes
from mmgit.deliver.writer import Writer
from mmgit.errors import GitError
from mmgit.repository.blobs import blob_id
from mmgit.repository.paths import parts_of


def commit(writer: Writer, repository: Repository, changes: Mapping[str, bytes | None], message: str) -> str | None:
    """Commit the changes upon `repository.head`, and make the work tree hold them.

    Returns the commit, or None if all of it is committed already. Raises `GitError` before anything is written if the
    state of the repository forbids it, if one of the files has other staged changes, or if the branch moved meanwhile.
    """
    base = checked_out(repository)
    wanted = _wanted(repository, base, changes)
    if not wanted:
        apply_changes(writer, changes)
        return None
    repository = repository.with_writer(writer.children, who_of(repository))
    with index.locked(repository, writer.owner) as held:
        staged = _staged(held, base, wanted)
        blobs = {blob_id(data, base): data for data in changes.values() if data is not None}
        _refuse_staged(staged, wanted)
        if porcelain.is_needed(repository):
            make_commit(repository, base, wanted, blobs, message)  # git makes another one of the same files
            return porcelain.commit(writer, held, changes, wanted, message)
        making = begin_commit(repository, base, wanted, blobs, message)
        after = {path: change.after for path, change in wanted.items() if path not in staged}
        held.prepare(after, _renewal(wanted, making.trees))  # git stores the commit meanwhile
        recorded = journal.record(writer.root, changes, base=base)
        try:
            made = making.stored()
            _move_branch(repository, base, made, message)
        except GitError:
            journal.discard(writer.root)
            raise
        held.replace()
    worktree.finish(writer.root, recorded)
    return made


def _renewal(wanted: Mapping[str, Change], trees: Mapping[str, tuple[str, str]]) -> Renewal | None:
    """What the index has to follow, if files are neither new nor gone."""
    files = {path: (change.before, change.after) for path, change in wanted.items() if change.before and change.after}
    return Renewal(files, trees) if len(files) == len(wanted) else None


def _wanted(repository: Repository, base: str, changes: Mapping[str, bytes | None]) -> dict[str, Change]:
    """What the commit has to change, by path from the top."""
    for path in changes:
        parts_of(path)
    before = entries(repository, base, changes)
    wanted = {}
    for path, data in sorted(changes.items()):
        old = before.get(path)
        mode = EXECUTABLE if old and old.mode == EXECUTABLE else PLAIN
        new = None if data is None else Entry(mode, blob_id(data, base))
        if old != new:
            wanted[repository.prefix + path] = Change(old, new)
    return wanted


def _staged(held: index.Index, base: str, wanted: Mapping[str, Change]) -> Mapping[str, Change]:
    """How the index differs from the base, but nothing if that plainly has nothing to do with what is wanted."""
    there = {path: change.before for path, change in wanted.items() if change.before}
    return {} if len(there) == len(wanted) and held.holds(there) else held.staged(base)


def _refuse_staged(staged: Mapping[str, Change], wanted: Mapping[str, Change]) -> None:
    """Raise `GitError` if the index holds something for the same places that is not what is committed."""
    folders = {above for path, change in wanted.items() if change.after for above in _above(path)}
    clashing = [
        path
        for path, change in staged.items()
        if (path in wanted and change.after != wanted[path].after)
        or (change.after and (path in folders or any(above in wanted for above in _above(path))))
    ]
    if clashing:
        names = " ".join(clashing[:5]) + (" …" if len(clashing) > len(clashing[:5]) else "")
        hint = f"commit them first, or: git restore --staged {names}"
        raise GitError(f"files that would be committed have other staged changes: {names}", hint)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _move_branch(repository: Repository, base: str, made: str, message: str) -> None:
    """Let the checked-out branch name the new commit, if it still names the base."""
    subject = message.partition("\n")[0]
    completed = repository.run("update-ref", "-m", f"commit: {subject}", "HEAD", made, base)
    if b"but expected" in completed.stderr:
        raise GitError(f"{repository.branch} got other commits while this ran", "run the same command again")
    completed.output(GitError)
