"""Commits what the changed services make, and remembers the commit: what is not in it the next time is known then."""

from mmgit import pipeline, state
from mmgit.deliver.declared import Uncommitted, uncommitted
from mmgit.deliver.git import Repository
from mmgit.deliver.write import written
from mmgit.deliver.writer import Writer
from mmgit.frozen import replace
from mmgit.incremental.basis import basis_at, differing
from mmgit.incremental.memory import Before, Outcome, is_as_before, remember
from mmgit.incremental.partly import Partly
from mmgit.incremental.rendered import changes_of
from mmgit.repository import layout
from mmgit.repository.source import Source


def commit_changed(
    writer: Writer, before: Before, partly: Partly, repository: Repository, wish: pipeline.Wish
) -> pipeline.Committed | None:
    """Commit what the changed services make, with what is wished, and remember it.

    None if something came in between, or somebody else's bytes are in the way.
    """
    unwritten = changes_of(before.root, partly) if is_as_before(before) else None
    if unwritten is None:
        return None
    made = pipeline.commit_rendered(writer, repository, partly.source, wish, partly.wanted)
    committed = pipeline.Committed(made, written(unwritten))
    remember_committed(before, repository, committed, partly.outcome)
    return committed


def remember_committed(before: Before, repository: Repository, committed: pipeline.Committed, outcome: Outcome) -> None:
    """Keep what was committed, and the commit itself, so that the next compile need not ask what it means.

    That commit is released only if it was made on the branch that decides what is: then the base was the one before.
    """
    basis = basis_at(before, repository, committed.commit)
    if committed.commit and repository.head and outcome.base not in (None, repository.head):
        moved_on = before.git.replace(repository.head.encode(), committed.commit.encode())
        if moved_on == state.git_of(str(before.root.path), before.branch):
            before = replace(before, git=moved_on)
    remember(before, committed.written, outcome, basis)


def uncommitted_of(before: Before, partly: Partly, repository: Repository) -> Uncommitted:
    """What is not committed of what is declared and rendered, after the compile has read what it reads."""
    read = [folder for folder in before.listings if _is_read(folder, partly.source)]
    names = differing(before, repository, repository.head, read) if repository.head else None
    return uncommitted(before.root, repository, names)


def _is_read(folder: str, source: Source) -> bool:
    """Whether a compile of a few services read what lies right in a folder, but for services."""
    top, _, below = folder.partition("/")
    if top == layout.MODELS:
        return not below or below.partition("/")[0] in source.models
    return top != layout.ENVIRONMENTS or "/" not in below
