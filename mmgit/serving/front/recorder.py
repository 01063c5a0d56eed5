"""Answered requests in, records in the spool out, by a thread: nothing here blocks or fails a prediction.

Only `telemetry` of the settings starts it. What does not fit into a bounded buffer is dropped, each drop is counted.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Union

from msgspec import UNSET

from mmgit.serving.front.metrics import Family, Histogram, Labels, single
from mmgit.serving.front.records import Answered, Record, body_of, encoded
from mmgit.serving.front.uploads import families_of_uploads
from mmgit.serving.spool.spool import Spool

if TYPE_CHECKING:
    from mmgit.serving.front.exchange import Exchange
    from mmgit.serving.front.log import Log
    from mmgit.serving.settings import Recording, Settings

PENDING_BYTES_MAX = 8 * 1024 * 1024
_RECORD_BYTES = 500
_SYNC_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_SWITCH_SECONDS = 0.0005
"""How long the loop waits for the thread when that reads bodies; ten times longer, by default, for each turn."""
_OK = 200
_NO_KEY = 401
_ROUTES = frozenset(("score", "infer"))

Item = Union[Answered, bytes]


class Recorder:
    """The telemetry of one service. `flush` hands over what was gathered since the last call."""

    def __init__(self, settings: Settings, recording: Recording, log: Log) -> None:
        self._folder = Path(settings.spool_folder.replace("{host}", socket.gethostname()))
        self.spool = Spool(self._folder, recording.spool_bytes)
        self._seal_seconds = recording.seal_seconds
        self._dropped = {"buffer": 0, "scorer": 0}
        self._keeps_outputs = recording.outputs
        self._redact = frozenset(recording.redact)
        if self._redact:
            sys.setswitchinterval(_SWITCH_SECONDS)
        self._said = settings.service, settings.environment, settings.manifest, settings.models
        self._log = log
        self._gathered: list[Item] = []
        self._taken_bytes = 0
        self._written_bytes = 0
        self._batches: SimpleQueue[tuple[list[Item], int]] = SimpleQueue()
        self._gathered_bytes = 0
        self._retry_at = 0.0
        self._synced_at = 0.0
        self._trouble = ""
        self._is_trouble_told = False
        self._thread = threading.Thread(target=self._write_batches, name="recorder", daemon=True)
        self._thread.start()

    def families(self) -> list[Family]:
        """What is lost and what is taken."""
        lost: list[tuple[Labels, float | Histogram]] = [
            ((("reason", reason),), count) for reason, count in sorted(self.dropped.items())
        ]
        name = "mmgit_telemetry_dropped_records_total"
        return [
            Family(name, "counter", "Records of telemetry that were lost, by reason.", lost),
            single("mmgit_telemetry_pending_bytes", "Bytes of telemetry that wait for the disk.", self.pending_bytes),
            single("mmgit_telemetry_spool_bytes", "Bytes that the spool of telemetry takes.", self.spool.size_bytes),
            *families_of_uploads(self._folder),
        ]

    @property
    def dropped(self) -> dict[str, int]:
        """Records that were lost, by reason."""
        return {**self._dropped, **self.spool.dropped}

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the disk."""
        return self._taken_bytes - self._written_bytes

    def answered(self, exchange: Exchange, route: str, seconds: float) -> None:
        """Record one answer to a request that may score."""
        if route not in _ROUTES or exchange.status == _NO_KEY:
            return
        waited, response = exchange.queue_seconds, exchange.response
        inputs = outputs = None
        if exchange.kept_body is not None:
            inputs = body_of(exchange.kept_body, exchange.form)
        if self._keeps_outputs and exchange.status == _OK and response is not None:
            outputs = body_of(response[len(response) - exchange.response_bytes :], exchange.form)
        size = _RECORD_BYTES + (len(inputs.data) if inputs else 0) + (len(outputs.data) if outputs else 0)
        if not self._has_room(size):
            self._dropped["buffer"] += 1
            return
        record = Record(
            "request",
            "",
            *self._said,
            exchange.request_id,
            route,
            exchange.status,
            round(seconds, 6),
            exchange.body_bytes,
            exchange.response_bytes,
            exchange.key_name,
            exchange.correlation_id,
            exchange.trace_id,
            UNSET if waited is None else round(waited, 6),
        )
        self._gathered.append(Answered(record, time.time(), inputs, outputs))

    def collected(self, records: bytes, lost: int) -> None:
        """Record what a scorer was given by `collect()`, a record a line; it says how many it could not keep."""
        self._dropped["scorer"] += lost
        if not records:
            return
        if self._has_room(len(records)):
            self._gathered += records.split(b"\n")
        else:
            self._dropped["buffer"] += records.count(b"\n") + 1

    def flush(self) -> None:
        """Give what was gathered to the thread; say what is wrong with the disk, once."""
        if not self._trouble:
            self._is_trouble_told = False
        elif not self._is_trouble_told:
            self._is_trouble_told = True
            self._log.line("error", "spool_failed", message=f"records are dropped: {self._trouble}")
        if self._gathered:
            self._batches.put((self._gathered, self._gathered_bytes))
            self._gathered, self._gathered_bytes = [], 0

    def finish(self) -> None:
        """Write what is left and complete the last segment."""
        self.flush()
        self._batches.put(([], 0))

    @property
    def is_finished(self) -> bool:
        """Whether that is done."""
        return not self._thread.is_alive()

    def _has_room(self, size: int) -> bool:
        if self.pending_bytes + size > PENDING_BYTES_MAX:
            return False
        self._taken_bytes += size
        self._gathered_bytes += size
        return True

    def _write_batches(self) -> None:
        """The thread; `_written_bytes` and the spool are its alone."""
        while True:
            try:
                batch, size = self._batches.get(timeout=self._seal_seconds / 10 or None)
            except Empty:
                self._seal_older()
                continue
            if not batch:
                break
            self._write([item if isinstance(item, bytes) else encoded(item, self._redact) for item in batch])
            self._written_bytes += size
            self._seal_older()
        with suppress(OSError):
            self.spool.close()

    def _write(self, records: list[bytes]) -> None:
        now = time.monotonic()
        if now < self._retry_at:
            self.spool.dropped["disk"] += len(records)
            return
        try:
            self.spool.open()
        except OSError as error:
            self.spool.dropped["disk"] += len(records)
            self._fail(error, now)
            return
        try:
            self.spool.append(records)
            if now - self._synced_at > _SYNC_SECONDS:
                self._synced_at = now
                self.spool.sync()
            self._trouble = ""
        except OSError as error:
            self._fail(error, now)

    def _seal_older(self) -> None:
        """Let go of records that are old enough to be uploaded."""
        if self._seal_seconds:
            try:
                self.spool.seal_older(self._seal_seconds)
            except OSError as error:
                self._fail(error, time.monotonic())

    def _fail(self, error: OSError, now: float) -> None:
        """Leave the disk alone for a while."""
        self._retry_at = now + _RETRY_SECONDS
        with suppress(OSError):
            self.spool.close()
        self._trouble = error.strerror or str(error)
