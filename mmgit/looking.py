"""Looks at all files that a compile reads or writes: their times, sizes and inodes, folder by folder.

Stands on very little of Python, because nothing else is imported when nothing has changed.
"""

from __future__ import annotations

import os
from struct import Struct

from mmgit import forked

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

FACTS = Struct("4q")
"""Numbers for each file: times of change of its bytes and of itself, in nanoseconds; its size; its inode."""
UNKNOWN = bytes(FACTS.size)
_INT64 = 2**63 - 1
_SCANNED = ("bases", "blueprints")
_MODELS, _ENVIRONMENTS = "models", "environments"
UNSEEN = "__pycache__"
"""What nothing is declared or rendered in, wherever it lies."""
_MOST_SHARES = 200
"""Fewer than a byte can tell apart."""
_OF_MODELS = ("versions", "manifests")
_LINKS = 2
"""Of a folder without folders: its name and `.`."""

Listing = bytes
"""The names of the files in a folder, in the folder's own order; a zero byte; their facts, as many bytes for each."""
Listings = dict[str, Listing]


def look(
    root: str,
    *,
    is_shared: bool = False,
    known: Listings | None = None,
    meanwhile: Callable[[], object] | None = None,
    when_changed: Callable[[], None] | None = None,
) -> Listings:
    """All files that a compile reads or writes, as they are now.

    A process without threads may share the work with a second one, which pays from some thousand files on. It begins
    with what is to be done `meanwhile`. As soon as one of them sees what is not `known`, `when_changed` is called once,
    and the other one goes on meanwhile.
    """
    found: Listings = {"": facts_of(root, ["mmgit.yaml"])}
    work = Work(root, _shares(_folders(root, found)), known, when_changed)
    work.compare(found)
    return found | (work.shared_out(meanwhile) if is_shared else work.done())


def look_again(root: str, listings: Listings, paths: Collection[str]) -> Listings:
    """What `look` gives if only the files at `paths` have changed since it gave `listings`."""
    folders = {path.rpartition("/")[0] for path in paths}
    new = {above for folder in folders for above in _new_above(folder, listings)}
    if not all(folder.startswith(f"{_ENVIRONMENTS}/") and UNSEEN not in folder.split("/") for folder in new):
        return look(root)
    found = look_at(root, listings, folders)
    for folder in new:
        scan(root, folder, found, is_deep=False)
    return {**listings, **found} if folders | new == found.keys() else look(root)


def _new_above(folder: str, listings: Listings) -> Iterator[str]:
    """A folder that is not known, and those above it that are not."""
    while folder not in listings:
        yield folder
        folder = folder.rpartition("/")[0]


def look_at(root: str, listings: Listings, folders: Collection[str]) -> Listings:
    """Those of the folders in `listings` that are there, as they are now."""
    found: Listings = {}
    for folder in set(folders) & listings.keys():
        if folder:
            scan(root, folder, found, is_deep=False)
        else:
            found[folder] = facts_of(root, ["mmgit.yaml"])
    return found


def differing(old: Listings, new: Listings) -> set[str]:
    """The files of which two looks do not say the same, or of which only one of them knows."""
    found: set[str] = set()
    for folder in [
        *(folder for folder, listing in new.items() if old.get(folder) != listing),
        *(old.keys() - new.keys()),
    ]:
        before, after = by_name(old.get(folder)), by_name(new.get(folder))
        names = (name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        found.update(f"{folder}/{name}" if folder else name for name in names)
    return found


def unlooked(root: str, listings: Listings) -> list[str]:
    """The folders of models that no look goes into: what people work in, and perhaps large.

    Most models have none. Their folders need not be listed where the file system counts the folders in a folder by its
    links, and counts as many as were looked into.
    """
    found = []
    for model in _folders_in(root, _MODELS):
        looked_into = [name for name in _OF_MODELS if f"{model}/{name}" in listings]
        if not looked_into or os.lstat(f"{root}/{model}").st_nlink != _LINKS + len(looked_into):
            found += [below for below in _folders_in(root, model) if _is_unlooked(below)]
    return found


def unlooked_above(path: str) -> str | None:
    """The folder of a model that a path lies in and that no look goes into."""
    folder = "/".join(path.split("/")[: len(_OF_MODELS) + 1])
    return folder if folder != path and path.startswith(f"{_MODELS}/") and _is_unlooked(folder) else None


def _is_unlooked(folder: str) -> bool:
    return folder.rpartition("/")[2] not in (*_OF_MODELS, UNSEEN)


def _folders_in(root: str, folder: str) -> list[str]:
    try:
        with os.scandir(f"{root}/{folder}") as entries:
            return [f"{folder}/{entry.name}" for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def packed(listings: Listings) -> bytes:
    """Listings as bytes: equal if nothing has changed."""
    return b"".join(parts_of(listings))


def parts_of(listings: Listings) -> list[bytes]:
    """The same in pieces, which need not be copied to be joined with others."""
    contents = os.fsencode("\0".join([f"{folder}\0{len(listing)}" for folder, listing in listings.items()]))
    return [b"%d\n" % len(contents), contents, *listings.values()]


def unpacked(data: bytes, begin: int = 0) -> Listings:
    """What `packed` made these bytes of, from `begin` on."""
    start = data.index(b"\n", begin) + 1
    end = start + int(data[begin : start - 1])
    contents = iter(os.fsdecode(data[start:end]).split("\0") if end > start else ())
    listings: Listings = {}
    for folder, size in zip(contents, contents, strict=True):
        start, end = end, end + int(size)
        listings[folder] = data[start:end]
    return listings


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
    is_model = is_few and prefix.count("/") == len(_OF_MODELS)
    path = f"{root}/{folder}"
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
                facts.append(_packed(entry.stat(follow_symlinks=False)))
    except FileNotFoundError:
        return below
    finally:
        if isinstance(where, int):
            os.close(where)
    found[folder] = listing_of(names, facts)
    for name in below if is_deep else ():
        if name != UNSEEN and (not is_model or name in _OF_MODELS):
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


def _folders(root: str, found: Listings) -> list[str]:
    """What is left to be scanned with all that is below: models, and in environments groups. The rest is noted."""
    for folder in _SCANNED:
        scan(root, folder, found)
    kinds = [kind for each in _below(root, _ENVIRONMENTS, found) for kind in _below(root, each, found)]
    kinds.sort(key=lambda kind: not kind.endswith("/services"))  # what people edit is seen first
    return [folder for kind in (*kinds, _MODELS) for folder in _below(root, kind, found)]


def _below(root: str, folder: str, found: Listings) -> list[str]:
    return [f"{folder}/{name}" for name in scan(root, folder, found, is_deep=False) if name != UNSEEN]


def _shares(folders: list[str]) -> list[list[str]]:
    size = len(folders) // _MOST_SHARES + 1
    return [folders[start : start + size] for start in range(0, len(folders), size)]


class Work:
    """Shares of a look: each is for whoever of two processes is free first."""

    def __init__(
        self, root: str, shares: list[list[str]], known: Listings | None, when_changed: Callable[[], None] | None
    ) -> None:
        self._root, self._shares, self._known, self._when_changed = root, shares, known, when_changed
        self._is_changed = bytearray(1)

    def compare(self, found: Listings) -> None:
        """Note whether anything is not as it is known."""
        known = self._known
        if known is not None and not self._is_changed[0]:
            self._is_changed[0] = any(known.get(folder) != listing for folder, listing in found.items())

    def done(self) -> Listings:
        """All shares, by this process."""
        return self._taken(iter(range(len(self._shares))), self._when_changed)

    def shared_out(self, meanwhile: Callable[[], object] | None) -> Listings:
        """All shares, by this process and another one."""
        import mmap  # noqa: PLC0415 - few repositories are large

        self._is_changed = mmap.mmap(-1, 1)  # type: ignore[assignment]  # one byte, too, and of both processes
        reading, writing = os.pipe()
        os.write(writing, bytes(range(len(self._shares))))
        os.close(writing)
        taken = (byte[0] for byte in iter(lambda: os.read(reading, 1), b""))
        known = self._known or {}

        def news() -> bytes:
            """What is known already is not handed over."""
            found = self._taken(taken, None)
            return packed({folder: b"" if known.get(folder) == each else each for folder, each in found.items()})

        helper = forked.begin(news)
        if meanwhile:
            meanwhile()
        found = self._taken(taken, self._when_changed)
        os.close(reading)
        said = helper.end()
        seen = unpacked(said) if said else self.done()
        return found | {folder: each or known[folder] for folder, each in seen.items()}

    def _taken(self, numbers: Iterator[int], when_changed: Callable[[], None] | None) -> Listings:
        found: Listings = {}
        for number in numbers:
            share: Listings = {}
            for folder in self._shares[number]:
                scan(self._root, folder, share)
            found |= share
            self.compare(share)
            if self._is_changed[0] and when_changed:
                when_changed()
                when_changed = None
        return found


def _packed(status: os.stat_result) -> bytes:
    return FACTS.pack(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino & _INT64)
