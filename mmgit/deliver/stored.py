"""What git stores, from one process that answers many questions: names of objects come in, trees and bytes come out.

Pure reads: no work tree, no index, no network, no conversion of line ends. Trees are kept, as commits share most.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from mmgit.deliver.git import Repository
from mmgit.deliver.history import Entry
from mmgit.errors import GitError
from mmgit.subprocesses import OUTPUT_LIMIT_BYTES, Answering

TREE = "40000"

_ASKED_AT_ONCE = 500
"""Fewer names than a pipe holds, so that git and whoever asks never wait for each other."""
_ENTRY_OF_SHA1 = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_ENTRY_OF_SHA256 = re.compile(rb"([0-7]+) ([^\0]+)\0(.{32})", re.DOTALL)
_SHA1_DIGITS = 40


class Tree:
    """A folder as git stores it: name -> mode and id."""

    def __init__(self, data: bytes, like: str) -> None:
        entry = _ENTRY_OF_SHA1 if len(like) == _SHA1_DIGITS else _ENTRY_OF_SHA256
        self.id = like
        self.entries = {name: (mode, identity) for mode, name, identity in entry.findall(data)}
        """Name -> mode and id."""

    def get(self, name: str) -> Entry | None:
        """The file, folder, link or module of a name."""
        found = self.entries.get(name.encode(errors="surrogateescape"))
        return Entry(found[0].decode(), found[1].hex()) if found else None

    def names(self, *, are_trees: bool) -> list[str]:
        """The names of folders, or of all else, sorted."""
        found = (name for name, (mode, _) in self.entries.items() if (mode == TREE.encode()) is are_trees)
        return sorted(name.decode(errors="surrogateescape") for name in found)


class Store:
    """The objects of a repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process: Answering | None = None
        self._trees: dict[str, Tree] = {}

    def tree(self, name: str) -> Tree:
        """The tree of an id, or of a commit as `<commit>^{tree}`."""
        if name not in self._trees:
            [(identity, data)] = self._answers([name], "tree")
            self._trees[name] = Tree(data, identity)
        return self._trees[name]

    def folder(self, commit: str, path: str) -> Tree | None:
        """The tree of a folder of a commit, by its path from the top; None if there is no such folder."""
        tree = self.tree(f"{commit}^{{tree}}")
        for name in path.split("/") if path else ():
            entry = tree.get(name)
            if entry is None or entry.mode != TREE:
                return None
            tree = self.tree(entry.id)
        return tree

    def entries(self, commit: str, paths: Collection[str]) -> dict[str, Entry]:
        """Those of the paths from the top at which a commit has anything but a folder."""
        found = {}
        for folder, group in groupby(sorted(paths), key=lambda path: path.rpartition("/")[0]):
            tree = self.folder(commit, folder)
            for path in group:
                entry = tree.get(path.rpartition("/")[2]) if tree else None
                if entry and entry.mode != TREE:
                    found[path] = entry
        return found

    def blobs(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of files, by id. Raises `GitError` for an id that is not here."""
        asked, found = list(ids), dict[str, bytes]()
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            found.update(self._answers(asked[start : start + _ASKED_AT_ONCE], "blob"))
        return found

    def _answers(self, names: Sequence[str], wanted: str) -> Iterator[tuple[str, bytes]]:
        """Id and bytes of each object. Source: git-cat-file(1), BATCH OUTPUT."""
        process = self._process or self._repository.answering("cat-file", "--batch")
        self._process = None  # if it fails, what it still has to say is for nobody
        try:
            process.ask("".join(f"{name}\n" for name in names).encode())
            for name in names:
                identity, size_bytes = self._described(name, process.line(), wanted)
                yield identity, process.take(size_bytes + 1)[:-1]
        except (OSError, EOFError) as error:
            raise GitError(f"`git cat-file` in {self._repository.git_dir} does not answer: {error}") from error
        self._process = process

    def _described(self, name: str, said: bytes, wanted: str) -> tuple[str, int]:
        """Id and size of an object."""
        identity, kind, *sizes = said.decode(errors="replace").split(" ")
        if kind != wanted:
            message = f"the bytes of {name} are not in {self._repository.git_dir}"
            raise GitError(message, "git fetch --refetch origin")
        if int(sizes[0]) > OUTPUT_LIMIT_BYTES:
            raise GitError(f"{name} in {self._repository.git_dir} is larger than {OUTPUT_LIMIT_BYTES} bytes")
        return identity, int(sizes[0])
