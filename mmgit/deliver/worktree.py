"""Carries out a journal: a `Journal` comes in, the work tree holds what it says, and the journal is gone.

May be run again after a crash at any point. A file that somebody else changed since the journal was written is kept.
"""

import os
from collections.abc import Collection
from itertools import groupby

from mmgit.deliver.journal import MAX_BYTES, MAX_SINGLE_SYNCS, STAGED, Entry, Journal, discard, hash_of
from mmgit.errors import UnsafePath
from mmgit.repository.files import Root
from mmgit.repository.folder import Folder


def finish(root: Root, journal: Journal, only: Collection[str] | None = None) -> tuple[str, ...]:
    """Do what is not done yet (of the paths in `only`), and remove the journal.

    Returns the paths that somebody else has changed meanwhile, sorted.
    """
    todo = [entry for entry in journal.entries if entry.old != entry.new and (only is None or entry.path in only)]
    kept = []
    with root.state(STAGED) as staged:
        # What goes makes room for what comes.
        for (is_new, folder), group in groupby(sorted(todo, key=_order), key=_order):
            with root.make(folder) if is_new else root.open(folder) as opened:
                kept += [entry.path for entry in group if opened and not _settle(opened, entry, staged)]
            if not is_new:
                root.prune(folder)
    _sync(root, {folder for _, folder in map(_order, todo)})
    discard(root)
    return tuple(sorted(kept))


def _order(entry: Entry) -> tuple[bool, str]:
    return entry.new is not None, entry.path.rpartition("/")[0]


def _settle(folder: Folder, entry: Entry, staged: Folder) -> bool:
    """Make one file what the entry says; False if it is neither what it was nor what it shall be."""
    name = entry.path.rpartition("/")[2]
    try:
        kind = folder.kind(name)
        now = hash_of(folder.read(name, MAX_BYTES)) if kind not in (None, "folder") else None
    except UnsafePath:
        return False
    if now == entry.new:
        return True
    if now != entry.old:
        return False
    if entry.new is None:
        folder.remove(name)
    else:
        folder.take(name, staged, entry.staged, is_new=kind is None)
    return True


def _sync(root: Root, folders: Collection[str]) -> None:
    if len(folders) > MAX_SINGLE_SYNCS:
        os.sync()
        return
    for path in folders:
        with root.open(path) as folder:
            if folder:
                folder.sync()
