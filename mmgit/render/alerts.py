"""The alert rules of one service: what somebody should look at, in the metrics of the server's admin port."""

from typing import Any

from mmgit.desired import Autoscale, DesiredService
from mmgit.render import objectives
from mmgit.render.queries import Queries

_SHARE = "0.05"


def rules(queries: Queries, service: DesiredService) -> list[dict[str, Any]]:
    """Rules of a group, as Prometheus and its operator take them; one that may scale to zero may have no scorer."""
    may_rest = isinstance(service.scale, Autoscale) and service.scale.min == 0
    ready = f"absent(mmgit_scorers_ready{{{queries.own}}} > 0)"
    failing = f"{queries.status_share('500|502|504', '5m')} > {_SHARE}"
    refused = f"{queries.status_share('503', '5m')} > {_SHARE}"
    found = (
        ("MmgitNoScorerReady", "critical", "no scorer is up", ready),
        ("MmgitAnswersFail", "critical", "more than 5 % of the answers are errors", failing),
        ("MmgitCallsRefused", "warning", "more than 5 % of the calls find the queue full", refused),
        ("MmgitKeysBroken", "warning", "the keys cannot be read", f"max(mmgit_keys_broken{{{queries.own}}}) > 0"),
    )
    rules = [
        {
            "alert": alert,
            "expr": expression,
            "for": "5m",
            "labels": {"severity": severity, "service": service.name},
            "annotations": {"summary": f"{service.name}: {summary}"},
        }
        for alert, severity, summary, expression in found[may_rest:]
    ]
    return rules + (list(objectives.rules(queries, service.name, service.slo)) if service.slo else [])
