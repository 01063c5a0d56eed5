"""What a commit holds, read like a folder: a `Repository` and a commit come in, `Files` come out.

Folders are listed and files read when they are asked for, by one process of git. Pure reads, as in `history`.
"""

from collections.abc import Collection, Iterable

from mmgit.deliver import history
from mmgit.deliver.git import Repository
from mmgit.deliver.stored import TREE, Store, Tree
from mmgit.errors import UnsafePath, UsageError
from mmgit.repository.files import MAX_BYTES

_PLAIN = (history.PLAIN, history.EXECUTABLE)


class Committed:
    """The `Files` of a commit, below the root of `repository`. Several of one repository may share a `store`."""

    def __init__(self, repository: Repository, commit: str, store: Store | None = None) -> None:
        self.commit = commit
        self.path = repository.top / repository.prefix
        self._repository = repository
        self._store = store or Store(repository)
        self._trees: dict[str, Tree | None] = {"": self._top(repository.prefix.split("/")[:-1])}
        self._contents: dict[str, bytes] = {}

    def prefetch(self, paths: Iterable[str]) -> None:
        """Read these files with a few questions to git, so that `read` need not ask for each."""
        ids = [entry.id for path in paths if (entry := self._lookup(path)) and entry.mode in _PLAIN]
        new = list(dict.fromkeys(each for each in ids if each not in self._contents))
        self._contents |= self._store.blobs(new)

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

    def read_folder(
        self, relative: str, max_bytes: int = MAX_BYTES, names: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """As `Files`."""
        found = (name for name in self.files(relative) if names is None or name in names)
        paths = {name: _join(relative, name) for name in found}
        self.prefetch(paths.values())
        return {name: self.read(path, max_bytes) for name, path in paths.items()}

    def exists(self, relative: str) -> bool:
        """As `Files`."""
        self._refuse_links(relative)
        return not relative or self._lookup(relative) is not None

    def files(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        return self._names(relative, are_trees=False)

    def folders(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        return self._names(relative, are_trees=True)

    def walk(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        found = list(self.files(relative))
        for folder in self.folders(relative):
            found += (f"{folder}/{path}" for path in self.walk(_join(relative, folder)))
        return tuple(sorted(found))

    def _entry(self, relative: str) -> history.Entry:
        self._refuse_links(relative)
        entry = self._lookup(relative)
        if entry is None or entry.mode == TREE:
            raise UsageError(f"there is no file {relative} in commit {self.commit}")
        return entry

    def _names(self, relative: str, *, are_trees: bool) -> tuple[str, ...]:
        self._refuse_links(relative)
        tree = self._tree(relative)
        return tuple(tree.names(are_trees=are_trees)) if tree else ()

    def _refuse_links(self, relative: str) -> None:
        """Raise `UnsafePath` if the path, or one above it, is a link or a module: neither is followed."""
        above = ""
        for name in relative.split("/"):
            path = _join(above, name)
            entry = self._lookup(path)
            if entry is None:
                return
            if entry.mode not in (*_PLAIN, TREE):
                raise UnsafePath(f"{path} is a link or a module", f"put a plain file there: rm {path}")
            above = path

    def _lookup(self, path: str) -> history.Entry | None:
        above, _, name = path.rpartition("/")
        tree = self._tree(above)
        return tree.get(name) if tree else None

    def _tree(self, path: str) -> Tree | None:
        """A folder of the commit, None if there is none."""
        if path not in self._trees:
            entry = self._lookup(path)
            self._trees[path] = self._store.tree(entry.id) if entry and entry.mode == TREE else None
        return self._trees[path]

    def _top(self, prefix: Iterable[str]) -> Tree | None:
        """The folder of the root."""
        tree = self._store.tree(f"{self.commit}^{{tree}}")
        for name in prefix:
            entry = tree.get(name)
            if entry is None or entry.mode != TREE:
                return None
            tree = self._store.tree(entry.id)
        return tree


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
