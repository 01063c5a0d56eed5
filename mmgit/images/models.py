"""Where the bytes of model files are: beside their version in git, in Git LFS, or at a `file://` or `https://` address.

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
from mmgit.images.layout import Layout
from mmgit.lock import Blob
from mmgit.progress import Watch, unwatched
from mmgit.recipe import RecipeFile

_POINTER_LIMIT_BYTES = 1024
_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")


@dataclass(frozen=True)
class ModelStore:
    """What model files are found with: the layout keeps downloads, `lfs` is `.git/lfs/objects`."""

    layout: Layout
    lfs: Path
    watch: Watch = unwatched

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
        if parts.scheme == "https":
            return self._open_download(uri, file)
        raise BuildError(
            f"{file.path} is at a {parts.scheme}:// address",
            "mmgit reads models from git, Git LFS, file:// or https://",
        )

    def _open_download(self, url: str, file: RecipeFile) -> IO[bytes]:
        from mmgit.images.download import UnavailableError, download  # noqa: PLC0415 - models in git need no network

        blob = Blob(f"sha256:{file.sha256}", file.size_bytes)
        if not self.layout.has(blob):
            try:
                with self.watch(f"downloading {file.path}", file.size_bytes) as advance:
                    download(url, blob, self.layout, advance=advance)
            except UnavailableError as error:
                raise BuildError(
                    f"{file.path} cannot be downloaded: {error}", "look whether the store has it"
                ) from error
        return self.layout.path(blob.digest).open("rb")


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
