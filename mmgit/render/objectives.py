"""Service level objectives as alerts: how fast a service burns what it may fail in 30 days, over two windows each.

The windows and rates are those of Google's SRE workbook, chapter 5: what would use 2 % of the budget in an hour, or 5 %
in six, wakes somebody up; 10 % in one or three days can wait for the morning. The shorter window ends an alert soon
after its cause.
"""

from collections.abc import Callable, Iterator
from typing import Any

from mmgit.render.queries import Queries
from mmgit.spec.service import Objectives, bound_of

_BUDGET_DAYS = 30
_FAST = ((14.4, "1h", "5m"), (6, "6h", "30m"))
_SLOW = ((3, "1d", "2h"), (1, "3d", "6h"))


def rules(queries: Queries, service: str, slo: Objectives) -> Iterator[dict[str, Any]]:
    """Two alerts for each objective."""
    for name, what, allowed, failing in objectives(queries, slo):
        for speed, severity, steps in (("Fast", "critical", _FAST), ("Slowly", "warning", _SLOW)):
            burning = " or ".join(
                f"({failing(long)} > {rate * allowed:.6g} and {failing(short)} > {rate * allowed:.6g})"
                for rate, long, short in steps
            )
            days = _BUDGET_DAYS / steps[-1][0]
            summary = f"{service}: {what}: what may fail in {_BUDGET_DAYS} days is used up within {days:g} days"
            yield {
                "alert": f"Mmgit{name}Burns{speed}",
                "expr": burning,
                "labels": {"severity": severity, "service": service},
                "annotations": {"summary": summary},
            }


def objectives(queries: Queries, slo: Objectives) -> Iterator[tuple[str, str, float, Callable[[str], str]]]:
    """Name, words, the share that may fail, and the query for the share that fails in a window."""
    if slo.availability is not None:
        allowed = round(1 - slo.availability / 100, 9)
        yield "Availability", f"availability of {slo.availability:g} %", allowed, _unavailable(queries)
    if slo.latency is not None:
        seconds, share = bound_of(slo.latency)
        words = f"an answer within {slo.latency.partition('@')[0]} for {share:g} %"
        yield "Latency", words, round(1 - share / 100, 9), lambda window: queries.slow_share(seconds, window)


def _unavailable(queries: Queries) -> Callable[[str], str]:
    return lambda window: queries.status_share("5..", window)
