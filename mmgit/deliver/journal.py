"""Records what shall become of files in the work tree before anything changes, so that a crash can be made good.

Paths and bytes come in. The new bytes are staged in `.mmgit/journal`, by several processes if they like;
`entries.json`, which is written last, makes the record count. `worktree.finish` carries it out.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from mmgit.errors import MmgitError, UnsafePath
from mmgit.frozen import dataclass
from mmgit.repository.blobs import blob_id
from mmgit.repository.files import Root
from mmgit.repository.folder import Folder
from mmgit.repository.layout import STATE
from mmgit.repository.paths import clashes

STAGED = "journal"
"""The folder of mmgit's own that holds the record."""
MAX_BYTES = 1024 * 1024 * 1024
MAX_SINGLE_SYNCS = 16
"""Beyond so many files, syncing the whole system once is faster than one file after another."""

_ENCODED_AT_ONCE = 1000
_FOLDER = f"{STATE}/{STAGED}"
_RECORD, _NEW_RECORD = "entries.json", "entries.json.new"


class Entry(NamedTuple):
    """What shall become of one file. Hashes are SHA-256; None stands for no file."""

    path: str
    old: str | None
    new: str | None
    blob: str | None
    """The id that git gives to the new bytes, if the change waits for a commit."""
    staged: str = ""
    """The name of the file that holds the new bytes."""


@dataclass(frozen=True)
class Journal:
    """Changes of which all or none shall happen."""

    entries: tuple[Entry, ...]
    base: str | None
    """The commit upon which a commit is being made; the changes count only once that commit is there."""


def record(root: Root, changes: Mapping[str, bytes | None], *, base: str | None = None) -> Journal:
    """Write down what shall change, durably. Nothing has changed yet; `finish` or `discard` comes next.

    Raises `UnsafePath` or `MmgitError` if something is in the way that would stop `finish`.
    """
    discard(root)
    found = _entries(root, changes, base)
    entries = [entry for entry in found if base or entry.old != entry.new]
    if not entries:
        return Journal((), base)
    is_bulk = len(entries) > MAX_SINGLE_SYNCS
    with root.state(STAGED) as folder:
        for number, entry in enumerate(entries):
            if (data := changes[entry.path]) is not None:
                entries[number] = entry._replace(staged=str(number))
                folder.create(str(number), data, is_durable=not is_bulk)
    return seal(root, entries, base=base)


def stage(folder: Folder, name: str, path: str, old: bytes | None, new: bytes) -> Entry:
    """Put new bytes into the open folder `STAGED`, not yet durably; `name` is used by no one else."""
    folder.create(name, new, is_durable=False)
    return Entry(path, hash_of(old), hash_of(new), None, name)


def seal(root: Root, entries: Sequence[Entry], *, base: str | None = None) -> Journal:
    """Make a record of what is staged, durably. Without entries there is none."""
    journal = Journal(tuple(entries), base)
    if entries:
        with root.state(STAGED) as folder:
            if len(entries) > MAX_SINGLE_SYNCS:
                os.sync()
            folder.create(_NEW_RECORD, _encoded(journal))
            folder.take(_RECORD, folder, _NEW_RECORD)
            folder.sync()
    return journal


def pending(root: Root) -> Journal | None:
    """The record that a crash left unfinished, or None."""
    data = root.read_if_there(f"{_FOLDER}/{_RECORD}", MAX_BYTES)
    if data is None:
        return None
    fields = json.loads(data)
    return Journal(tuple(Entry(*entry) for entry in fields["entries"]), fields["base"])


def discard(root: Root) -> None:
    """Remove the record: first what makes it count, then what was staged."""
    with root.open(_FOLDER) as folder:
        if not folder:
            return
        folder.remove(_RECORD)
        folder.sync()
        for name in folder.names()[0]:
            folder.remove(name)
    root.prune(_FOLDER)


def hash_of(data: bytes | None) -> str | None:
    """The SHA-256 of a file's bytes, None for no file."""
    return None if data is None else hashlib.sha256(data).hexdigest()


def by_folder(paths: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The paths as folders with the names in them, sorted."""
    parts = sorted(path.rpartition("/")[::2] for path in paths)
    for folder, group in groupby(parts, key=lambda pair: pair[0]):
        yield folder, [name for _, name in group]


def _encoded(journal: Journal) -> bytearray:
    """The record as JSON: megabytes, which are there once."""
    encoded = bytearray(f'{{"base": {json.dumps(journal.base)}, "entries": ['.encode())
    for start in range(0, len(journal.entries), _ENCODED_AT_ONCE):
        encoded += b", " if start else b""
        encoded += json.dumps(journal.entries[start : start + _ENCODED_AT_ONCE])[1:-1].encode()
    encoded += b"]}"
    return encoded


def refuse_obstacles(root: Root, changes: Mapping[str, object]) -> None:
    """Raise `UnsafePath` or `MmgitError` if files (path -> None: they go) cannot lie where they shall."""
    new = [path for path, data in changes.items() if data is not None]
    for first, second in clashes(new):
        raise UnsafePath(f"{first} and {second} are one file on some systems", "rename one of them")
    for folder in {above for path in new for above in _above(path)}:
        if root.kind(folder) == "file" and changes.get(folder, b"") is not None:
            raise MmgitError(f"{folder} is a file where a folder is needed", f"mv {folder} {folder}.old")


def _entries(root: Root, changes: Mapping[str, bytes | None], base: str | None) -> Iterator[Entry]:
    """The entries for some changes, with what is there now. Refuses what could not be finished."""
    refuse_obstacles(root, changes)
    for folder, names in by_folder(changes):
        with root.open(folder) as opened:
            for name in names:
                path = f"{folder}/{name}" if folder else name
                is_vacated = opened is not None and opened.kind(name) == "folder" and _is_vacated(root, path, changes)
                old = hash_of(opened.read(name, MAX_BYTES)) if opened and not is_vacated else None
                data = changes[path]
                yield Entry(path, old, hash_of(data), blob_id(data, base) if base and data is not None else None)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _is_vacated(root: Root, folder: str, changes: Mapping[str, bytes | None]) -> bool:
    """Whether the changes remove all that is in a folder."""
    return all(changes.get(f"{folder}/{name}", b"") is None for name in root.walk(folder))
