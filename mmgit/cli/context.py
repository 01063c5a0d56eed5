"""Where a command runs: the repository around it, its baseline, and who is looking."""

import os
import sys
from pathlib import Path

from mmgit import __version__
from mmgit.errors import UsageError, VersionMismatch
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.state import TARGET_BRANCH


def find_root(start: Path | None = None) -> Root:
    """The repository that a folder, else the current one, lies in. Raises `UsageError` if it lies in none."""
    here = (start or Path()).resolve()
    for folder in (here, *here.parents):
        if (folder / layout.PROJECT).is_file():
            return Root(folder)
    raise UsageError(f"there is no {layout.PROJECT} in {here} or above it", "mmgit new .   makes a repository here")


def may_write(source: Source) -> None:
    """Raises `VersionMismatch` unless the repository pins this very mmgit: others read, but do not write."""
    pinned = source.project.spec.mmgit.removeprefix("==")
    if pinned != __version__:
        raise VersionMismatch(
            f"this repository is written by mmgit {pinned}; this is {__version__}",
            f"uvx mmgit=={pinned} {' '.join(sys.argv[1:2])} …   or move it to this one: mmgit migrate",
        )


def target_branch() -> str:
    """The branch that a CI says this change shall be merged into; empty where nobody says so."""
    return next(filter(None, map(os.environ.get, TARGET_BRANCH)), "")


def is_interactive() -> bool:
    """Whether a person looks at standard output, and no CI log does."""
    return sys.stdout.isatty() and not os.environ.get("CI")
