"""Makes the objects of a commit of few files by itself: the trees of its base, changed files and a message come in.

git is asked for those trees, and stores what is made, in one step; it reads no index and need not be asked what came of
it. No reference, index or work tree is touched.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from itertools import groupby

from mmgit.deliver.git import Asked, Repository
from mmgit.deliver.history import Entry
from mmgit.deliver.stored import TREE, Tree
from mmgit.deliver.who import who_of
from mmgit.frozen import dataclass

MOST_FILES = 50
"""Of more files git itself makes a pack, of which each is compared with others."""
_KINDS = {b"commit": 1, b"tree": 2, b"blob": 3}
_VERSION = 2
_SHA256_DIGITS = 64

_Wanted = list[tuple[list[bytes], Entry | None]]
"""The names on the way to each file, and the file; None for one that goes."""


class Clash(Exception):  # noqa: N818 - told with the path by whoever asked
    """A file and a folder want the same place."""


@dataclass(frozen=True)
class Few:
    """A commit that git stores just now."""

    commit: str
    trees: Mapping[str, tuple[str, str]]
    """Folders that it changes and keeps, by path from the top: ids before and after."""
    storing: Asked

    def stored(self) -> str:
        """The commit, once git has it."""
        self.storing.output()
        return self.commit


def begin_commit(
    repository: Repository, base: str, wanted: Mapping[str, Entry | None], blobs: Mapping[str, bytes], message: str
) -> Few:
    """Begin a commit upon `base` that makes files at these paths from the top what is wanted (None: gone).

    `blobs` has the bytes of every new file by id. Raises `GitError` if nobody knows who commits, `Clash` with a path.
    """
    making = _Making(repository, base)
    for entry in wanted.values():
        if entry:
            making.add(b"blob", blobs[entry.id])
    split = [(path.encode(errors="surrogateescape").split(b"/"), entry) for path, entry in wanted.items()]
    top = making.tree("", repository.store.folder(base, ""), sorted(split, key=lambda each: each[0]))
    author, committer = who_of(repository).author_and_committer
    heads = (b"tree %s\nparent %s\n" % (top.encode(), base.encode()), b"author %s\n" % author)
    commit = making.add(b"commit", b"".join((*heads, b"committer %s\n\n" % committer, message.encode())))
    return Few(commit, making.trees, repository.ask("unpack-objects", "-q", stdin=making.pack()))


class _Making:
    """The objects of one commit."""

    def __init__(self, repository: Repository, base: str) -> None:
        self._store, self._hash = repository.store, hashlib.sha256 if len(base) == _SHA256_DIGITS else hashlib.sha1
        self._made: dict[str, tuple[int, bytes]] = {}
        self.trees: dict[str, tuple[str, str]] = {}

    def add(self, kind: bytes, data: bytes) -> str:
        """The id of an object, which is added."""
        name = self._hash(b"%s %d\0" % (kind, len(data)) + data, usedforsecurity=False).hexdigest()
        self._made[name] = _KINDS[kind], data
        return name

    def tree(self, path: str, before: Tree | None, wanted: _Wanted) -> str:
        """The id of a folder's tree with what is wanted of it, or "" if nothing is left in it."""
        entries = dict(before.entries) if before else {}
        files = [(names[0], entry) for names, entry in wanted if len(names) == 1]
        for name in (name for name, entry in files if entry is None):  # what goes makes room for what comes
            entries.pop(name, None)
        below = [(names, entry) for names, entry in wanted if len(names) > 1]
        for name, group in groupby(below, key=lambda each: each[0][0]):
            self._folder(f"{path}{name.decode(errors='surrogateescape')}", name, entries, list(group))
        for name, entry in files:
            if entry:
                _refuse(entries.get(name), f"{path}{name.decode(errors='replace')}", is_tree=True)
                entries[name] = entry.mode.encode(), bytes.fromhex(entry.id)
        if not entries:
            return ""
        made = self.add(b"tree", _tree(entries))
        if before:
            self.trees[path.rstrip("/")] = before.id, made
        return made

    def _folder(self, path: str, name: bytes, entries: dict[bytes, tuple[bytes, bytes]], wanted: _Wanted) -> None:
        """Put a folder with what is wanted of it among the entries of the one that it lies in."""
        there = entries.pop(name, None)
        _refuse(there, path, is_tree=False)
        before = self._store.tree(there[1].hex()) if there else None
        made = self.tree(f"{path}/", before, [(names[1:], entry) for names, entry in wanted])
        if made:
            entries[name] = TREE.encode(), bytes.fromhex(made)

    def pack(self) -> bytes:
        """All that was added, as a pack. Source: gitformat-pack(5)."""
        header = b"PACK" + _VERSION.to_bytes(4, "big") + len(self._made).to_bytes(4, "big")
        packed = (_head(kind, len(data)) + zlib.compress(data, 1) for kind, data in self._made.values())
        content = b"".join((header, *packed))
        return content + self._hash(content, usedforsecurity=False).digest()


def _refuse(there: tuple[bytes, bytes] | None, path: str, *, is_tree: bool) -> None:
    if there and (there[0] == TREE.encode()) is is_tree:
        raise Clash(path)


def _tree(entries: Mapping[bytes, tuple[bytes, bytes]]) -> bytes:
    """The bytes of a tree: git sorts folders as if their names ended with a slash."""
    return b"".join(b"%s %s\0%s" % (mode, name, identity) for name, (mode, identity) in _sorted(entries.items()))


def _sorted(entries: Iterable[tuple[bytes, tuple[bytes, bytes]]]) -> list[tuple[bytes, tuple[bytes, bytes]]]:
    tree = TREE.encode()
    return sorted(entries, key=lambda entry: entry[0] + b"/" if entry[1][0] == tree else entry[0])


def _head(kind: int, size: int) -> bytes:
    """Kind and size of an object in a pack: four bits of the size, then seven in each byte."""
    head, size = bytearray([kind << 4 | size & 15]), size >> 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head)
