"""Lines of the log in, the body of OTLP's request for logs out; so many wait at most, the rest is counted.

Source: opentelemetry-proto v1.7, collector/logs/v1, logs/v1. What stands in a line beside time, level and message
becomes an attribute.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mmgit.serving.front.otlp.protobuf import attributes, data, fixed64, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmgit.serving.front.otlp.messages import Source

_WAITING_BYTES_MAX = 4 * 1024 * 1024
_SEVERITIES = {"debug": 5, "info": 9, "warning": 13, "error": 17}
_OWN = ("time", "level", "event", "message", "trace_id")


class Lines:
    """What waits: the loop puts batches in, the exporter's thread takes them out and says what became of them."""

    def __init__(self) -> None:
        self.dropped = {"queue": 0, "receiver": 0}
        self._batches: deque[list[bytes]] = deque()
        self._taken_bytes = self._done_bytes = 0

    def put(self, lines: list[bytes]) -> None:
        """Let lines wait, if there is room."""
        size = sum(map(len, lines))
        if self._taken_bytes - self._done_bytes + size > _WAITING_BYTES_MAX:
            self.dropped["queue"] += len(lines)
        else:
            self._taken_bytes += size
            self._batches.append(lines)

    @property
    def waits(self) -> bool:
        """Whether any batch waits."""
        return bool(self._batches)

    def take(self) -> list[bytes]:
        """The oldest batch; nothing if none waits."""
        return self._batches.popleft() if self._batches else []

    def done(self, lines: list[bytes], *, is_taken: bool) -> None:
        """A batch is at the receiver, or lost."""
        self._done_bytes += sum(map(len, lines))
        self.dropped["receiver"] += 0 if is_taken else len(lines)


def logs_message(source: Source, lines: Iterable[bytes], name: str) -> bytes:
    """ExportLogsServiceRequest. `name` is one that no other batch has: a record that came twice is known by its id."""
    return source.message(
        2,
        *(
            _record_or_text(line) + attributes(6, [("log.record.uid", f"{name}-{number}")])
            for number, line in enumerate(lines)
        ),
    )


def _record_or_text(line: bytes) -> bytes:
    """A line that cannot be taken apart is the body of its record: none may end the thread that sends."""
    try:
        return _record(line)
    except Exception:  # noqa: BLE001 - as above
        return data(5, text(1, line.decode("utf-8", "replace")))


def _record(line: bytes) -> bytes:
    said: dict[str, Any] = json.loads(line)
    level, event, trace_id = said["level"], said["event"], said.get("trace_id", "")
    given = [(name, value) for name, value in said.items() if name not in _OWN]
    return b"".join(
        (
            fixed64(1, int(datetime.fromisoformat(f"{said['time'][:-1]}+00:00").timestamp() * 1000) * 1_000_000),
            number(2, _SEVERITIES.get(level, 0)),
            text(3, level),
            data(5, text(1, str(said.get("message", event)))),
            attributes(6, [(name, value if _is_plain(value) else json.dumps(value)) for name, value in given]),
            data(9, bytes.fromhex(trace_id)) if trace_id else b"",
            text(12, event),
        )
    )


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, (str, float, int)) and not isinstance(value, bool)
