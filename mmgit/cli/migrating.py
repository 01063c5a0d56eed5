"""`mmgit migrate`: moves a repository to the mmgit that runs, in one commit."""

import click

from mmgit import __version__
from mmgit.cli import releasing
from mmgit.cli.context import find_root
from mmgit.cli.editing import Session, loaded, say, writing
from mmgit.cli.rendering import deliver_compiled
from mmgit.deliver import git, history
from mmgit.edits.migrate import migrate as migrated
from mmgit.errors import GitError
from mmgit.repository import layout
from mmgit.repository.files import Root


@click.command()
def migrate() -> None:
    """Let the repository be written by this mmgit: pin it, render anew, lock it for CI, and commit just that.

    Nothing else may be uncommitted. Pins stay, so what runs does not change but for what is rendered differently:
    `mmgit plan` says what. Workflows and scripts of a CI stay as they are.
    """
    root = find_root()
    with writing(root) as writer:
        source = loaded(root, layout.BASES, f"{layout.MODELS}/", f"{layout.ENVIRONMENTS}/")
        change = migrated(source, root)
        if change.is_empty:
            say(change.summary)
            return
        _stop_at_uncommitted(root)
        session = Session(root, source, writer)
        compiled = deliver_compiled(session, change)
        releasing.commit(session, compiled, tuple(change.files), f"Use mmgit {__version__}")


def _stop_at_uncommitted(root: Root) -> None:
    """Raises `GitError` if there is what a commit of this alone would mix with, or hide."""
    repository = git.find(root.path)
    if repository is None or repository.head is None:
        return
    if found := history.changed_paths(repository, repository.head, None):
        raise GitError(f"{found[0]} is not committed, and a migration is a commit of its own", "git stash   or commit")
