"""`mmgit ci`: what a CI does with a repository, and the locked mmgit that it does it with."""

import re
from typing import get_args

import click

from mmgit.cli.editing import Session, editing
from mmgit.cli.progress import working
from mmgit.deliver import git
from mmgit.edits.automate import Ci, automate, workflows_folder
from mmgit.repository import layout

_GITHUB = re.compile(
    r"(?:https://(?:[^@/]+@)?|ssh://git@|git@)github\.com[:/]((?!\.)[A-Za-z0-9._-]+/(?!\.)[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
WHICH = "Workflows for GitHub Actions, the same steps as scripts in ci/mmgit, or neither.  "


@click.command()
@click.argument("ci", type=click.Choice(get_args(Ci)), required=False)
def ci(ci: Ci | None) -> None:
    """Write those workflows (or scripts, for any other CI) that are not there, and lock mmgit for them.

    Files that are there stay, but for ci/mmgit/requirements.txt: it gets the mmgit that runs this command, and what the
    package index has today of all that it needs, by hash.
    """
    with editing(layout.PROJECT) as session:
        write_automation(session, ci or usual_ci(git.find(session.root.path)))
        lock_tools(session)


def write_automation(session: Session, ci: Ci) -> None:
    """Write what is not there yet of a CI, and say what people have to do about it."""
    repository = git.find(session.root.path)
    prefix = repository.prefix if repository else ""
    change = automate(session.root, ci, session.source, prefix)
    if change.files:
        session.deliver(change, *([_copy(prefix)] if prefix and ci == "github" else []))


def lock_tools(session: Session) -> None:
    """Lock mmgit, as it runs here, for CI. Raises `BuildError` if the package index does not answer."""
    from mmgit.edits.tools import tools  # noqa: PLC0415 - --help must not wait for it

    with working("locking mmgit for CI"):
        change = tools(session.root.path)
    session.deliver(change)


def usual_ci(repository: git.Repository | None) -> Ci:
    """GitHub's, unless the repository came from elsewhere."""
    origin = _origin(repository)
    return "scripts" if origin and not _GITHUB.fullmatch(origin) else "github"


def name_on_github(repository: git.Repository | None) -> str:
    """The `<owner>/<name>` of the remote `origin`, if that is on GitHub; else nothing."""
    found = _GITHUB.fullmatch(_origin(repository))
    return found[1] if found else ""


def _origin(repository: git.Repository | None) -> str:
    completed = repository.run("config", "--get", "remote.origin.url") if repository else None
    return completed.stdout.decode(errors="replace").strip() if completed else ""


def _copy(prefix: str) -> str:
    """The command that puts workflows where GitHub looks for them: mmgit writes below its root only."""
    up = "../" * prefix.count("/")
    return f"mkdir -p {up}.github/workflows && cp {workflows_folder(prefix)}/*.yml {up}.github/workflows/"
