"""One open folder: names in it come in, bytes come out, or are created, moved and removed.

The folder's descriptor is held, so what happens to the path above it does not matter, and no operation follows a
symbolic link. Nothing is ever written in place.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import IO, Concatenate, Literal, ParamSpec, TypeVar

from mmgit.errors import MmgitError, UnsafePath, UsageError

Kind = Literal["file", "folder", "other"]

P = ParamSpec("P")
R = TypeVar("R")

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OWN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def _converting(method: Callable[Concatenate["Folder", str, P], R]) -> Callable[Concatenate["Folder", str, P], R]:
    """Turn what the system refuses for a name into an error that spells the whole path."""

    @wraps(method)
    def converted(self: "Folder", name: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, name, *args, **kwargs)
        except OSError as error:
            path = self.path_of(name)
            if error.errno in (errno.ELOOP, errno.ENXIO) or self.kind(name) == "other":
                raise UnsafePath(f"{path} is a link or a special file", f"put a plain file there: rm {path}") from error
            raise MmgitError(f"{path}: {error.strerror}") from error

    return converted


class Folder:
    """An open folder. `path` is how messages spell it, relative to the root."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)

    def path_of(self, name: str) -> str:
        """How a message spells `name` in this folder."""
        return f"{self.path}/{name}" if self.path else name

    def names(self) -> tuple[list[str], list[str]]:
        """The names in the folder, each list sorted: of what is no folder, and of folders."""
        files: list[str] = []
        folders: list[str] = []
        with os.scandir(self.descriptor) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.name)
        return sorted(files), sorted(folders)

    def kind(self, name: str) -> Kind | None:
        """What `name` is, or None if there is nothing."""
        try:
            mode = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode
        except OSError:
            return None
        return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"

    @_converting
    def below(self, name: str) -> "Folder | None":
        """The folder `name`, or None if there is none."""
        try:
            return Folder(os.open(name, _FOLDER, dir_fd=self.descriptor), self.path_of(name))
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            if self.kind(name) == "other":
                raise
            return None

    @_converting
    def make(self, name: str) -> "Folder":
        """The folder `name`, made if missing."""
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=self.descriptor)
        return Folder(os.open(name, _FOLDER, dir_fd=self.descriptor), self.path_of(name))

    @_converting
    def read(self, name: str, max_bytes: int) -> bytes | None:
        """The bytes of a file, or None if there is none. Raises `UsageError` if it is larger than `max_bytes`."""
        try:
            descriptor = os.open(name, _READ, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None
        try:
            status = self._plain(descriptor, name)
            data = os.read(descriptor, min(status.st_size, max_bytes) + 1)
            while len(data) < status.st_size and (more := os.read(descriptor, max_bytes + 1 - len(data))):
                data += more
        finally:
            os.close(descriptor)
        if len(data) > max_bytes:
            raise UsageError(f"{self.path_of(name)} is larger than {max_bytes} bytes")
        return data

    @_converting
    def stream(self, name: str) -> IO[bytes]:
        """A file, opened to be read in blocks. Raises `UsageError` if there is none."""
        try:
            descriptor = os.open(name, _READ, dir_fd=self.descriptor)
        except FileNotFoundError:
            raise UsageError(f"there is no file {self.path_of(name)}") from None
        try:
            self._plain(descriptor, name)
        except UnsafePath:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "rb")

    def _plain(self, descriptor: int, name: str) -> os.stat_result:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafePath(f"{self.path_of(name)} is not a plain file", "put a plain file there")
        return status

    @_converting
    def create(self, name: str, data: bytes | bytearray, *, is_durable: bool = True) -> None:
        """Write a new file. Until it is durable, a power failure may leave it empty."""
        descriptor = os.open(name, _CREATE, 0o666, dir_fd=self.descriptor)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            if is_durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @_converting
    def take(self, name: str, source: "Folder", source_name: str, *, is_new: bool = False) -> None:
        """Move a file here, in place of an older file or an empty folder; it stays executable if the older one was.

        `is_new`: nothing lies here, as far as is known.
        """
        try:
            mode = 0 if is_new else os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:
            mode = 0
        if stat.S_ISDIR(mode):
            os.rmdir(name, dir_fd=self.descriptor)
        elif stat.S_ISREG(mode) and mode & stat.S_IXUSR:
            os.chmod(source_name, stat.S_IMODE(mode), dir_fd=source.descriptor)
        os.rename(source_name, name, src_dir_fd=source.descriptor, dst_dir_fd=self.descriptor)

    @_converting
    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        try:
            os.unlink(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return

    def remove_if_empty(self, name: str) -> bool:
        """Remove the folder `name` if nothing is in it; whether it is gone."""
        try:
            os.rmdir(name, dir_fd=self.descriptor)
        except OSError:
            return self.kind(name) is None
        return True

    @_converting
    def open_own(self, name: str) -> int:
        """A descriptor to read and write a file of mmgit's own in place, made if missing.

        Raises `UnsafePath` if it has a second name (a hard link), which would be written with it.
        """
        descriptor = os.open(name, _OWN, 0o666, dir_fd=self.descriptor)
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            return descriptor
        os.close(descriptor)
        raise UnsafePath(f"{self.path_of(name)} is a link or a special file", f"rm {self.path_of(name)}")

    def sync(self) -> None:
        """Make what was created, moved and removed here durable."""
        os.fsync(self.descriptor)
