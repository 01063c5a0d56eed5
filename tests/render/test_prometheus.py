"""A real Prometheus reads a real server: every query of a dashboard has an answer, every alert is evaluated."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from mmgit.render.alerts import rules
from mmgit.render.dashboards import dashboard_of
from mmgit.render.queries import queries_of
from tests.render.conftest import make_environment, make_service
from tests.render.test_watching import RECORDED, SLO
from tests.serving.conftest import Service, Start, start, until

__all__ = ["start"]

pytestmark = pytest.mark.prometheus
OWN = {"namespace": "ml-production", "service": "digits"}
FAILS = "def run(x):\n    return 1 / x\n"


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    environment, service = make_environment(), make_service("digits", slo=SLO, telemetry=RECORDED)
    path = tmp_path / "rules.yml"
    group = {"name": "digits", "rules": rules(queries_of(environment, "digits"), service)}
    path.write_text(yaml.safe_dump({"groups": [group]}))
    return path


@contextmanager
def prometheus(folder: Path, server: Service, rule_file: Path) -> Iterator[str]:
    """A Prometheus that reads the server every second; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = {"targets": [f"127.0.0.1:{server.admin_port}"], "labels": {"namespace": OWN["namespace"]}}
    jobs = [{"job_name": "mmgit", "static_configs": [target]}]
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": often, "rule_files": [str(rule_file)], "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(timeout=30)


def asked(address: str, query: str) -> list[Any]:
    try:
        with urlopen(f"{address}/query?{urlencode({'query': query})}", timeout=10) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
    except OSError:
        return []
    return found


def test_a_real_prometheus_answers_every_query_of_a_dashboard_and_evaluates_every_alert(
    start: Start, tmp_path: Path, rule_file: Path
) -> None:
    server = start(score=FAILS, telemetry=RECORDED)
    dashboard = json.loads(dashboard_of(make_environment(), make_service("digits", slo=SLO, telemetry=RECORDED)))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    with prometheus(tmp_path, server, rule_file) as address:

        def is_seen() -> bool:
            server.score(x=1)
            server.score(x=0)
            return bool(asked(address, "count_over_time(mmgit_scorers_ready[10s]) >= 5"))

        until(is_seen)

        unanswered = [each for each in expressions if not asked(address, each.replace("$__rate_interval", "10s"))]
        with urlopen(f"{address}/rules", timeout=10) as answer:
            (group,) = json.load(answer)["data"]["groups"]
        errors = asked(address, expressions[1].replace("$__rate_interval", "10s"))
    assert unanswered == []
    assert {(rule["health"], rule.get("lastError", "")) for rule in group["rules"]} == {("ok", "")}
    assert 0.2 < float(errors[0]["value"][1]) < 0.8


def test_promtool_finds_nothing_wrong(rule_file: Path) -> None:
    done = subprocess.run(["promtool", "check", "rules", rule_file], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "8 rules found" in done.stdout


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    said = ",".join(f'{key}="{value}"' for key, value in {**OWN, **labels}.items())
    return {"series": f"{name}{{{said}}}", "values": values}


QUIET = [
    series("mmgit_requests_total", "0+600x720", status="200", route="score"),
    series("mmgit_request_duration_seconds_bucket", "0+600x720", le="0.25"),
    series("mmgit_request_duration_seconds_count", "0+600x720"),
    series("mmgit_scorers_ready", "1x720"),
    series("mmgit_keys_broken", "0x720"),
]
FAST, SLOW = "MmgitAvailabilityBurnsFast", "MmgitAvailabilityBurnsSlowly"
LATE, LATE_SLOWLY = "MmgitLatencyBurnsFast", "MmgitLatencyBurnsSlowly"


@pytest.mark.parametrize(
    ("what", "firing"),
    [
        ([], set()),
        ([series("mmgit_requests_total", "0+12x720", status="500", route="score")], {FAST, SLOW}),  # 2 %
        ([series("mmgit_requests_total", "0+1x720", status="500", route="score")], {SLOW}),  # 0.17 %
        ([series("mmgit_requests_total", "0+60x720", status="500", route="score")], {FAST, SLOW, "MmgitAnswersFail"}),
        ([series("mmgit_requests_total", "0+60x720", status="503", route="score")], {FAST, SLOW, "MmgitCallsRefused"}),
        ([series("mmgit_requests_total", "0+60x720", status="401", route="score")], set()),
        ([series("mmgit_requests_total", "0+60x720", status="500", route="metadata")], set()),
        ([series("mmgit_requests_total", "0+60x30 1800x690", status="500", route="score")], set()),  # is over
        ([series("mmgit_request_duration_seconds_bucket", "0+450x720", le="0.25")], {LATE, LATE_SLOWLY}),
        ([series("mmgit_scorers_ready", "0x720")], {"MmgitNoScorerReady"}),
        ([series("mmgit_keys_broken", "1x720")], {"MmgitKeysBroken"}),
    ],
)
def test_alerts_fire_for_what_they_are_about_and_for_nothing_else(
    rule_file: Path, tmp_path: Path, what: list[dict[str, str]], firing: set[str]
) -> None:
    given = {each["series"]: each for each in [*QUIET, *what]}
    expected = [
        {"eval_time": "12h", "alertname": rule["alert"], "exp_alerts": [_as_expected(rule)] * (rule["alert"] in firing)}
        for rule in yaml.safe_load(rule_file.read_text())["groups"][0]["rules"]
    ]
    test = {"interval": "1m", "input_series": [*given.values()], "alert_rule_test": expected}
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rule_file)], "evaluation_interval": "10m", "tests": [test]}))

    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def _as_expected(rule: Any) -> dict[str, Any]:
    return {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
