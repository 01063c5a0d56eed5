"""Renews entries of git's index under git's own lock: what a commit changed follows it, everything else stays.

The lock is the file that git itself makes, with a line in it by which mmgit knows its own after a crash. A lock of
anybody else is reported, never removed. No file of the work tree is read.
"""

import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mmgit.deliver.git import Repository, in_use
from mmgit.deliver.history import Entry
from mmgit.deliver.objects import Change, parse_raw
from mmgit.deliver.patched import Renewal, patch, places_of
from mmgit.errors import GitError

WAIT_SECONDS = 3.0
"""How long a lock of somebody else is waited for: editors ask git for its status all the time."""

_POLL_SECONDS = 0.05
_YEAR_SECONDS = 365 * 24 * 3600


class Index:
    """The index while its lock is held."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._data: bytearray | None = None

    @property
    def prepared(self) -> Path:
        """Where `prepare` puts the new index."""
        return Path(f"{self.repository.index}.mmgit")

    def staged(self, commit: str) -> dict[str, Change]:
        """How the index differs from a commit, by path from the top."""
        output = self.repository.git("diff-index", "--cached", "-z", "--raw", "--no-renames", "--no-abbrev", commit)
        return dict(parse_raw(output))

    def holds(self, entries: Mapping[str, Entry]) -> bool:
        """Whether the index plainly has these files as they are given; where it does not, `staged` knows what is so."""
        return len(places_of(self._read(), entries)) == len(entries)

    def prepare(self, entries: Mapping[str, Entry | None], renewal: Renewal | None = None) -> None:
        """Write a new index beside the old one, with these entries renewed (None: removed).

        `renewal` says the same where only bytes of files change: then git, which takes long for a large index, mostly
        need not be asked. It keeps the time of the old one, by which git knows whose content to compare in spite of an
        equal time. While git writes it, its time is later than any file's: git would compare right then, and run
        filters for that.
        """
        for left in (self.prepared, Path(f"{self.prepared}.lock")):
            left.unlink(missing_ok=True)
        if renewal and not any(self.repository.index.parent.glob("sharedindex.*")):
            data, self._data = self._read(), None
            if patch(data, renewal):
                self._write(data, self.repository.index.stat().st_mtime_ns)
                return
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
        self._write(self._read(), time.time_ns() + _YEAR_SECONDS * 10**9, is_durable=False)
        yield
        os.utime(self.prepared, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _read(self) -> bytearray:
        """Its bytes, none if there is no index: megabytes, which are read once."""
        if self._data is None:
            index = self.repository.index
            self._data = bytearray(index.stat().st_size if index.exists() else 0)
            if self._data:
                with index.open("rb") as file:
                    file.readinto(self._data)
        return self._data

    def _write(self, data: bytearray, time_ns: int, *, is_durable: bool = True) -> None:
        mode = stat.S_IMODE(self.repository.index.stat().st_mode)
        with self.prepared.open("xb", buffering=0) as file:
            os.fchmod(file.fileno(), mode)
            view = memoryview(data)
            while view:
                view = view[file.write(view) or 0 :]
            os.utime(file.fileno(), ns=(time_ns, time_ns))
            if is_durable:
                os.fsync(file.fileno())

    def replace(self) -> None:
        """Put the prepared index in place of the old one."""
        self.prepared.replace(self.repository.index)


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
