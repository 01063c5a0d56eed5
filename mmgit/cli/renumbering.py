"""`mmgit renumber`: moves this branch's new numbers behind those that the default branch has."""

import click

from mmgit.cli.editing import editing, say
from mmgit.deliver import git, history
from mmgit.edits.renumber import renumber as renumbered
from mmgit.errors import GitError
from mmgit.repository import layout


@click.command()
def renumber() -> None:
    """Move the versions and manifests that only this branch has to the next free numbers.

    Every reference is rewritten. No image needs to be built again. Fetch the default branch first.
    """
    with editing(f"{layout.MODELS}/", f"{layout.ENVIRONMENTS}/") as session:
        branch = session.source.project.spec.branch
        repository = git.find(session.root.path)
        if repository is None:
            raise GitError("numbers are compared with the default branch, and this is no git repository", "git init")
        base = history.merge_base(repository, branch)
        tip = _tip(repository, branch)
        merged = set(history.listing(repository, base, [layout.MODELS])) if base else set()
        taken = set(history.listing(repository, tip, [layout.MODELS])) if tip else set()
        change = renumbered(session.source, session.root, merged=merged, taken=taken)
        if change.is_empty:
            say("all numbers are the next free ones already")
        else:
            session.deliver(change, "mmgit compile")


def _tip(repository: git.Repository, branch: str) -> str | None:
    """The default branch's last commit, as the remote had it when it was fetched, else the local one."""
    for name in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
        completed = repository.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if completed.returncode == 0:
            return completed.stdout.decode().strip()
    return None
