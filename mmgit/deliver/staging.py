"""Stages rendered files part by part, in several processes if need be; then all of them are put in place, or none.

A tree of path -> bytes comes in for each part. Where it lies, somebody else's bytes are never touched: whoever compiles
all at once says whose they are.
"""

import itertools
import os
from collections.abc import Collection, Iterable, Iterator, Mapping

from mmgit.deliver import journal
from mmgit.deliver.journal import STAGED, Entry, by_folder, hash_of
from mmgit.deliver.write import Written, carry_out
from mmgit.deliver.writer import Writer
from mmgit.frozen import dataclass
from mmgit.repository.files import Root
from mmgit.repository.header import header_state

_numbers = itertools.count()


class NotOurs(Exception):  # noqa: N818 - is no error yet
    """A file that somebody edited, or that mmgit never wrote, is where one shall be put or removed."""


@dataclass(frozen=True)
class Part:
    """All paths of a part, and what shall become of the files that differ."""

    paths: tuple[str, ...]
    entries: tuple[Entry, ...]


def stage(root: Root, tree: Mapping[str, bytes]) -> Part:
    """Put the files of a part that differ into the journal's folder, for the one writer. Raises `NotOurs`."""
    with root.state(STAGED) as staged:
        entries = [
            journal.stage(staged, f"{os.getpid()}-{next(_numbers)}", path, old, tree[path])
            for path, old in _differing(root, tree)
        ]
    return Part(tuple(tree), tuple(entries))


def compare(root: Root, tree: Mapping[str, bytes]) -> Part:
    """As `stage`, but nothing is written."""
    entries = [Entry(path, hash_of(old), hash_of(tree[path]), None) for path, old in _differing(root, tree)]
    return Part(tuple(tree), tuple(entries))


def whole(root: Root, parts: Iterable[Part], owned_folders: Iterable[str]) -> Part:
    """All parts together, which are all that the owned folders shall hold. Raises `NotOurs`."""
    paths: list[str] = []
    entries: list[Entry] = []
    for part in parts:
        paths += part.paths
        entries += part.entries
    return Part(tuple(paths), (*entries, *_extra(root, set(paths), owned_folders)))


def write_staged(writer: Writer, part: Part) -> Written:
    """Put in place what was staged, all or none of it, whatever crashes."""
    journal.refuse_obstacles(writer.root, {entry.path: entry.new for entry in part.entries})
    return carry_out(writer, journal.seal(writer.root, part.entries))


def _differing(root: Root, tree: Mapping[str, bytes]) -> Iterator[tuple[str, bytes | None]]:
    """The files that are not as they shall be, with what they hold now."""
    for folder, names in by_folder(tree):
        there = root.read_folder(folder, names=names)
        for name in names:
            path, old = f"{folder}/{name}", there.get(name)
            if old != tree[path]:
                if old is not None:
                    _refuse_others(old)
                yield path, old


def _extra(root: Root, paths: Collection[str], owned_folders: Iterable[str]) -> Iterator[Entry]:
    for owned in owned_folders:
        for path in (f"{owned}/{name}" for name in root.walk(owned)):
            if path not in paths:
                data = root.read(path)
                _refuse_others(data)
                yield Entry(path, hash_of(data), None, None)


def _refuse_others(data: bytes) -> None:
    if header_state(data) != "ours":
        raise NotOurs
