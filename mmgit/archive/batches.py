"""A spool as its uploader sees it: sealed segments are taken together, and are gone when they are in the store.

What is taken lies in `upload` of the spool, out of reach of the server, which drops the oldest of the rest. That folder
comes and goes by one rename: after any end of the uploader the next one uploads the same segments again, under the same
names, or none of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mmgit.serving.spool.segments import STATUS_FILE, Segment, segments_of
from mmgit.serving.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_IDENTITY_FILE = "id"
_ORIGIN = re.compile(r"[0-9a-f]{12}").fullmatch
_UNBOUNDED = 2**62


class _Status(msgspec.Struct):
    """What was uploaded and what was lost, and the name of the last batch that is counted."""

    uploaded_records: int = 0
    uploaded_objects: int = 0
    failed_uploads: int = 0
    unreadable_records: int = 0
    torn_records: int = 0
    last: str = ""


class Batch(NamedTuple):
    """Segments that are uploaded together; `name` is the same as long as they are, and nobody else's."""

    name: str
    origin: str
    files: tuple[Path, ...]


class Batches:
    """One spool. `totals` are kept in it: what was uploaded and what was lost, since it is there."""

    def __init__(self, spool: Path) -> None:
        self.spool = spool
        self._taken, self._done, self._new = (spool / name for name in ("upload", "upload.done", "upload.new"))
        self._last, self.totals = self._read_status()

    def take(self, bytes_max: int, *, seconds_min: float = 0.0) -> Batch | None:
        """What a predecessor left, else the oldest segments that wait.

        None is taken as long as fewer bytes wait and the oldest is younger. Raises OSError.
        """
        shutil.rmtree(self._done, ignore_errors=True)
        if self._new.exists() and not self._taken.exists():
            self._new.rename(self._taken)
        if not self._taken.exists() and not self._claim(bytes_max, seconds_min):
            return None
        files = tuple(segment.file for segment in segments_of(self._taken))
        if not files:
            self._taken.rename(self._done)
            return None
        stems = [file.name.rpartition("-")[0] for file in files]
        origin = self._origin()
        return Batch(f"{stems[0]}_{stems[-1]}_{origin}", origin, files)

    def finish(self, batch: Batch, **more: int) -> None:
        """The batch is in the store: count it once, and delete its segments. Raises OSError."""
        if self._last != batch.name:
            self._write_status(batch.name, more)
        self._taken.rename(self._done)
        shutil.rmtree(self._done, ignore_errors=True)

    def count(self, **more: int) -> None:
        """Add to the totals and write them down. Raises OSError."""
        self._write_status(self._last, more)

    @property
    def holds_any(self) -> bool:
        """Whether there are records that are not in the store."""
        return bool(segments_of(self.spool) or segments_of(self._taken) or segments_of(self._new))

    def take_over(self, *, removes: bool = False) -> bool:
        """Complete what a server left that has ended; False while it runs. Raises OSError.

        `removes`: an empty folder, before another server can have it.
        """
        if not self.spool.is_dir():
            return True
        spool = Spool(self.spool, _UNBOUNDED)
        try:
            spool.open()
        except BlockingIOError:
            return False
        try:
            if torn := spool.dropped["torn"]:
                self.count(torn_records=torn)
            if removes and not self.holds_any:
                shutil.rmtree(self.spool)
        finally:
            spool.close()
        return True

    def _claim(self, bytes_max: int, seconds_min: float) -> bool:
        """Move the oldest segments into `upload`. A server may drop or add some meanwhile."""
        sizes = [(segment, size) for segment in segments_of(self.spool) if (size := _size_of(segment)) is not None]
        oldest = next((int(segment.file.name[:20]) for segment, _ in sizes), time.time_ns())
        is_enough = sum(size for _, size in sizes) >= bytes_max
        if not sizes or not (is_enough or time.time_ns() - oldest >= seconds_min * 1e9):
            return False
        self._new.mkdir()
        taken_bytes = 0
        for segment, size in sizes:
            taken_bytes += size
            if taken_bytes > bytes_max and taken_bytes > size:
                break
            with contextlib.suppress(FileNotFoundError):
                segment.file.rename(self._new / segment.file.name)
        _sync(self._new)
        self._new.rename(self._taken)
        _sync(self.spool)
        return True

    def _origin(self) -> str:
        """What tells this spool from all others, also of other replicas."""
        file = self.spool / _IDENTITY_FILE
        with contextlib.suppress(FileNotFoundError, ValueError):
            if _ORIGIN(origin := file.read_text("ascii")):
                return origin
        origin = secrets.token_hex(6)
        _write(file, origin.encode())
        return origin

    def _write_status(self, last: str, more: Mapping[str, int]) -> None:
        totals = {name: number + more.get(name, 0) for name, number in self.totals.items()}
        _write(self.spool / STATUS_FILE, json.dumps({**totals, "last": last}).encode())
        self.totals, self._last = totals, last

    def _read_status(self) -> tuple[str, dict[str, int]]:
        try:
            known = msgspec.json.decode((self.spool / STATUS_FILE).read_bytes(), type=_Status)
        except (FileNotFoundError, ValueError, RecursionError):
            known = _Status()
        totals = msgspec.structs.asdict(known)
        return totals.pop("last"), totals


def _size_of(segment: Segment) -> int | None:
    """The bytes of a sealed segment; None for another one, and for one that was dropped."""
    try:
        return segment.file.stat().st_size if segment.is_sealed else None
    except FileNotFoundError:
        return None


def _write(file: Path, data: bytes) -> None:
    """Replace a file as a whole; what lies where the new one is made, also a link, is removed and not followed."""
    other = file.with_name(f"{file.name}.new")
    other.unlink(missing_ok=True)
    with other.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    other.rename(file)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
