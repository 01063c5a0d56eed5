"""What the scoring code collects beside its result in, records for the front and a line of the log out.

The one place that all of it passes. Records are made only where the service has `telemetry`, wait until the next answer
goes out, and are bounded; fields that are redacted are empty before anything leaves this process.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from .log import utc_text
from .redaction import redacted_rows
from .tables import cells_of, rows_of, table_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .log import RequestLog

WAITING_BYTES_MAX = 1024 * 1024
CELLS_MAX = 200_000
_TEXT_CHARACTERS_MAX = 200


class Collecting:
    """Counts what is collected, once there is a log, and keeps it, once it is told what to say with it."""

    def __init__(self) -> None:
        self.has_news = False
        self._log: RequestLog | None = None
        self._recording: Mapping[str, Any] | None = None
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._lost = 0

    def begin(self, log: RequestLog, recording: Mapping[str, Any] | None = None) -> None:
        """Lines go to `log` from here on; `recording` says what to redact, and what stands in every record."""
        self._log, self._recording = log, recording

    def collect(
        self,
        *,
        model: str,
        identifier: str,
        data: Any,  # noqa: ANN401 - a list, array or frame
        columns: Sequence[str] | None,
        correlation_id: str,
    ) -> None:
        """Say that rows were collected for the request under way, and keep them.

        Raises:
            TypeError: it is no list, array or frame, or holds what has no JSON form.
        """
        rows = rows_of(data)
        if self._log is None:
            return
        texts = {"model": model, "identifier": identifier, "correlation_id": correlation_id}
        said = {name: text[:_TEXT_CHARACTERS_MAX] for name, text in texts.items() if text}
        if self._recording is not None:
            self._keep({**self._log.ids, **said}, data, columns, self._recording)
        self._log.line("info", "collected", **said, rows=rows)

    def take(self) -> tuple[bytes, int]:
        """The records that wait, a line each, and how many more are lost."""
        with self._lock:
            taken = b"\n".join(self._waiting), self._lost
            self._waiting, self._waiting_bytes, self._lost, self.has_news = [], 0, 0, False
        return taken

    def forget(self) -> None:
        """Drop what waits: the same requests will be scored again."""
        self.take()

    def _keep(
        self,
        said: Mapping[str, Any],
        data: Any,  # noqa: ANN401 - as above
        columns: Sequence[str] | None,
        recording: Mapping[str, Any],
    ) -> None:
        record = b""
        try:
            if cells_of(data) <= CELLS_MAX:
                values = _shown(data, columns, recording["redact"])
                whole = {"kind": "collected", "time": utc_text(), **recording["said"], **said, **values}
                record = json.dumps(whole, separators=(",", ":")).encode("ascii")
        finally:
            self._wait(record)

    def _wait(self, record: bytes) -> None:
        """Let a record wait for the next answer; one that is empty, or too large for what may wait, is lost."""
        with self._lock:
            self.has_news = True
            if record and self._waiting_bytes + len(record) < WAITING_BYTES_MAX:
                self._waiting.append(record)
                self._waiting_bytes += len(record) + 1
            else:
                self._lost += 1


def _shown(data: Any, columns: Sequence[str] | None, names: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Columns and rows; no rows where something is redacted and nobody says which column is which."""
    table = table_of(data, columns)
    if not names:
        return {"columns": table.columns, "rows": table.rows}
    if table.rows and not table.columns:
        return {"columns": [], "rows": [], "rows_omitted": "fields are redacted"}
    return {"columns": table.columns, "rows": redacted_rows(table.columns, table.rows, names)}


collecting = Collecting()
"""Of this process: the scoring code reaches it through `mmgit.sdk`, which knows this module's name."""
