"""Where the bytes of model files are: beside their version in git, in Git LFS, or at an address of some store.

Whoever reads the opened file verifies size and sha256, so a store needs no trust.
"""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.credentials import Access
from mmgit.images.layout import Layout
from mmgit.lock import Blob
from mmgit.progress import Advance, Watch, told, unwatched
from mmgit.recipe import RecipeFile

_POINTER_LIMIT_BYTES = 1024
_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")


@dataclass(frozen=True)
class ModelStore:
    """What model files are found with: the layout keeps downloads, `lfs` is `.git/lfs/objects`."""

    layout: Layout
    lfs: Path
    watch: Watch = unwatched
    access: Access = Access()

    def open_in_git(self, read: Callable[[], IO[bytes]], path: str) -> IO[bytes]:
        """A file of the work tree, or the object that it points to if it is a pointer of Git LFS.

        Raises:
            BuildError: the object was never fetched.
        """
        source = read()
        pointer = _POINTER.match(source.read(_POINTER_LIMIT_BYTES))
        source.seek(0)
        if pointer is None:
            return source
        source.close()
        oid = pointer.group(1).decode()
        try:
            return (self.lfs / oid[:2] / oid[2:4] / oid).open("rb")
        except FileNotFoundError as error:
            raise BuildError(f"{path} is in Git LFS and was not fetched", f"git lfs pull --include '{path}'") from error

    def open_at(self, uri: str, file: RecipeFile) -> IO[bytes]:
        """A file at an address; a download stays in the layout.

        Raises:
            BuildError: it cannot be had there.
        """
        parts = urlsplit(uri)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
            return _open_plain(Path(unquote(parts.path)), file.path)
        way = _WAYS.get(parts.scheme)
        if way is None:
            hint = f"mmgit reads models from git, Git LFS, file://, {', '.join(f'{name}://' for name in _WAYS)}"
            raise BuildError(f"{file.path} is at a {parts.scheme}:// address", hint)
        blob = Blob(f"sha256:{file.sha256}", file.size_bytes)
        if not self.layout.has(blob):
            self._download(way, uri, file, blob)
        return self.layout.path(blob.digest).open("rb")

    def _download(self, way: "_Way", uri: str, file: RecipeFile, blob: Blob) -> None:
        from mmgit.images.download import UnavailableError  # noqa: PLC0415 - models in git need no network

        try:
            with self.watch(f"downloading {file.path}", file.size_bytes) as advance:
                way(self, uri, blob, advance)
        except UnavailableError as error:
            raise BuildError(f"{file.path} cannot be downloaded: {error}", "look whether the store has it") from error


_Way = Callable[[ModelStore, str, Blob, Advance], None]
"""Brings what lies at an address into the layout."""


def _by_https(store: ModelStore, uri: str, blob: Blob, advance: Advance) -> None:
    from mmgit.images.download import download  # noqa: PLC0415 - models in git need no network

    download(uri, blob, store.layout, advance=advance)


def _from_objects(store: ModelStore, uri: str, blob: Blob, advance: Advance) -> None:
    from mmgit.images.stores import objects_at  # noqa: PLC0415 - as above

    try:
        store.layout.put(told(objects_at(uri).blocks(blob.size_bytes), advance), expected=blob)
    except BuildError as error:
        raise BuildError(f"{uri}: {error.message}") from error


def _from_registry(store: ModelStore, uri: str, blob: Blob, advance: Advance) -> None:
    from mmgit.images import artifacts  # noqa: PLC0415 - as above

    artifacts.fetch(uri, blob, store.layout, find_login=store.access.find_login, advance=advance)


def _from_mlflow(store: ModelStore, uri: str, blob: Blob, advance: Advance) -> None:
    from mmgit.images import mlflow  # noqa: PLC0415 - as above
    from mmgit.images.wire import retried  # noqa: PLC0415 - as above

    def get() -> None:
        store.layout.put(told(mlflow.blocks_at(uri, store.access.variables), advance), expected=blob)

    try:
        retried(get)
    except BuildError as error:
        raise BuildError(f"{uri}: {error.message}") from error


_WAYS: dict[str, _Way] = {
    "https": _by_https,
    **dict.fromkeys(("s3", "gs", "abfs", "abfss"), _from_objects),
    "oci": _from_registry,
    "mlflow": _from_mlflow,
}


def _open_plain(path: Path, name: str) -> IO[bytes]:
    """A regular file; neither a device nor a pipe, which could block or never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BuildError(
            f"{name} is not at file://{path}: {error.strerror}", "look whether the store is there"
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BuildError(f"{name}: file://{path} is no plain file")
    return os.fdopen(descriptor, "rb")
