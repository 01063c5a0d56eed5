"""Answered requests in, spans, metrics and, where they are asked for, lines of the log at an OTLP receiver out, by a
thread: a receiver that is slow, wrong or away costs spans and lines, which are counted, and never a prediction.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

from mmgit import __version__
from mmgit.serving.front.metrics import Family, Histogram, Labels, single
from mmgit.serving.front.otlp.lines import Lines, logs_message
from mmgit.serving.front.otlp.messages import Source, Span, metrics_message, trace_message
from mmgit.serving.front.otlp.sender import Outcome, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mmgit.serving.front.exchange import Exchange
    from mmgit.serving.front.log import Log
    from mmgit.serving.settings import Settings

SPANS_MAX = 4096
_BATCH_SPANS = 512
_METRICS_SECONDS = 15.0
_SPANS_SECONDS = 1.0
_PATH_BYTES_MAX = 200
_RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 0.0)


class Exporter:
    """The traces, metrics and logs of one service."""

    def __init__(
        self, settings: Settings, variables: Mapping[str, str], log: Log, shown: Callable[[], list[Family]]
    ) -> None:
        self._log = log
        self._shown = shown
        self._source = Source(_resource(settings), __version__)
        self._sender = Sender(settings.otlp, variables, f"mmgit/{__version__}")
        self._since = time.time_ns()
        self._gathered: list[Span] = []
        self._flushed_at = self._measured_at = 0.0
        self._taken, self._done = 0, 0
        self._dropped = {"queue": 0, "receiver": 0}
        self._failed_exports = 0
        self._trouble, self._told = "", ""
        self._work: SimpleQueue[list[Span] | None] = SimpleQueue()
        self._metrics: deque[bytes] = deque(maxlen=1)
        self._lines = Lines()
        if settings.otlp_logs:
            log.on_lines = self._lines.put
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="otlp", daemon=True)
        self._thread.start()

    def answered(self, exchange: Exchange, route: str, seconds: float) -> None:
        """Trace one answer, unless the caller traces it and does not sample it."""
        parent = exchange.headers[b"traceparent"] if exchange.trace_id else b""
        if parent and not int(parent[-2:], 16) & 1:
            return
        if self._taken - self._done >= SPANS_MAX:
            self._dropped["queue"] += 1
            return
        self._taken += 1
        self._gathered.append(
            Span(
                parent,
                route,
                exchange.method.decode("latin-1"),
                exchange.path[:_PATH_BYTES_MAX].decode("latin-1"),
                exchange.status,
                seconds,
                exchange.queue_seconds,
                time.time(),
                exchange.request_id,
                exchange.correlation_id,
            )
        )

    def families(self) -> list[Family]:
        """What was lost on the way."""
        lost: list[tuple[Labels, float | Histogram]] = [
            ((("reason", reason),), count) for reason, count in sorted(self._dropped.items())
        ]
        lines: list[tuple[Labels, float | Histogram]] = [
            ((("reason", reason),), count) for reason, count in sorted(self._lines.dropped.items())
        ]
        return [
            Family("mmgit_otlp_dropped_spans_total", "counter", "Spans that were lost, by reason.", lost),
            Family("mmgit_otlp_dropped_log_lines_total", "counter", "Lines that were lost, by reason.", lines),
            single("mmgit_otlp_failed_exports_total", "Requests to the receiver that failed.", self._failed_exports),
        ]

    def flush(self) -> None:
        """Called several times a second: hand over spans once a second, metrics every fifteen."""
        now = time.monotonic()
        if now - self._flushed_at >= _SPANS_SECONDS:
            self._flushed_at = now
            self._hand_over_spans()
        if now - self._measured_at >= _METRICS_SECONDS:
            self._measured_at = now
            self._hand_over_metrics()
        if self._trouble != self._told:
            self._told = self._trouble
            if self._told:
                self._log.line("warning", "otlp_failed", message=f"{self._told}; spans are dropped")

    def finish(self) -> None:
        """Send what is left, each once."""
        self._log.flush()
        self._hand_over_spans()
        self._hand_over_metrics()
        self._is_over.set()
        self._work.put(None)

    @property
    def is_finished(self) -> bool:
        """Whether that is done."""
        return not self._thread.is_alive()

    def _hand_over_spans(self) -> None:
        gathered, self._gathered = self._gathered, []
        if self._lines.waits and not gathered:
            self._work.put([])
        for at in range(0, len(gathered), _BATCH_SPANS):
            self._work.put(gathered[at : at + _BATCH_SPANS])

    def _hand_over_metrics(self) -> None:
        """Made on the loop, where nothing changes meanwhile; the newest take the place of those that still wait."""
        self._metrics.append(metrics_message(self._source, self._shown(), self._since, time.time_ns()))
        self._work.put([])

    def _send_all(self) -> None:
        """The thread; `_done`, what is lost at the receiver, and what is wrong with it are its alone."""
        spans: list[Span] | None = []
        while spans is not None:
            spans = self._work.get()
            if self._metrics:
                self._note(self._sender.send("/v1/metrics", self._metrics.popleft()))
            if spans:
                self._send_spans(spans)
            while lines := self._lines.take():
                message = logs_message(self._source, lines, os.urandom(8).hex())
                self._lines.done(lines, is_taken=self._sent("/v1/logs", message))
        self._sender.close()

    def _send_spans(self, spans: list[Span]) -> None:
        message = trace_message(self._source, spans, os.urandom(24 * len(spans)))
        self._dropped["receiver"] += 0 if self._sent("/v1/traces", message) else len(spans)
        self._done += len(spans)

    def _sent(self, path: str, message: bytes) -> bool:
        """Whether the receiver took it, in the end."""
        for wait_seconds in _RETRY_SECONDS:
            outcome = self._note(self._sender.send(path, message))
            if outcome.is_taken or not outcome.may_retry or self._is_over.wait(wait_seconds):
                break
        return outcome.is_taken

    def _note(self, outcome: Outcome) -> Outcome:
        self._failed_exports += not outcome.is_taken
        self._trouble = outcome.trouble
        return outcome


def _resource(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What OpenTelemetry calls the source of all that is sent."""
    return (
        ("service.name", settings.service),
        ("service.namespace", settings.group),
        ("service.version", settings.manifest),
        ("service.instance.id", f"{socket.gethostname()}-{os.urandom(4).hex()}"),
        ("deployment.environment.name", settings.environment),
        ("mmgit.models", ",".join(settings.models)),
    )
