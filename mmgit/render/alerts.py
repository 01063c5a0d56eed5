"""The alert rules of one service: what somebody should look at, in the metrics of the server's admin port."""

from typing import Any

from mmgit.desired import DesiredService

_SHARE = "0.05"


def rules(namespace: str, service: DesiredService) -> list[dict[str, Any]]:
    """Rules of a Prometheus operator's group."""
    own = f'namespace="{namespace}",service="{service.name}"'

    def share(statuses: str) -> str:
        answers = f'sum(rate(mmgit_requests_total{{{own},status=~"{statuses}"}}[5m]))'
        return f"{answers} / sum(rate(mmgit_requests_total{{{own}}}[5m])) > {_SHARE}"

    found = (
        ("MmgitNoScorerReady", "critical", "no scorer is up", f"absent(mmgit_scorers_ready{{{own}}} > 0)"),
        ("MmgitAnswersFail", "critical", "more than 5 % of the answers are errors", share("500|502|504")),
        ("MmgitCallsRefused", "warning", "more than 5 % of the calls find the queue full", share("503")),
    )
    return [
        {
            "alert": alert,
            "expr": expression,
            "for": "5m",
            "labels": {"severity": severity, "service": service.name},
            "annotations": {"summary": f"{service.name}: {summary}"},
        }
        for alert, severity, summary, expression in found
    ]
