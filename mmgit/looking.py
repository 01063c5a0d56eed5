"""Looks at all files that a compile reads or writes: their times, sizes and inodes, folder by folder.

Stands on very little of Python, because nothing else is imported when nothing has changed.
"""

import os
from itertools import accumulate
from struct import Struct

FACTS = Struct("4q")
"""Numbers for each file: times of change of its bytes and of itself, in nanoseconds; its size; its inode."""
UNKNOWN = bytes(FACTS.size)
_INT64 = 2**63 - 1
_SCANNED = ("bases", "blueprints")
MODELS, ENVIRONMENTS = "models", "environments"
UNSEEN = "__pycache__"
"""What nothing is declared or rendered in, wherever it lies."""
OF_MODELS = ("versions", "manifests")
"""What is looked at of a model."""

Listing = bytes
"""The names of the files in a folder, in the folder's own order; a zero byte; their facts, as many bytes for each."""
Listings = dict[str, Listing]


def look(root: str) -> Listings:
    """All files that a compile reads or writes, as they are now."""
    found, services, others = begin(root)
    for folder in (*services, *others):
        scan(root, folder, found)
    return found


def begin(root: str) -> tuple[Listings, list[str], list[str]]:
    """The first files of a look, and the folders to be scanned with all below: groups of services, and the rest."""
    found: Listings = {"": facts_of(root, ["mmgit.yaml"])}
    for folder in _SCANNED:
        scan(root, folder, found)
    kinds = [kind for each in _below(root, ENVIRONMENTS, found) for kind in _below(root, each, found)]
    services = [kind for kind in kinds if kind.endswith("/services")]
    others = [kind for kind in kinds if kind not in services]
    return found, _all_below(root, services, found), _all_below(root, [*others, MODELS], found)


def packed(listings: Listings) -> bytes:
    """Listings as bytes: equal if nothing has changed."""
    return b"".join(parts_of(listings))


def parts_of(listings: Listings) -> list[bytes]:
    """The same in pieces, which need not be copied to be joined with others."""
    folders = os.fsencode("\0".join(listings))
    sizes = " ".join([str(len(listing)) for listing in listings.values()]).encode()
    return [b"%d %d\n" % (len(folders), len(sizes)), folders, sizes, *listings.values()]


class Recalled:
    """Listings as the bytes that `packed` made of them, from `begin` on: compared without being taken apart."""

    def __init__(self, data: bytes, begin: int = 0) -> None:
        start = data.index(b"\n", begin) + 1
        of_folders, of_sizes = map(int, data[begin : start - 1].split())
        folders = os.fsdecode(data[start : start + of_folders]).split("\0")
        start += of_folders + of_sizes
        sizes = list(map(int, data[start - of_sizes : start].split()))
        self._data = data
        self._listings: Listings | None = None
        self._places = dict(zip(folders, zip(accumulate(sizes, initial=start), sizes, strict=False), strict=False))

    def __len__(self) -> int:
        return len(self._places)

    def has(self, folder: str) -> bool:
        """Whether there was such a folder."""
        return folder in self._places

    def is_so(self, folder: str, listing: Listing) -> bool:
        """Whether a folder was as it is listed."""
        start, size = self._places.get(folder, (0, -1))
        return size == len(listing) and self._data.startswith(listing, start)

    def listings(self) -> Listings:
        """All of them, taken apart."""
        if self._listings is None:
            data = self._data
            self._listings = {folder: data[start : start + size] for folder, (start, size) in self._places.items()}
        return self._listings


def unpacked(data: bytes, begin: int = 0) -> Listings:
    """What `packed` made these bytes of, from `begin` on."""
    return Recalled(data, begin).listings()


def names_of(listing: Listing | None) -> list[str]:
    """The names of the files of a folder."""
    names = (listing or b"").partition(b"\0")[0]
    return os.fsdecode(names).split("/") if names else []


def by_name(listing: Listing | None) -> dict[str, bytes]:
    """The facts of each file of a folder."""
    facts, size = facts_in(listing or b""), FACTS.size
    return {name: facts[size * number : size * (number + 1)] for number, name in enumerate(names_of(listing))}


def listing_of(names: list[str], facts: list[bytes]) -> Listing:
    """A folder's files, and the facts of each."""
    return b"%b\0%b" % (os.fsencode("/".join(names)), b"".join(facts))


def facts_in(listing: Listing) -> bytes:
    """The facts of all files of a folder."""
    return listing.partition(b"\0")[2]


def scan(root: str, folder: str, found: Listings, *, is_deep: bool = True) -> list[str]:
    """Note the files of a folder, and of those below unless `is_deep` is false. The names of the folders in it."""
    names: list[str] = []
    below: list[str] = []
    facts: list[bytes] = []
    prefix = f"{folder}/" if folder else ""
    is_few = prefix.startswith("models/")
    is_model = is_few and prefix.count("/") == len(OF_MODELS)
    path, pack = f"{root}/{folder}", FACTS.pack
    try:
        # By its descriptor, each file is found by its name alone; in folders of few files that takes longer.
        where = path if is_few else os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return below
    try:
        with os.scandir(where) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
                    continue
                names.append(entry.name)
                status = entry.stat(follow_symlinks=False)  # `_packed`, without a call for each of so many files
                facts.append(pack(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino & _INT64))
    except FileNotFoundError:
        return below
    finally:
        if isinstance(where, int):
            os.close(where)
    found[folder] = listing_of(names, facts)
    for name in below if is_deep else ():
        if name != UNSEEN and (not is_model or name in OF_MODELS):
            scan(root, prefix + name, found)
    return below


def facts_of(folder: str, names: list[str]) -> Listing:
    """The facts of some files of a folder."""
    facts = []
    for name in names:
        try:
            facts.append(_packed(os.lstat(f"{folder}/{name}")))
        except FileNotFoundError:
            facts.append(UNKNOWN)
    return listing_of(names, facts)


def _all_below(root: str, folders: list[str], found: Listings) -> list[str]:
    return [below for folder in folders for below in _below(root, folder, found)]


def _below(root: str, folder: str, found: Listings) -> list[str]:
    return [f"{folder}/{name}" for name in scan(root, folder, found, is_deep=False) if name != UNSEEN]


def _packed(status: os.stat_result) -> bytes:
    return FACTS.pack(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino & _INT64)
