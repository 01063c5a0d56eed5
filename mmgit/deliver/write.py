"""Puts what was rendered into the folders that mmgit owns whole: equal files stay untouched, others come and go.

A tree of path -> bytes comes in. A file that somebody edited, or that mmgit never wrote, is never lost: it is reported
until it is named in `overwrite`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

from mmgit.deliver import journal, worktree
from mmgit.deliver.journal import Journal
from mmgit.deliver.writer import Writer
from mmgit.errors import Place, Problem, ProblemsFound
from mmgit.frozen import dataclass
from mmgit.plural import counted
from mmgit.repository.files import Root
from mmgit.repository.header import header_state

EDITED, FOREIGN = "M901", "M902"

State = Literal["missing", "stale", "extra", "edited", "foreign"]


@dataclass(frozen=True)
class Difference:
    """One file of an owned folder that is not what was rendered, and how."""

    path: str
    state: State

    @property
    def is_by_hand(self) -> bool:
        """Whether it is somebody's work, which is only discarded when it is named."""
        return self.state in ("edited", "foreign")


@dataclass(frozen=True)
class Written:
    """What writing changed, sorted; `kept` are files that somebody else changed at the same moment."""

    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]

    def among(self, files: int) -> str:
        """What was written, in words; `files` are all that there are."""
        return f"{counted(len(self.changed), 'file')} written, {len(self.removed):,} removed, {files:,} in all"


def write_tree(
    writer: Writer, tree: Mapping[str, bytes], owned_folders: Iterable[str], overwrite: Collection[str] = ()
) -> Written:
    """Make the owned folders hold exactly `tree`.

    Raises `ProblemsFound` for every edited or foreign file that is not in `overwrite` (files, or folders of them).
    """
    return apply_changes(writer, changes_for(writer.root, tree, owned_folders, overwrite))


def apply_changes(writer: Writer, changes: Mapping[str, bytes | None]) -> Written:
    """Make files what `changes` says (None: gone), all or none of them, whatever crashes."""
    return carry_out(writer, journal.record(writer.root, changes))


def carry_out(writer: Writer, recorded: Journal) -> Written:
    """Do what is recorded."""
    kept = worktree.finish(writer.root, recorded) if recorded.entries else ()
    return written({entry.path: entry.new for entry in recorded.entries if entry.path not in kept}, kept)


def written(changes: Mapping[str, object], kept: tuple[str, ...] = ()) -> Written:
    """Changes that were made (None: gone)."""
    removed = tuple(path for path, new in changes.items() if new is None)
    return Written(tuple(path for path in changes if path not in removed), removed, kept)


def changes_for(
    root: Root, tree: Mapping[str, bytes], owned_folders: Iterable[str], overwrite: Collection[str] = ()
) -> dict[str, bytes | None]:
    """What has to change for the owned folders to hold exactly `tree`. Raises as `write_tree` does; writes nothing."""
    found = differences(root, tree, owned_folders)
    refused = [item for item in found if item.is_by_hand and not _is_named(item.path, overwrite)]
    if refused:
        raise ProblemsFound(tuple(_problem(item) for item in refused))
    return {item.path: tree.get(item.path) for item in found}


def differences(root: Root, tree: Mapping[str, bytes], owned_folders: Iterable[str]) -> tuple[Difference, ...]:
    """How the owned folders differ from `tree`, by path. A pure read."""
    found = dict(_differences(root, tree, owned_folders))
    return tuple(Difference(path, found[path]) for path in sorted(found))


def _differences(root: Root, tree: Mapping[str, bytes], owned_folders: Iterable[str]) -> Iterator[tuple[str, State]]:
    missing = set(tree)
    for owned in owned_folders:
        for folder in _folders(root, owned):
            for name, data in root.read_folder(folder).items():
                path = f"{folder}/{name}"
                missing.discard(path)
                if data != (wanted := tree.get(path)):
                    state = header_state(data)
                    yield path, state if state != "ours" else "extra" if wanted is None else "stale"
    for path in missing:
        yield path, "missing"


def _folders(root: Root, folder: str) -> Iterator[str]:
    yield folder
    for name in root.folders(folder):
        yield from _folders(root, f"{folder}/{name}")


def _is_named(path: str, overwrite: Collection[str]) -> bool:
    return any(is_within(path, named) for named in overwrite)


def is_within(path: str, named: str) -> bool:
    """Whether a path is what is named, or lies in that folder."""
    return path == named or f"{path}/".startswith(f"{named.rstrip('/')}/")


def _problem(item: Difference) -> Problem:
    command, lasting = f"mmgit compile --overwrite {item.path}", "a lasting change is one of `patches:` of the service"
    if item.state == "edited":
        hint = f"{command}   discards the edit; {lasting}"
        return Problem(EDITED, Place(item.path), "this rendered file was edited by hand", hint)
    hint = f"{command}   removes what is there, so move it elsewhere first; {lasting}"
    return Problem(FOREIGN, Place(item.path), "mmgit did not write this file, but its folder is mmgit's alone", hint)
