"""Where what a training makes waits until it is registered: in `.mmgit`, so that neither an error nor a crash loses it.

The folder has the form in which another machine hands a result over, so that `mmgit retrain MODEL --from` takes it.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mmgit.errors import MmgitError, TrainingFailed, UnsafePath, UsageError
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.retraining.result import HANDED_OVER, OUTPUTS

if TYPE_CHECKING:
    from io import BufferedReader

_PREFIX = "trained-"


@contextmanager
def waiting(root: Root, model: str) -> Iterator[Path]:
    """A folder for a result, which goes with the block: unless it fails with a result that is not registered."""
    with root.state():
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{model}-", dir=root.path / layout.STATE))
    with _held(folder):
        try:
            yield folder
        except BaseException as error:
            if isinstance(error, TrainingFailed) or not (folder / HANDED_OVER).exists():
                _remove(folder)
            elif isinstance(error, MmgitError):
                error.hint = "\n  hint: ".join(filter(None, [error.hint, f"then: {_registers(model, folder)}"]))
            raise
        _remove(folder)


def left(root: Root, source: Source, model: str) -> Iterator[str]:
    """What trainings that crashed made and nobody registered, in words. What is of no use any more is removed."""
    for folder in sorted((root.path / layout.STATE).glob(f"{_PREFIX}*")):
        if folder.name.rpartition("-")[0] != f"{_PREFIX}{model}" or folder.is_symlink():
            continue
        with _held(folder) as is_over:
            if not is_over:
                continue
            if not any((folder / OUTPUTS).glob("*")) or _is_registered(folder, source, model):
                _remove(folder)
            elif (folder / HANDED_OVER).exists():
                yield f"the result of an earlier training is not registered: {_registers(model, folder)}"
            else:
                yield f"an earlier training was broken off; what it wrote is in {folder}/{OUTPUTS}"


def forget(root: Root, folder: Path) -> None:
    """Remove what was registered, if it was kept here."""
    if folder.absolute().parent == root.path / layout.STATE and folder.name.startswith(_PREFIX):
        _remove(folder)


def _registers(model: str, folder: Path) -> str:
    return f"mmgit retrain {model} --from {folder}"


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether nobody else, who lives, is at a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    is_free = False
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        yield is_free
    finally:
        os.close(descriptor)


def _is_registered(folder: Path, source: Source, model: str) -> bool:
    """Whether a version has the very files: then it crashed after the registration."""
    outputs = Root(folder / OUTPUTS)

    def has(path: str, sha256: str) -> bool:
        with suppress(UnsafePath, UsageError), outputs.stream(path) as file:
            return hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest() == sha256
        return False

    versions = source.models[model].versions.values()
    return any(all(has(file.path, file.sha256) for file in version.spec.files) for version in versions)


def _remove(folder: Path) -> None:
    """What says that there is a result goes first."""
    (folder / HANDED_OVER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
