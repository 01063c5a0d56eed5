"""Looks at all files that a compile reads or writes: their times, sizes and inodes, folder by folder.

Stands on very little of Python, because nothing else is imported when nothing has changed.
"""

from __future__ import annotations

import os
from struct import Struct

from mmgit import forked

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Collection

FACTS = Struct("4q")
"""Numbers for each file: times of change of its bytes and of itself, in nanoseconds; its size; its inode."""
UNKNOWN = bytes(FACTS.size)
_INT64 = 2**63 - 1
_SCANNED = ("bases", "models", "blueprints")
_ENVIRONMENTS = "environments"
_OF_MODELS = ("versions", "manifests")

Listing = tuple[list[str], bytes]
"""The names of the files in a folder, in the folder's own order, and their packed facts, as many bytes for each."""
Listings = dict[str, Listing]


def look(root: str, *, is_shared: bool = False) -> Listings:
    """All files that a compile reads or writes, as they are now.

    A process without threads may share the work with a second one, which pays from some 20,000 files on.
    """
    found: Listings = {"": facts_of(root, ["mmgit.yaml"])}
    for folder in _SCANNED:
        scan(root, folder, found)
    below = [f"{_ENVIRONMENTS}/{name}" for name in scan(root, _ENVIRONMENTS, found, is_deep=False)]
    near, far = below[: len(below) // 2], below[len(below) // 2 :]
    helper = forked.begin(lambda: packed(_seen(root, far))) if is_shared else None
    for folder in near:
        scan(root, folder, found)
    seen = helper.end() if helper else None
    return {**found, **(_seen(root, far) if seen is None else unpacked(seen))}


def look_again(root: str, listings: Listings, paths: Collection[str]) -> Listings:
    """What `look` gives if only the files at `paths` have changed since it gave `listings`."""
    folders = {path.rpartition("/")[0] for path in paths}
    if not folders <= listings.keys():
        return look(root)
    found: Listings = {}
    for folder in folders:
        scan(root, folder, found, is_deep=False)
    return {**listings, **found} if folders == found.keys() else look(root)


def packed(listings: Listings) -> bytes:
    """Listings as bytes: equal if nothing has changed."""
    parts = []
    for folder, (names, facts) in listings.items():
        text = os.fsencode(f"{folder}\0{'/'.join(names)}")
        parts.append(b"%d %d\n%b%b" % (len(text), len(facts), text, facts))
    return b"".join(parts)


def unpacked(data: bytes) -> Listings:
    """What `packed` made these bytes of."""
    listings: Listings = {}
    end = 0
    while end < len(data):
        start = data.index(b"\n", end) + 1
        size, facts_size = map(int, data[end:start].split())
        middle, end = start + size, start + size + facts_size
        folder, _, names = os.fsdecode(data[start:middle]).partition("\0")
        listings[folder] = (names.split("/") if names else [], data[middle:end])
    return listings


def by_name(listing: Listing | None) -> dict[str, bytes]:
    """The facts of each file of a folder."""
    names, facts = listing or ([], b"")
    size = FACTS.size
    return {name: facts[size * number : size * (number + 1)] for number, name in enumerate(names)}


def scan(root: str, folder: str, found: Listings, *, is_deep: bool = True) -> list[str]:
    """Note the files of a folder, and of those below unless `is_deep` is false. The names of the folders in it."""
    names: list[str] = []
    below: list[str] = []
    facts: list[bytes] = []
    prefix = f"{folder}/" if folder else ""
    is_model = prefix.startswith("models/") and prefix.count("/") == len(_OF_MODELS)
    try:
        descriptor = os.open(f"{root}/{folder}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return below
    try:
        with os.scandir(descriptor) as entries:  # not by path: so each file is found by its name alone
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
                    continue
                names.append(entry.name)
                facts.append(_packed(entry.stat(follow_symlinks=False)))
    finally:
        os.close(descriptor)
    found[folder] = (names, b"".join(facts))
    for name in below if is_deep else ():
        if name != "__pycache__" and (not is_model or name in _OF_MODELS):
            scan(root, prefix + name, found)
    return below


def _seen(root: str, folders: list[str]) -> Listings:
    found: Listings = {}
    for folder in folders:
        scan(root, folder, found)
    return found


def facts_of(folder: str, names: list[str]) -> Listing:
    """The facts of some files of a folder."""
    facts = []
    for name in names:
        try:
            facts.append(_packed(os.lstat(f"{folder}/{name}")))
        except FileNotFoundError:
            facts.append(UNKNOWN)
    return names, b"".join(facts)


def _packed(status: os.stat_result) -> bytes:
    return FACTS.pack(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino & _INT64)
