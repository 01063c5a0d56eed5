"""The environment of conda's own packages on this machine, as an image has it at another place."""

import platform
import sys
import tempfile
from pathlib import Path

from mmgit.errors import ServingError
from mmgit.images.conda.layer import CondaSource
from mmgit.images.conda.place import Prefix
from mmgit.images.layout import Layout
from mmgit.images.tar import Entry, ordered
from mmgit.platforms import of_machine
from mmgit.repository import layout
from mmgit.repository.files import Root


def conda_environment(root: Path, folder: Path, lock: bytes, python: str) -> Path:
    """The interpreter of an environment that is put into `folder`, which is not there.

    Raises:
        ServingError: this machine is none that conda packages are locked for.
        BuildError: a package cannot be had.
    """
    here = of_machine(platform.machine()) if sys.platform == "linux" else None
    if here is None:
        raise ServingError("conda packages are locked for Linux, which this is not", "mmgit build, mmgit up ENV")
    prefix = Prefix(python, folder.resolve().as_posix().lstrip("/"))
    blobs = Layout(root / layout.LAYOUT)
    with tempfile.TemporaryDirectory(prefix="mmgit-conda-") as scratch, blobs.in_use():
        source = CondaSource(lock, Root(root).stream)
        for entry in ordered(source.entries(here, prefix, blobs, Path(scratch), lambda _: None)):
            _put(entry)
    return Path(prefix.interpreter)


def _put(entry: Entry) -> None:
    place = Path("/", entry.path)
    if entry.kind == "folder":
        place.mkdir(exist_ok=True)
    elif entry.kind == "link":
        place.symlink_to(entry.target)
    else:
        with place.open("wb") as target:
            target.writelines(entry.blocks())
        place.chmod(entry.mode)
