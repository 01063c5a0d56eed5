"""`mmgit new`: makes a repository."""

from contextlib import chdir
from pathlib import Path
from typing import get_args

import click

from mmgit import __version__
from mmgit.cli.automating import WHICH, lock_tools, name_on_github, usual_ci, write_automation
from mmgit.cli.bases import update
from mmgit.cli.editing import editing, say, write, writing
from mmgit.cli.folders import make_folder
from mmgit.deliver import git
from mmgit.edits.automate import Ci
from mmgit.edits.scaffold import scaffold
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.repository.files import Root


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--no-base", is_flag=True, help="Ask neither Debian's archive nor the package index now.")
@click.option("--ci", type=click.Choice(get_args(Ci)), help=WHICH + "[default: github, unless origin lies elsewhere]")
def new(folder: Path, *, no_base: bool, ci: Ci | None) -> None:
    """Make a repository in FOLDER: empty, an existing training repository, or a subfolder of one.

    Existing files are kept. The bases of images and of compose's proxy are locked to what Debian's archive has today,
    and mmgit for the CI to what the package index has.
    """
    above = next((each for each in folder.resolve().parents if (each / layout.PROJECT).is_file()), None)
    if above:
        raise UsageError(f"{folder} lies in the mmgit repository {above}", "choose a folder outside of it")
    make_folder(folder, "mmgit new FOLDER   where one may be made")
    root = Root(folder)
    repository = git.find(root.path)
    chosen = ci or usual_ci(repository)
    branch, github = _default_branch(repository), name_on_github(repository)
    change = scaffold(root, version=__version__, branch=branch, github=github)
    with writing(root) as writer:
        write(writer, change)
    say(change.summary)
    with chdir(folder):
        with editing() as session:
            write_automation(session, chosen)
            if not no_base and chosen != "none":
                lock_tools(session)
        for name in () if no_base else ("default", layout.PROXY):
            click.get_current_context().invoke(update, name=name, suite=None, packages=(), platforms=())
    say(
        "models are registered with their scoring script; `mmgit schema` writes JSON Schemas for your editor",
        *([] if repository else ["git init -b main"]),
        *(["mmgit base update && mmgit base update proxy"] if no_base else []),
        *(["mmgit ci"] if no_base and chosen != "none" else []),
        "mmgit model register NAME PATH -f score.py -p requirements.txt -s schema.json",
    )


def _default_branch(repository: git.Repository | None) -> str:
    """The branch that others call the default one, else the one that is checked out."""
    if repository is None:
        return "main"
    for name in ("refs/remotes/origin/HEAD", "HEAD"):
        completed = repository.run("symbolic-ref", "--quiet", name)
        if completed.returncode == 0:
            return completed.stdout.decode().strip().removeprefix("refs/remotes/origin/").removeprefix("refs/heads/")
    return "main"
