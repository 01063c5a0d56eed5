"""Commits through `git commit`, where hooks or signing are set up that people expect to be honoured.

Called by `commit` with the index locked. git gets an index of its own, so that nothing that is staged joins the commit.
Hooks look at the work tree, so it is written first; if one refuses, the files stay written and nothing is committed.
"""

import os
from collections.abc import Mapping

from mmgit.deliver import journal
from mmgit.deliver.git import Command, Repository, checked_out, execute
from mmgit.deliver.index import Index
from mmgit.deliver.objects import UNMERGED, Change, changes_between
from mmgit.deliver.who import who_of
from mmgit.deliver.write import apply_changes
from mmgit.deliver.writer import Writer
from mmgit.errors import GitError

_HOOKS = (
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-index-change",
    "reference-transaction",
)


def is_needed(repository: Repository) -> bool:
    """Whether a commit runs hooks or is signed here."""
    return has_hooks(repository) or who_of(repository).is_signed


def has_hooks(repository: Repository) -> bool:
    """Whether a commit runs hooks here, which may put into it what they like."""
    return any(os.access(repository.hooks / name, os.X_OK) for name in _HOOKS)


def commit(
    writer: Writer, held: Index, changes: Mapping[str, bytes | None], wanted: Mapping[str, Change], message: str
) -> str:
    """Commit the changes, whose bytes git has already; `wanted` is what they are to it, by path from the top."""
    repository = held.repository
    base, staged = checked_out(repository), held.staged(checked_out(repository))
    if UNMERGED in (change.after for change in staged.values()):
        raise GitError(f"there are unresolved conflicts in {repository.index}", "git status")
    apply_changes(writer, changes)
    journal.record(writer.root, changes, base=base)
    without_staged = {path: change.before for path, change in staged.items()}
    held.prepare({**without_staged, **{path: change.after for path, change in wanted.items()}})
    try:
        _run(repository, held, message)
    except GitError:
        journal.discard(writer.root)
        raise
    made = repository.git("rev-parse", "HEAD").decode().strip()
    renewed = changes_between(repository, base, made)  # a hook may have changed more
    held.prepare({path: change.after for path, change in renewed.items() if path not in staged})
    held.replace()
    journal.discard(writer.root)
    return made


def _run(repository: Repository, held: Index, message: str) -> None:
    """Run `git commit` on the prepared index."""
    arguments = ("commit", "--quiet", "--cleanup=verbatim", "--file=-")
    variables = (f"GIT_INDEX_FILE={held.prepared}",)
    command = Command(arguments, message.encode(), variables, repository.inherited, is_open=True)
    hint = "do what the hook or the signing program says and run this again: the files are written already"
    execute(repository.top, command).output(GitError, hint)
