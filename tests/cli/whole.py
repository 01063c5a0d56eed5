"""What a command leaves where nothing is remembered, so that everything is compiled: to be compared with."""

import shutil
import time
from contextlib import chdir
from pathlib import Path

from mmgit import state
from mmgit.cli.main import run


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but git's and mmgit's own."""
    found = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith((".git/", ".mmgit/"))}


def compiled_whole(root: Path, *command: str) -> dict[str, bytes]:
    """What a command makes in a copy without a state."""
    folder = root.with_name("whole")
    shutil.copytree(root, folder, symlinks=True)
    (folder / state.PATH).unlink(missing_ok=True)
    with chdir(folder):
        assert run([*command]) == 0
    made = contents(folder)
    shutil.rmtree(folder)
    return made


def settle() -> None:
    """Let time pass: what was written in the same moment as a command began counts as changed after it."""
    time.sleep(0.05)
