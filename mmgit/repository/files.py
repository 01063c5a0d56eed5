"""The one door for files below a root: paths relative to it come in, bytes come out, or are put in place at once.

Every folder on the way is opened by itself, so no symbolic link is followed in any component, not even one that is
put there meanwhile. Hard links do not matter: nothing is written in place, except mmgit's own lock.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

from mmgit.errors import UnsafePath, UsageError
from mmgit.repository.folder import Folder, Kind
from mmgit.repository.layout import STAGING, STATE
from mmgit.repository.paths import MAX_DEPTH, parts_of

MAX_BYTES: Final = 64 * 1024 * 1024
"""The most that is read from one file unless the caller says otherwise."""


class Files(Protocol):
    """What declared files are read from: a `Root`, or a commit."""

    @property
    def path(self) -> Path:
        """Where the root is, for messages."""
        ...

    def read(self, relative: str, max_bytes: int = MAX_BYTES) -> bytes:
        """The bytes of a file. Raises `UsageError` if it is missing or larger, `UnsafePath` if it is no plain file."""
        ...

    def head(self, relative: str, size_bytes: int) -> bytes:
        """The first bytes of a file, however long it is. Raises as `read` does."""
        ...

    def read_folder(
        self, relative: str, max_bytes: int = MAX_BYTES, names: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Name -> bytes of the files right in a folder, or of `names` that are there, sorted."""
        ...

    def exists(self, relative: str) -> bool:
        """Whether there is a file or folder. Raises `UnsafePath` for a link or a special file."""
        ...

    def files(self, relative: str) -> tuple[str, ...]:
        """Names of what lies right in a folder and is no folder, sorted; empty if there is no folder."""
        ...

    def folders(self, relative: str) -> tuple[str, ...]:
        """Names of the folders right in a folder, sorted; empty if there is no folder."""
        ...

    def walk(self, relative: str) -> tuple[str, ...]:
        """Paths, relative to the folder, of everything in it and below that is no folder, sorted."""
        ...


class Root:
    """The folder that all paths are relative to. Paths have `/` between names; `""` is the root itself."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def read(self, relative: str, max_bytes: int = MAX_BYTES) -> bytes:
        """As `Files`."""
        data = self.read_if_there(relative, max_bytes)
        if data is None:
            raise UsageError(f"there is no file {relative} in {self.path}")
        return data

    def read_if_there(self, relative: str, max_bytes: int = MAX_BYTES) -> bytes | None:
        """The bytes of a file, or None if there is none."""
        folder_path, name = _split(relative)
        with self.open(folder_path) as folder:
            return folder.read(name, max_bytes) if folder else None

    def head(self, relative: str, size_bytes: int) -> bytes:
        """As `Files`."""
        with self.stream(relative) as file:
            return file.read(size_bytes)

    def stream(self, relative: str) -> IO[bytes]:
        """A file, opened to be read in blocks. Raises as `read` does."""
        folder_path, name = _split(relative)
        with self.open(folder_path) as folder:
            if folder is None:
                raise UsageError(f"there is no file {relative} in {self.path}")
            return folder.stream(name)

    def read_folder(
        self, relative: str, max_bytes: int = MAX_BYTES, names: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """As `Files`."""
        with self.open(relative) as folder:
            if not folder:
                return {}
            files = folder.names()[0] if names is None else sorted(names)
            found = ((name, folder.read(name, max_bytes)) for name in files)
            return {name: data for name, data in found if data is not None}

    def kind(self, relative: str) -> Kind | None:
        """What a path is, or None if there is nothing."""
        if not relative:
            return "folder"
        folder_path, name = _split(relative)
        with self.open(folder_path) as folder:
            return folder.kind(name) if folder else None

    def exists(self, relative: str) -> bool:
        """As `Files`."""
        kind = self.kind(relative)
        if kind == "other":
            raise UnsafePath(f"{relative} is a link or a special file", f"put a plain file there: rm {relative}")
        return kind is not None

    def files(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        with self.open(relative) as folder:
            return tuple(folder.names()[0]) if folder else ()

    def folders(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        with self.open(relative) as folder:
            return tuple(folder.names()[1]) if folder else ()

    def walk(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        found: list[str] = []
        with self.open(relative) as folder:
            if folder:
                _walk(folder, "", found)
        return tuple(sorted(found))

    def write(self, relative: str, data: bytes) -> None:
        """Put a file in place at once: staged, made durable, renamed. Missing folders are made."""
        folder_path, name = _split(relative)
        with self.state(STAGING) as staging, self.make(folder_path) as folder:
            staged = f"{os.getpid()}-{name}"[-200:]
            staging.remove(staged)
            staging.create(staged, data)
            folder.take(name, staging, staged)
            folder.sync()

    def remove(self, relative: str) -> None:
        """Remove a file if it is there, and the folders that this leaves empty."""
        folder_path, name = _split(relative)
        with self.open(folder_path) as folder:
            if not folder:
                return
            folder.remove(name)
        self.prune(folder_path)

    def prune(self, relative: str) -> None:
        """Remove a folder and those above it as long as they are empty."""
        while relative:
            above, name = _split(relative)
            with self.open(above) as folder:
                if folder and not folder.remove_if_empty(name):
                    return
            relative = above

    @contextmanager
    def open(self, relative: str) -> Iterator[Folder | None]:
        """The folder at a path, or None if there is none."""
        folder: Folder | None = self._top()
        for part in parts_of(relative):
            if folder:
                with closing(folder):
                    folder = folder.below(part)
        if folder:
            with closing(folder):
                yield folder
        else:
            yield None

    @contextmanager
    def make(self, relative: str) -> Iterator[Folder]:
        """The folder at a path, made if missing."""
        folder = self._top()
        for part in parts_of(relative):
            with closing(folder):
                folder = folder.make(part)
        with closing(folder):
            yield folder

    @contextmanager
    def state(self, name: str = "") -> Iterator[Folder]:
        """mmgit's own folder, or the one called `name` in it, made if missing; git does not see it."""
        with self.make(STATE) as own:
            if own.kind(".gitignore") is None:
                own.create(".gitignore", b"*\n")
        with self.make(f"{STATE}/{name}" if name else STATE) as folder:
            yield folder

    def _top(self) -> Folder:
        try:
            return Folder(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "")
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror}") from error


@contextmanager
def near(files: Files) -> Iterator[Files]:
    """The same files for a block that reads many of them, one beside the other. Nothing may be written through it."""
    if type(files) is not Root:
        yield files
        return
    root = _Near(files.path)
    try:
        yield root
    finally:
        root.close()


class _Near(Root):
    """A root that keeps the folders open on the way to the one that was opened last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._way: list[tuple[str, Folder]] = []

    @contextmanager
    def open(self, relative: str) -> Iterator[Folder | None]:
        """As `Root.open`; the folder is there until the next one is opened."""
        parts, way = ["", *parts_of(relative)], self._way
        same = next((at for at, (name, _) in enumerate(way) if parts[at : at + 1] != [name]), len(way))
        while len(way) > same:
            way.pop()[1].close()
        for part in parts[same:]:
            folder = way[-1][1].below(part) if way else self._top()
            if folder is None:
                break
            way.append((part, folder))
        yield way[-1][1] if len(way) == len(parts) else None

    def close(self) -> None:
        """Give all descriptors back."""
        while self._way:
            self._way.pop()[1].close()


def _split(relative: str) -> tuple[str, str]:
    """The folder and the name of a path that is not the root."""
    parts = parts_of(relative)
    if not parts:
        raise UsageError("the root itself is no file")
    return "/".join(parts[:-1]), parts[-1]


def _walk(folder: Folder, prefix: str, found: list[str]) -> None:
    if prefix.count("/") > MAX_DEPTH:
        raise UnsafePath(f"{folder.path}: folders lie more than {MAX_DEPTH} deep")
    files, folders = folder.names()
    found += (prefix + name for name in files)
    for name in folders:
        if below := folder.below(name):
            with closing(below):
                _walk(below, f"{prefix}{name}/", found)
