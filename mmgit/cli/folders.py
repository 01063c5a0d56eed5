"""Folders that options name, for what commands write."""

import shlex
from pathlib import Path

from mmgit.errors import UsageError


def make_folder(folder: Path, hint: str) -> None:
    """Make a folder, unless it is there. Raises `UsageError` where that cannot be, with what to type instead."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", hint) from error


def refuse_without_folder(*files: Path | None) -> None:
    """Raise `UsageError` where a file has no folder to be written into: before hours of work, not after."""
    for file in files:
        if file is not None and not file.absolute().parent.is_dir():
            raise UsageError(f"{file}: there is no folder {file.parent}", f"mkdir -p {shlex.quote(str(file.parent))}")
