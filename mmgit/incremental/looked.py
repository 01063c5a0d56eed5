"""What two looks do not say alike, a second look at a few files, and what no look goes into."""

import os
from collections.abc import Collection, Iterator

from mmgit import looking
from mmgit.looking import ENVIRONMENTS, MODELS, OF_MODELS, UNSEEN, Listings, by_name

_LINKS = 2
"""Of a folder without folders: its name and `.`."""


def look_again(root: str, listings: Listings, paths: Collection[str]) -> Listings:
    """What `look` gives if only the files at `paths` have changed since it gave `listings`."""
    folders = {path.rpartition("/")[0] for path in paths}
    new = {above for folder in folders for above in _new_above(folder, listings)}
    if not all(folder.startswith(f"{ENVIRONMENTS}/") and UNSEEN not in folder.split("/") for folder in new):
        return looking.look(root)
    found = look_at(root, listings, folders)
    for folder in new:
        looking.scan(root, folder, found, is_deep=False)
    return {**listings, **found} if folders | new == found.keys() else looking.look(root)


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
            looking.scan(root, folder, found, is_deep=False)
        else:
            found[folder] = looking.facts_of(root, ["mmgit.yaml"])
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
    for model in _folders_in(root, MODELS):
        looked_into = [name for name in OF_MODELS if f"{model}/{name}" in listings]
        if not looked_into or os.lstat(f"{root}/{model}").st_nlink != _LINKS + len(looked_into):
            found += [below for below in _folders_in(root, model) if _is_unlooked(below)]
    return found


def unlooked_above(path: str) -> str | None:
    """The folder of a model that a path lies in and that no look goes into."""
    folder = "/".join(path.split("/")[: len(OF_MODELS) + 1])
    return folder if folder != path and path.startswith(f"{MODELS}/") and _is_unlooked(folder) else None


def _is_unlooked(folder: str) -> bool:
    return folder.rpartition("/")[2] not in (*OF_MODELS, UNSEEN)


def _folders_in(root: str, folder: str) -> list[str]:
    try:
        with os.scandir(f"{root}/{folder}") as entries:
            return [f"{folder}/{entry.name}" for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
