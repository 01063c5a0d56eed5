"""What a commit holds, read like a folder: a `Repository` and a commit come in, `Files` come out.

The list of files is read at once, bytes when they are asked for, many at a time. Pure reads, as in `history`.
"""

from collections.abc import Iterable

from mmgit.deliver import history
from mmgit.deliver.git import Repository
from mmgit.errors import UnsafePath, UsageError
from mmgit.repository.files import MAX_BYTES

_AT_ONCE = 2000
_PLAIN = (history.PLAIN, history.EXECUTABLE)


class Committed:
    """The `Files` of a commit, below the root of `repository`."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self.commit = commit
        self.path = repository.top / repository.prefix
        self._repository = repository
        self._entries = history.listing(repository, commit, [""])
        self._below: dict[str, tuple[list[str], list[str]]] = {"": ([], [])}
        self._contents: dict[str, bytes] = {}
        for path in sorted(self._entries):
            folder, _, name = path.rpartition("/")
            self._folder(folder)[0].append(name)

    def prefetch(self, paths: Iterable[str]) -> None:
        """Read these files with a few questions to git, so that `read` need not ask for each."""
        ids = [entry.id for path in paths if (entry := self._entries.get(path)) and entry.mode in _PLAIN]
        new = list(dict.fromkeys(each for each in ids if each not in self._contents))
        for start in range(0, len(new), _AT_ONCE):
            self._contents |= history.contents(self._repository, new[start : start + _AT_ONCE])

    def read(self, relative: str, max_bytes: int = MAX_BYTES) -> bytes:
        """As `Files`."""
        entry = self._entry(relative)
        self.prefetch([relative])
        data = self._contents[entry.id]
        if len(data) > max_bytes:
            raise UsageError(f"{relative} is larger than {max_bytes} bytes in commit {self.commit}")
        return data

    def head(self, relative: str, size_bytes: int) -> bytes:
        """As `Files`."""
        return history.head(self._repository, self._entry(relative).id, size_bytes)

    def read_folder(self, relative: str, max_bytes: int = MAX_BYTES) -> dict[str, bytes]:
        """As `Files`."""
        paths = {name: _join(relative, name) for name in self.files(relative)}
        self.prefetch(paths.values())
        return {name: self.read(path, max_bytes) for name, path in paths.items()}

    def exists(self, relative: str) -> bool:
        """As `Files`."""
        self._refuse_links(relative)
        return relative in self._entries or relative in self._below

    def files(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        self._refuse_links(relative)
        return tuple(self._below.get(relative, ([], []))[0])

    def folders(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        self._refuse_links(relative)
        return tuple(sorted(self._below.get(relative, ([], []))[1]))

    def walk(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        found = list(self.files(relative))
        for folder in self.folders(relative):
            found += (f"{folder}/{path}" for path in self.walk(_join(relative, folder)))
        return tuple(sorted(found))

    def _entry(self, relative: str) -> history.Entry:
        self._refuse_links(relative)
        entry = self._entries.get(relative)
        if entry is None:
            raise UsageError(f"there is no file {relative} in commit {self.commit}")
        return entry

    def _refuse_links(self, relative: str) -> None:
        """Raise `UnsafePath` if the path, or one above it, is a link or a module: neither is followed."""
        path = relative
        while path and path not in self._below:
            entry = self._entries.get(path)
            if entry and entry.mode not in _PLAIN:
                raise UnsafePath(f"{path} is a link or a module", f"put a plain file there: rm {path}")
            path = path.rpartition("/")[0]

    def _folder(self, path: str) -> tuple[list[str], list[str]]:
        if path not in self._below:
            above, _, name = path.rpartition("/")
            self._folder(above)[1].append(name)
            self._below[path] = ([], [])
        return self._below[path]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
