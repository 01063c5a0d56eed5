"""Dashboards and alerts ask for what servers show, and say what was declared."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mmgit.desired import Autoscale
from mmgit.render.alerts import rules
from mmgit.render.dashboards import dashboard_of
from mmgit.render.queries import queries_of
from mmgit.spec.record import Refused
from mmgit.spec.service import Objectives
from tests.render.conftest import MakeEnvironment, MakeService, Objects
from tests.serving.conftest import Start, start

__all__ = ["start"]

DOCUMENT = Path(__file__).parents[2] / "docs/watching.md"
SLO = Objectives(availability=99.9, latency="250ms@99")
RECORDED = {"inputs": False, "outputs": False, "redact": [], "spool_bytes": 2**20}


def targets(dashboard: str) -> Iterator[str]:
    for panel in json.loads(dashboard)["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_metric_that_is_asked_for_is_shown_by_a_server(
    service: MakeService, environment: MakeEnvironment, start: Start
) -> None:
    server, place = start(telemetry=RECORDED), environment()
    each = service("digits", slo=SLO, telemetry=RECORDED)
    server.score(x=1)
    page = server.admin("/metrics").body.decode()
    shown = {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}
    shown |= {*re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE)}

    asked = [*targets(dashboard_of(place, each)), *(rule["expr"] for rule in rules(queries_of(place, "digits"), each))]

    named = {name for expression in asked for name in re.findall(r"mmgit_\w+", expression)}
    assert len(named) > 15
    assert named <= shown


def test_every_query_is_of_this_service_alone(service: MakeService, environment: MakeEnvironment) -> None:
    place, each = environment(), service(slo=SLO)

    asked = [*targets(dashboard_of(place, each)), *(rule["expr"] for rule in rules(queries_of(place, "churn"), each))]

    for expression in asked:
        selectors = re.findall(r"mmgit_\w+(\{[^}]*\})?", expression)
        assert selectors
        assert all(selector.startswith('{namespace="ml-production",service="churn"') for selector in selectors)


@pytest.mark.parametrize("least", [0, 1])
def test_who_may_scale_to_zero_has_no_alert_for_that(
    service: MakeService, environment: MakeEnvironment, least: int
) -> None:
    each = service(scale=Autoscale(least, 4, 80, "concurrency", 30))

    found = [rule["alert"] for rule in rules(queries_of(environment(), "churn"), each)]

    assert found == [*["MmgitNoScorerReady"] * least, "MmgitAnswersFail", "MmgitCallsRefused", "MmgitKeysBroken"]


def test_outside_of_kubernetes_the_service_is_the_only_label(environment: MakeEnvironment) -> None:
    assert queries_of(environment(target="compose"), "churn").own == 'service="churn"'


def test_an_objective_is_two_alerts_of_two_windows_each(service: MakeService, environment: MakeEnvironment) -> None:
    queries = queries_of(environment(), "churn")

    found = {rule["alert"]: rule for rule in rules(queries, service(slo=Objectives(availability=99.5)))}

    fast, slowly = found["MmgitAvailabilityBurnsFast"], found["MmgitAvailabilityBurnsSlowly"]
    assert re.findall(r"\[(\w+)\]\)\) > (\S+?)[) ]", f"{fast['expr']} ") == [
        *(("1h", "0.072"), ("5m", "0.072"), ("6h", "0.03"), ("30m", "0.03")),
    ]
    assert re.findall(r"\[(\w+)\]\)\) > ", slowly["expr"]) == ["1d", "2h", "3d", "6h"]
    assert (fast["labels"]["severity"], slowly["labels"]["severity"]) == ("critical", "warning")
    assert not [name for name in found if "Latency" in name]


def test_a_latency_is_a_bucket_of_the_servers_histogram(service: MakeService, environment: MakeEnvironment) -> None:
    each = service(slo=Objectives(latency="1s@95"))

    found = {rule["alert"]: rule["expr"] for rule in rules(queries_of(environment(), "churn"), each)}

    assert 'le="1.0"' in found["MmgitLatencyBurnsFast"]
    assert "> 0.72" in found["MmgitLatencyBurnsFast"]


@pytest.mark.parametrize("time", re.findall(r"`(\d+m?s)`", DOCUMENT.read_text()))
def test_every_time_in_the_document_is_a_bound(time: str) -> None:
    assert Objectives.read({"latency": f"{time}@99.9"}).latency == f"{time}@99.9"


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ({"latency": "300ms@99"}, "250ms, 500ms, 1s, 2500ms"),
        ({"latency": "250ms"}, "250ms@99"),
        ({"latency": "250ms@90"}, "250ms@99"),
        ({"availability": 90}, "availability"),
        ({"availability": 100}, "availability"),
        ({}, "give availability, latency or both"),
    ],
)
def test_an_objective_that_cannot_be_watched_is_refused(slo: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        Objectives.read(slo)


def test_a_dashboard_has_panels_side_by_side_and_the_budget_of_each_objective(
    service: MakeService, environment: MakeEnvironment
) -> None:
    dashboard = json.loads(dashboard_of(environment(), service(slo=SLO)))
    places = [panel["gridPos"] for panel in dashboard["panels"]]

    assert {"Availability budget left", "Latency budget left"} <= {panel["title"] for panel in dashboard["panels"]}
    assert [panel["id"] for panel in dashboard["panels"]] == [*range(1, len(places) + 1)]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


def test_dashboards_of_all_environments_can_be_in_one_grafana(
    service: MakeService, environment: MakeEnvironment
) -> None:
    dashboards = [
        json.loads(dashboard_of(environment(name=name), service(of)))
        for name in ("staging", "production")
        for of in ("churn", "iris")
    ]

    assert len({each["uid"] for each in dashboards}) == len({each["title"] for each in dashboards}) == 4
    assert all(len(each["uid"]) <= 40 for each in dashboards)


def test_a_dashboard_is_a_config_map_where_it_is_declared(service: MakeService, objects: Objects) -> None:
    found = objects(service(slo=SLO), monitoring={"dashboards": True})

    each = found["ConfigMap-dashboard"]
    assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert [*each["data"]] == ["production-churn.json"]
    assert json.loads(each["data"]["production-churn.json"])["title"] == "churn in production"
    assert "ConfigMap-dashboard" not in objects(service())
