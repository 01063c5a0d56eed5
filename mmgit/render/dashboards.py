"""The Grafana dashboard of one service, as JSON: what it is asked, how it answers, and how busy it is. Pure.

Its variables are Grafana's own: the data source, of the kind Prometheus, and the interval of a rate.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.frozen import dataclass
from mmgit.render import objectives
from mmgit.render.queries import Queries, queries_of

_SOURCE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
_WINDOW, _MONTH = "$__rate_interval", "30d"
_WIDTH, _COLUMNS, _HEIGHT, _STAT_HEIGHT = 24, 2, 8, 4
_GREEN, _RED = "green", "red"


@dataclass(frozen=True)
class _Panel:
    """One picture: its lines by their names, `{{label}}` for one a label."""

    title: str
    unit: str
    lines: Mapping[str, str]
    red_from: float | None = None


def dashboard_of(environment: DesiredEnvironment, service: DesiredService) -> str:
    """The JSON; the same service has the same id in every Grafana."""
    queries = queries_of(environment, service.name)
    title = f"{service.name} in {environment.name}"
    stats, graphs = [*_stats(queries, service)], [*_graphs(queries, service)]
    panels = [*_placed(stats, "stat", len(stats)), *_placed(graphs, "timeseries", _COLUMNS, _STAT_HEIGHT)]
    document = {
        "uid": f"mmgit-{hashlib.sha256(title.encode()).hexdigest()[:24]}",
        "title": title,
        "tags": ["mmgit"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_SOURCE]},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
    }
    return json.dumps(document, indent=1) + "\n"


def _stats(queries: Queries, service: DesiredService) -> Iterator[_Panel]:
    yield _Panel("Requests", "reqps", {"": queries.rate("mmgit_requests_total", _WINDOW)})
    yield _Panel("Errors", "percentunit", {"": f"{queries.status_share('5..', _WINDOW)} or vector(0)"}, 0.01)
    yield _Panel("Half answered within", "s", {"": queries.quantile(0.5, "mmgit_request_duration_seconds", _WINDOW)})
    yield _Panel("99 % answered within", "s", {"": queries.quantile(0.99, "mmgit_request_duration_seconds", _WINDOW)})
    yield _Panel("Scorers ready", "short", {"": queries.now("mmgit_scorers_ready")})
    for name, _, allowed, failing in objectives.objectives(queries, service.slo) if service.slo else ():
        left = f"1 - ({failing(_MONTH)} or vector(0)) / {allowed:.6g}"
        yield _Panel(f"{name} budget left", "percentunit", {"": left})


def _graphs(queries: Queries, service: DesiredService) -> Iterator[_Panel]:
    seconds, waiting = "mmgit_request_duration_seconds", "mmgit_queue_duration_seconds"
    shares = {"half": 0.5, "95 %": 0.95, "99 %": 0.99}
    yield _Panel(
        "Answers by status", "reqps", {"{{status}}": queries.rate("mmgit_requests_total", _WINDOW, by="status")}
    )
    yield _Panel(
        "Time to answer", "s", {name: queries.quantile(each, seconds, _WINDOW) for name, each in shares.items()}
    )
    scorers = {"busy": "mmgit_scorers_busy", "ready": "mmgit_scorers_ready", "declared": "mmgit_scorers"}
    yield _Panel("Scorers", "short", {name: queries.now(metric) for name, metric in scorers.items()})
    queue = {"waiting": "mmgit_queue_requests", "may wait": "mmgit_queue_capacity_requests"}
    yield _Panel("Queue", "short", {name: queries.now(metric) for name, metric in queue.items()})
    yield _Panel(
        "Time in the queue", "s", {name: queries.quantile(each, waiting, _WINDOW) for name, each in shares.items()}
    )
    yield _Panel("Requests a call of a scorer", "short", {"mean": queries.mean("mmgit_batch_requests", _WINDOW)})
    trouble = {
        "started again: {{reason}}": queries.growth("mmgit_scorer_restarts_total", _WINDOW, by="reason"),
        "clients that left": queries.growth("mmgit_abandoned_requests_total", _WINDOW),
        "log lines lost": queries.growth("mmgit_log_lines_dropped_total", _WINDOW),
    }
    if service.telemetry:
        lost = queries.growth("mmgit_telemetry_dropped_records_total", _WINDOW, by="reason")
        trouble["records lost: {{reason}}"] = lost
    yield _Panel("Trouble", "short", trouble)
    held = {"connections": queries.now("mmgit_connections"), "held bytes": queries.now("mmgit_held_bytes")}
    yield _Panel("Connections and bytes held", "short", held)


def _placed(panels: list[_Panel], kind: str, columns: int, top: int = 0) -> Iterator[dict[str, Any]]:
    """Panels as Grafana has them, in rows of so many."""
    width, height = _WIDTH // columns, _STAT_HEIGHT if kind == "stat" else _HEIGHT
    for at, panel in enumerate(panels):
        steps: list[dict[str, Any]] = [{"color": _GREEN, "value": None}]
        if panel.red_from is not None:
            steps.append({"color": _RED, "value": panel.red_from})
        yield {
            "title": panel.title,
            "type": kind,
            "datasource": {"type": "prometheus", "uid": "$datasource"},
            "gridPos": {"x": at % columns * width, "y": top + at // columns * height, "w": width, "h": height},
            "fieldConfig": {
                "defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
                "overrides": [],
            },
            "targets": [
                {"refId": chr(ord("A") + number), "expr": expression, "legendFormat": name or "__auto"}
                for number, (name, expression) in enumerate(panel.lines.items())
            ],
        }
