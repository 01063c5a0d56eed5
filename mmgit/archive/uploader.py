"""Spools in, objects in a store out, for as long as the process is there: what is sealed is uploaded again and again.

A store that is away is asked less and less often, up to once a minute; what waits meanwhile is in the spool, which is
bounded. Of a batch one object at a time is in memory. Any end, also in the middle, leaves a spool that the next one
goes on with.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mmgit.archive.batches import Batches
from mmgit.archive.contents import Segments
from mmgit.archive.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mmgit.archive.batches import Batch
    from mmgit.archive.store import Store

_POLL_SECONDS = 1.0
_BACKOFF_SECONDS_MAX = 60.0
_LAST_SECONDS_MAX = 2.0
_ABANDONED_SECONDS = 60.0


@dataclass(frozen=True)
class Pace:
    """What waits is uploaded as soon as the oldest of it is so old, or as there is so much."""

    seconds: float = 300.0
    size_bytes: int = 64 * 1024 * 1024


class Uploader:
    """Uploads the spool in `folder`, and those in the folders of it, where each replica has one."""

    def __init__(self, folder: Path, store: Store, pace: Pace) -> None:
        self._folder = folder
        self._store = store
        self._pace = pace
        self._until: float | None = None
        self._spools: dict[Path, Batches] = {}

    def run(self) -> None:
        """Upload what comes, for ever."""
        while True:
            if not self._round(self._pace.seconds):
                time.sleep(_POLL_SECONDS)

    def finish(self, seconds: float) -> bool:
        """Upload all that is there, also of servers that are about to end; whether anything is left.

        Nothing is begun when `seconds` have passed.
        """
        self._until = time.monotonic() + seconds
        while time.monotonic() < self._until:
            running = [batches for batches in self._found() if not batches.take_over()]
            if not self._round(0.0):
                if not running:
                    break
                time.sleep(_POLL_SECONDS / 10)
        left = [str(batches.spool) for batches in self._found() if batches.holds_any]
        if left:
            _log("error", "left", message=f"not uploaded in time: {', '.join(left)}")
        return bool(left)

    def _round(self, seconds_min: float) -> bool:
        """Upload a batch of each spool that has one; whether there was any."""
        uploaded = False
        for batches in self._found():
            try:
                batch = batches.take(self._pace.size_bytes, seconds_min=seconds_min)
                uploaded |= batch is not None and self._upload(batches, batch)
            except OSError as error:
                _log("error", "spool_failed", message=str(error))
        return uploaded

    def _found(self) -> Iterator[Batches]:
        """All spools. One that a replica left is completed, and removed when it is empty."""
        if (self._folder / "lock").exists():
            yield self._known(self._folder)
        for folder in sorted(self._folder.glob("*/")):
            if not (folder / "lock").exists():
                continue
            batches = self._known(folder)
            if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
                batches.take_over(removes=True)
            if folder.exists():
                yield batches
            else:
                del self._spools[folder]

    def _known(self, folder: Path) -> Batches:
        if folder not in self._spools:
            self._spools[folder] = Batches(folder)
        return self._spools[folder]

    def _upload(self, batches: Batches, batch: Batch) -> bool:
        """Bring all objects of a batch into the store, then let go of it; whether that was done in time."""
        began = time.monotonic()
        segments = Segments(batch.files, batch.origin)
        found = segments.sort()
        records, unreadable = found.records, found.unreadable
        objects = size_bytes = 0
        for partition, places in found.partitions.items():
            try:
                data = segments.parquet(partition, places)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - one that nobody foresaw must not hold up all others for ever
                message = f"{type(error).__name__}: {error}"
                _log("error", "unreadable", message=message, partition=partition.path, records=len(places))
                records, unreadable = records - len(places), unreadable + len(places)
                continue
            if not self._put(batches, f"{partition.path}/{batch.name}.parquet", data):
                return False
            objects, size_bytes = objects + 1, size_bytes + len(data)
        batches.finish(batch, uploaded_records=records, uploaded_objects=objects, unreadable_records=unreadable)
        seconds = round(time.monotonic() - began, 3)
        _log("info", "uploaded", records=records, objects=objects, bytes=size_bytes, seconds=seconds)
        return True

    def _put(self, batches: Batches, path: str, data: bytes) -> bool:
        """Put an object, however long the store is away; False when the time of `finish` is over."""
        failures = 0
        while self._until is None or time.monotonic() < self._until:
            try:
                self._store.put(path, data)
            except StoreError as error:
                failures += 1
                batches.count(failed_uploads=1)
                _log("warning", "upload_failed", message=str(error), path=path, attempt=failures)
                time.sleep(
                    pause_seconds(failures, most=_BACKOFF_SECONDS_MAX if self._until is None else _LAST_SECONDS_MAX)
                )
            else:
                return True
        return False


def pause_seconds(failures: int, *, most: float) -> float:
    """How long to leave a store alone that failed so often; twice as long each time, and never the same for all."""
    return random.uniform(0.5, 1.0) * min(2.0 ** min(failures - 1, 10), most)  # noqa: S311 - no secret


def _log(level: str, event: str, **said: str | float) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(json.dumps({"time": now, "level": level, "event": event, **said}), flush=True)  # noqa: T201 - the log is on stdout
