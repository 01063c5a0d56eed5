"""Counts kept by the front; Prometheus' text format out (exposition format 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """What happened so far. What is true now (queue, scorers, keys) is asked for when it is shown."""

    def __init__(self, service: str) -> None:
        self.restarts = {"crashed": 0, "hung": 0}
        self.abandoned = 0
        self._service = service
        self._answers: dict[int, int] = {}
        self._buckets = [0] * (len(_BOUNDS_SECONDS) + 1)
        self._seconds = 0.0

    def answered(self, status: int, seconds: float) -> None:
        """Count one answer to a request for the service."""
        self._answers[status] = self._answers.get(status, 0) + 1
        self._buckets[bisect_left(_BOUNDS_SECONDS, seconds)] += 1
        self._seconds += seconds

    def render(self, gauges: Iterable[tuple[str, str, float]]) -> bytes:
        """The whole page; `gauges` are (name, help, value) of the present."""
        lines = [
            "# HELP mmgit_requests_total Answers to requests for the service, by HTTP status.",
            "# TYPE mmgit_requests_total counter",
            *(
                f'mmgit_requests_total{{service="{self._service}",status="{status}"}} {count}'
                for status, count in sorted(self._answers.items())
            ),
            "# HELP mmgit_scorer_restarts_total Scorers that were started again, by reason.",
            "# TYPE mmgit_scorer_restarts_total counter",
            *(
                f'mmgit_scorer_restarts_total{{service="{self._service}",reason="{reason}"}} {count}'
                for reason, count in sorted(self.restarts.items())
            ),
            "# HELP mmgit_abandoned_requests_total Requests whose client left before the answer.",
            "# TYPE mmgit_abandoned_requests_total counter",
            f'mmgit_abandoned_requests_total{{service="{self._service}"}} {self.abandoned}',
            *self._histogram(),
        ]
        for name, meaning, value in gauges:
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += (f"# HELP {name} {meaning}", f"# TYPE {name} {kind}")
            lines.append(f'{name}{{service="{self._service}"}} {value:g}')
        return "\n".join([*lines, ""]).encode()

    def _histogram(self) -> list[str]:
        name, labels = "mmgit_request_seconds", f'service="{self._service}"'
        lines = [
            f"# HELP {name} Time from a request's headers to its answer.",
            f"# TYPE {name} histogram",
        ]
        total = 0
        for bound, count in zip((*map(str, _BOUNDS_SECONDS), "+Inf"), self._buckets):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
        return [*lines, f"{name}_sum{{{labels}}} {self._seconds:.6f}", f"{name}_count{{{labels}}} {total}"]
