"""What happens to requests in, counts and histograms as families out. Called for every request, so it is short.

Names follow Prometheus' conventions: base units, `_total` for what only grows. `exposition` writes families as text.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """How often a value fell into each bucket: up to a bound, the bound included, or beyond the last one."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Family(NamedTuple):
    """All series of one name; `kind` is counter, gauge or histogram, whose values are histograms."""

    name: str
    kind: str
    meaning: str
    series: list[tuple[Labels, float | Histogram]]


class Metrics:
    """What happened so far. What is true now (queue, scorers, keys) is asked for when it is shown."""

    def __init__(self) -> None:
        self.restarts = {"crashed": 0, "hung": 0}
        self.abandoned = 0
        self.batch_replays = 0
        self._answers: dict[tuple[str, int], int] = {}
        self._seconds = Histogram(SECONDS)
        self._queue_seconds = Histogram(SECONDS)
        self._batches = Histogram(SIZES)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer to a request for the service."""
        key = route, status
        self._answers[key] = self._answers.get(key, 0) + 1
        self._seconds.observe(seconds)

    def queued(self, seconds: float) -> None:
        """Count how long a request waited for a scorer, those that did not wait included."""
        self._queue_seconds.observe(seconds)

    def scored(self, requests: int) -> None:
        """Count one call of a scorer, and how many requests it is for."""
        self._batches.observe(requests)

    def families(self) -> list[Family]:
        """Everything counted so far."""
        answers: list[tuple[Labels, float | Histogram]] = [
            ((("status", str(status)), ("route", route)), count)
            for (route, status), count in sorted(self._answers.items())
        ]
        restarts: list[tuple[Labels, float | Histogram]] = [
            ((("reason", reason),), count) for reason, count in sorted(self.restarts.items())
        ]
        return [
            Family("mmgit_requests_total", "counter", "Answers, by HTTP status and route.", answers),
            _histogram("mmgit_request_duration_seconds", "Time from a first byte to its answer.", self._seconds),
            _histogram("mmgit_queue_duration_seconds", "Time that a request waited for a scorer.", self._queue_seconds),
            _histogram("mmgit_batch_requests", "Requests that one call of a scorer was for.", self._batches),
            single("mmgit_batch_replays_total", "Batches that were scored again one by one.", self.batch_replays),
            Family("mmgit_scorer_restarts_total", "counter", "Scorers that were started again, by reason.", restarts),
            single("mmgit_abandoned_requests_total", "Requests whose client left before the answer.", self.abandoned),
        ]


def single(name: str, meaning: str, value: float) -> Family:
    """A family of one series; the name tells a counter."""
    return Family(name, "counter" if name.endswith("_total") else "gauge", meaning, [((), value)])


def _histogram(name: str, meaning: str, histogram: Histogram) -> Family:
    return Family(name, "histogram", meaning, [((), histogram)])
