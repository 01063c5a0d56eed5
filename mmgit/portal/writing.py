"""Puts a site into a folder: writes what differs, removes what an older one left, and touches nothing else."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from mmgit.deliver.journal import by_folder
from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.repository.files import MAX_BYTES, Root
from mmgit.repository.folder import Folder

MARKER = ".mmgit-portal"
_GIT = ".git"
"""A work tree for the site alone, as for a branch of pages, is empty."""
_NEW = ".mmgit-portal-new"
_HEAD = "files of `mmgit portal`, which writes and removes them\n"
_HINT = "--output names a new folder, or one with an older portal"


@dataclass(frozen=True)
class Written:
    """How many files were written, and how many removed."""

    written: int
    removed: int


def write(folder: Path, site: Mapping[str, bytes]) -> Written:
    """Make the files that are ours in `folder` exactly `site`. A crash leaves a portal that the next run completes.

    Raises:
        UsageError: the folder has something else in it, or at a path of the site.
    """
    if folder.is_symlink():
        raise UsageError(f"{folder} is a symbolic link", _HINT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", _HINT) from error
    root = Root(folder)
    own = _own(root)
    for path in sorted(site.keys() - own):
        if root.kind(path) is not None:
            raise UsageError(f"{folder / path} is there, and not ours", _HINT)
    _mark(root, own | site.keys())
    written = sum(_write_folder(root, path, site) for path in by_folder(site))
    for path in sorted(own - site.keys()):
        root.remove(path)
    _mark(root, site.keys())
    return Written(written, len(own - site.keys()))


def _own(root: Root) -> AbstractSet[str]:
    """The paths that an older portal has here. Raises `UsageError` if somebody else has any, and no portal is here."""
    marker = root.read_if_there(MARKER)
    if marker is not None:
        return {*marker.decode(errors="replace").split("\n")[1:-1]}
    there = [name for name in (*root.files(""), *root.folders("")) if name != _GIT]
    if there:
        raise UsageError(f"{root.path} is not empty, and no portal: {there[0]}", _HINT)
    return set()


def _mark(root: Root, paths: Collection[str]) -> None:
    with root.make("") as folder:
        _put(folder, MARKER, f"{_HEAD}{''.join(f'{path}{chr(10)}' for path in sorted(paths))}".encode())


def _write_folder(root: Root, names: tuple[str, Collection[str]], site: Mapping[str, bytes]) -> int:
    """Write the files of one folder that differ; how many there were."""
    path, differing = names[0], 0
    with root.make(path) as folder:
        for name in names[1]:
            data = site[f"{path}/{name}" if path else name]
            if folder.read(name, MAX_BYTES) != data:
                _put(folder, name, data)
                differing += 1
    return differing


def _put(folder: Folder, name: str, data: bytes) -> None:
    folder.remove(_NEW)
    folder.create(_NEW, data, is_durable=False)
    folder.take(name, folder, _NEW)
