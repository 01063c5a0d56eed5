"""Brings large files to their place in blocks: below the root through mmgit's staging folder, or into a store.

A file is complete and durable before it has its name.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mmgit.errors import MmgitError
from mmgit.repository.files import Root
from mmgit.repository.layout import STAGING

_BLOCK_BYTES = 2**20
_HINT = "look at store.uri in mmgit.yaml"


def stream(root: Root, copies: Mapping[str, Path]) -> None:
    """Put a copy of each file at its path below the root. All are staged first: one may lie where another goes."""
    import shutil  # noqa: PLC0415 - slow to import, and few files are so large

    with root.state(STAGING) as staging:
        for number, source in enumerate(copies.values()):
            name = f"copy-{number}"
            staging.remove(name)
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=staging.descriptor)
            with os.fdopen(descriptor, "wb") as target, source.open("rb") as opened:
                shutil.copyfileobj(opened, target, _BLOCK_BYTES)
                target.flush()
                os.fsync(descriptor)
        for number, path in enumerate(copies):
            folder_path, _, name = path.rpartition("/")
            with root.make(folder_path) as folder:
                folder.take(name, staging, f"copy-{number}")
                folder.sync()


def upload(uploads: Mapping[str, Path]) -> None:
    """Put each file into the store at its URI, which ends with its sha256. What is there already stays.

    Raises:
        MmgitError: the store cannot be written, or a file changed since it was measured.
    """
    for uri, source in uploads.items():
        if uri.startswith("file:"):
            from mmgit.edits.model_files import path_of  # noqa: PLC0415 - most edits copy nothing

            _into_folder(path_of(uri), source)
        else:
            _into_store(uri, source)


def _into_folder(target: Path, source: Path) -> None:
    if target.is_file() and target.stat().st_size == source.stat().st_size:
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _upload(target, source)
    except OSError as error:
        raise MmgitError(f"{target}: {error.strerror}", _HINT) from error


def _into_store(uri: str, source: Path) -> None:
    from mmgit.cli.progress import working  # noqa: PLC0415 - few files are so large
    from mmgit.images.download import UnavailableError  # noqa: PLC0415 - as above
    from mmgit.images.stores import objects_at  # noqa: PLC0415 - as above

    size_bytes = source.stat().st_size
    try:
        target = objects_at(uri)
        if target.size_bytes() == size_bytes:
            return
        with working(f"uploading {source.name}"):
            target.put(source)
        with source.open("rb") as opened:
            is_same = hashlib.file_digest(opened, "sha256").hexdigest() == uri.rpartition("/")[2]
        if not is_same:
            target.remove()
            raise _changed(source)
        if target.size_bytes() != size_bytes:
            raise MmgitError(f"{uri} has not the {size_bytes} bytes that were sent", "look at the store")
    except UnavailableError as error:
        raise MmgitError(str(error), f"{_HINT}, and at the credentials of this machine") from error


def _changed(source: Path) -> MmgitError:
    return MmgitError(f"{source} changed while it was registered", "run this again")


def _upload(target: Path, source: Path) -> None:
    import tempfile  # noqa: PLC0415 - as above

    sha256 = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".upload-") as staged, source.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            sha256.update(block)
            staged.write(block)
        if sha256.hexdigest() != target.name:
            raise _changed(source)
        staged.flush()
        os.fchmod(staged.fileno(), 0o644)
        os.fsync(staged.fileno())
        with suppress(FileExistsError):  # somebody else had the same file
            os.link(staged.name, target)
