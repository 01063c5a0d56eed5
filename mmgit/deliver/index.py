"""Renews entries of git's index under git's own lock: what a commit changed follows it, everything else stays.

The lock is the file that git itself makes, with a line in it by which mmgit knows its own after a crash. A lock of
anybody else is reported, never removed. No file of the work tree is read.
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mmgit.deliver.git import Repository, in_use
from mmgit.deliver.history import Entry
from mmgit.deliver.objects import Change, parse_raw
from mmgit.errors import GitError
from mmgit.frozen import dataclass

WAIT_SECONDS = 3.0
"""How long a lock of somebody else is waited for: editors ask git for its status all the time."""

_POLL_SECONDS = 0.05
_LONGEST_NAME = 0xFFF
_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Index:
    """The index while its lock is held."""

    repository: Repository

    @property
    def prepared(self) -> Path:
        """Where `prepare` puts the new index."""
        return Path(f"{self.repository.index}.mmgit")

    def staged(self, commit: str) -> dict[str, Change]:
        """How the index differs from a commit, by path from the top."""
        output = self.repository.git("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", commit)
        return dict(parse_raw(output))

    def holds(self, entries: Mapping[str, Entry]) -> bool:
        """Whether the index plainly has these files as they are given; where it does not, `staged` knows what is so.

        Looks for the bytes of each entry, which git keeps one after the other. Source: gitformat-index(5).
        """
        data = self.repository.index.read_bytes() if self.repository.index.exists() else b""
        return all(_is_in(data, path, entry) for path, entry in entries.items())

    def prepare(self, entries: Mapping[str, Entry | None]) -> None:
        """Write a new index beside the old one, with these entries renewed (None: removed).

        It keeps the time of the old one, by which git knows whose content to compare in spite of an equal time. While
        git writes it, its time is later than any file's: git would compare right then, and run filters for that.
        """
        for left in (self.prepared, Path(f"{self.prepared}.lock")):
            left.unlink(missing_ok=True)
        nothing = Entry("0", "0" * len(self.repository.head or ""))
        lines = (f"{entry.mode} {entry.id}\t{path}\0" for path, e in entries.items() for entry in [e or nothing])
        stdin = "".join(lines).encode(errors="surrogateescape")
        with self._keeping_its_time():
            self.repository.git("update-index", "-z", "--index-info", stdin=stdin, index=self.prepared)

    @contextmanager
    def _keeping_its_time(self) -> Iterator[None]:
        index = self.repository.index
        if not index.exists():
            yield
            return
        status = index.stat()
        shutil.copyfile(index, self.prepared)
        os.utime(self.prepared, (status.st_atime, time.time() + _YEAR_SECONDS))
        yield
        os.utime(self.prepared, ns=(status.st_atime_ns, status.st_mtime_ns))

    def replace(self) -> None:
        """Put the prepared index in place of the old one."""
        self.prepared.replace(self.repository.index)


def _is_in(data: bytes, path: str, entry: Entry) -> bool:
    """Whether an index of version 2 or 3 has an entry: mode, three numbers, id, flags (no stage, nothing else), name.

    Version 4 has names in another form, and a split index entries in another file: there nothing is found.
    """
    name = path.encode(errors="surrogateescape")
    start = data.find(bytes.fromhex(entry.id) + min(len(name), _LONGEST_NAME).to_bytes(2, "big") + name + b"\0")
    return start > 0 and data[start - 16 : start - 12] == int(entry.mode, 8).to_bytes(4, "big")


@contextmanager
def locked(repository: Repository, owner: str) -> Iterator[Index]:
    """Hold the index's lock. `owner` is how this root knows a lock of its own, one that a crash left included.

    Raises `GitError` with the path and age of a lock that somebody else holds on to.
    """
    remove_stale(repository, owner)
    deadline = time.monotonic() + WAIT_SECONDS
    while not _is_taken(repository, owner):
        if time.monotonic() > deadline:
            raise in_use(_lock(repository))
        time.sleep(_POLL_SECONDS)
    try:
        yield Index(repository)
    finally:
        remove_stale(repository, owner)


def remove_stale(repository: Repository, owner: str) -> None:
    """Remove a lock that this root's writer holds or left, and what it made. Only its single writer may call this."""
    lock, prepared = _lock(repository), Index(repository).prepared
    _whole(repository, owner).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        if lock.read_bytes() == _marker(owner):
            for left in (Path(f"{prepared}.lock"), prepared, lock):
                left.unlink(missing_ok=True)


def _is_taken(repository: Repository, owner: str) -> bool:
    """Make the lock with the marker in it, in one step; False if it exists."""
    whole = _whole(repository, owner)
    try:
        whole.write_bytes(_marker(owner))
        os.link(whole, _lock(repository))
    except FileExistsError:
        return False
    except OSError as error:
        raise GitError(f"git's index cannot be locked: {error}") from error
    finally:
        whole.unlink(missing_ok=True)
    return True


def _marker(owner: str) -> bytes:
    return f"mmgit {owner}\n".encode()


def _lock(repository: Repository) -> Path:
    return Path(f"{repository.index}.lock")


def _whole(repository: Repository, owner: str) -> Path:
    """Where the lock is written before it is put in place."""
    return Path(f"{repository.index}.mmgit-{owner}")
