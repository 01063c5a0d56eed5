"""Records in, segments in a folder out: never more than so many bytes, the oldest dropped first, every drop counted.

One writer a folder, by a lock that ends with its process. Nothing here is buffered: what `append` took is the kernel's,
and outlives the process; `sync` makes it outlive the machine.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from mmgit.serving.spool.segments import (
    FRAME,
    HEAD,
    RECORD_BYTES_MAX,
    Segment,
    frame_of,
    name_of,
    scan,
    sealed_name,
    segments_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SEGMENT_BYTES_MAX = 8 * 1024 * 1024
_SEGMENTS_MIN = 8


class Spool:
    """A folder of segments, for one thread; others may read `dropped` (reason -> records) and `size_bytes`."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self.dropped = {"disk": 0, "evicted": 0, "size": 0, "torn": 0}
        self.size_bytes = 0
        self._folder = folder
        self._bytes_max = bytes_max
        self._segment_bytes_max = min(_SEGMENT_BYTES_MAX, bytes_max // _SEGMENTS_MIN)
        self._record_bytes_max = min(RECORD_BYTES_MAX, self._segment_bytes_max - len(HEAD) - FRAME.size)
        self._sealed: deque[tuple[Segment, int]] = deque()
        self._lock: int | None = None
        self._file: Path | None = None
        self._fd = -1
        self._records = 0
        self._bytes = 0
        self._began = 0.0
        self._numbers = itertools.count()

    def open(self) -> None:
        """Take the folder, and complete what an earlier writer left. Raises OSError, also if somebody has it."""
        if self._lock is None:
            try:
                self._lock = self._locked()
            except FileNotFoundError:  # whoever removes empty folders came between
                self._lock = self._locked()

    def append(self, records: Sequence[bytes]) -> None:
        """Write records; those that cannot be written are dropped and counted. Raises OSError: why."""
        fitting = [record for record in records if 0 < len(record) <= self._record_bytes_max]
        self.dropped["size"] += len(records) - len(fitting)
        at = 0
        try:
            while at < len(fitting):
                frames = self._next_frames(fitting, at)
                self._write(b"".join(frames), len(frames))
                at += len(frames)
        except OSError:
            self.dropped["disk"] += len(fitting) - at
            raise

    def sync(self) -> None:
        """Bring what was written to the disk itself. Raises OSError."""
        if self._file is not None:
            os.fsync(self._fd)

    def seal_older(self, seconds: float) -> None:
        """Complete the last segment if its first record was written so long ago. Raises OSError."""
        if self._file is not None and time.monotonic() - self._began >= seconds:
            self._seal()

    def close(self) -> None:
        """Complete the last segment and give the folder free. Raises OSError."""
        try:
            self._seal()
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _locked(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "lock"
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(lock), file.stat()):
                raise FileNotFoundError(errno.ENOENT, "it was removed", str(file))
            self._recover()
        except OSError:
            os.close(lock)
            raise
        return lock

    def _recover(self) -> None:
        self._sealed.clear()
        self.size_bytes = 0
        for segment in segments_of(self._folder):
            self._take_over(segment)
        self._make_room(0)

    def _take_over(self, segment: Segment) -> None:
        if not segment.is_sealed:
            found = scan(segment.file)
            self.dropped["torn"] += found.torn_bytes > 0
            if not found.records:
                segment.file.unlink()
                return
            os.truncate(segment.file, found.whole_bytes)
            sealed = segment.file.with_name(sealed_name(segment.file.name, len(found.records)))
            segment.file.rename(sealed)
            segment = Segment(sealed, len(found.records), is_sealed=True)
        self._sealed.append((segment, segment.file.stat().st_size))
        self.size_bytes += self._sealed[-1][1]

    def _next_frames(self, records: Sequence[bytes], at: int) -> list[bytes]:
        """The frames of the next records that go into one segment with one write; of one record at least."""
        frames = [frame_of(records[at])]
        size = self._bytes + len(frames[0])
        for record in itertools.islice(records, at + 1, None):
            frame = frame_of(record)
            size += len(frame)
            if size > self._segment_bytes_max:
                break
            frames.append(frame)
        return frames

    def _write(self, frames: bytes, count: int) -> None:
        if self._file is not None and self._bytes + len(frames) > self._segment_bytes_max:
            self._seal()
        self._make_room(len(frames) + len(HEAD))
        if self._file is None:
            self._begin()
        _write_all(self._fd, frames, self._bytes)
        self._bytes += len(frames)
        self.size_bytes += len(frames)
        self._records += count

    def _begin(self) -> None:
        file = self._folder / name_of(time.time_ns(), next(self._numbers))
        self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._file, self._bytes, self._records, self._began = file, 0, 0, time.monotonic()
        _write_all(self._fd, HEAD, 0)
        self._bytes = len(HEAD)
        self.size_bytes += len(HEAD)

    def _seal(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        self._forget_taken()
        sealed = file.with_name(sealed_name(file.name, self._records))
        self._sealed.append((Segment(sealed, self._records, is_sealed=True), self._bytes))
        self._bytes = 0
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
            file.rename(sealed)

    def _forget_taken(self) -> None:
        """Whoever reads a spool away takes the oldest segments."""
        while self._sealed and not self._sealed[0][0].file.exists():
            self.size_bytes -= self._sealed.popleft()[1]

    def _make_room(self, size: int) -> None:
        """Drop the oldest segments until `size` bytes more are within the bound."""
        while self.size_bytes + size > self._bytes_max and self._sealed:
            segment, size_bytes = self._sealed.popleft()
            self.size_bytes -= size_bytes
            with suppress(FileNotFoundError):  # it was taken
                segment.file.unlink()
                self.dropped["evicted"] += segment.records


def _write_all(fd: int, data: bytes, at: int) -> None:
    """Write at a place. On failure the file ends there, as before. Raises OSError."""
    written = 0
    try:
        while written < len(data):
            written += os.pwrite(fd, data[written:], at + written)
    except OSError:
        with suppress(OSError):
            os.ftruncate(fd, at)
        raise
