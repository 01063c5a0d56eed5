"""What gates say of reports of telemetry."""

from types import SimpleNamespace
from typing import Any

import pytest

from mmgit.review.drift import judge
from mmgit.spec.drift import DriftSpec
from mmgit.spec.environment import DriftGate

CANDIDATE: Any = SimpleNamespace(name="churn", models=("churn/5", "other/1"))
TRAFFIC = {"requests": 3000, "refused": 0, "failed": 0}


def feature(name: str, psi: float, level: str) -> dict[str, Any]:
    rows = {"reference_rows": 5000, "current_rows": 3000}
    return {"name": name, "side": "inputs", "kind": "number", "psi": psi, "level": level, **rows}


def report(**other: Any) -> DriftSpec:
    head = {"apiVersion": "mmgit.dev/v1", "kind": "Drift", "service": "churn", "environment": "staging"}
    days = [{"day": f"2026-11-0{day}", **TRAFFIC} for day in (1, 7)]
    features = [feature("rare", 9.0, "unknown"), feature("age", 0.2, "some"), feature("plan", 0.01, "none")]
    said = {"version": "churn/5", "reference": "the reference of churn/5", "total": TRAFFIC, "days": days}
    return DriftSpec.read(
        {**head, **said, "rows": 3000, "reference_rows": 5000, "psi": 0.2, "features": features, **other}
    )


def judged(gate: dict[str, Any] | None, *reports: DriftSpec) -> list[tuple[str, str]]:
    return list(judge(DriftGate.read(gate) if gate else None, reports, "staging", CANDIDATE))


def test_without_a_gate_nothing_is_said() -> None:
    assert judged(None, report()) == []


@pytest.mark.parametrize(("most", "state"), [(0.2, "passed"), (0.19, "failed")])
def test_the_feature_that_moved_farthest_decides(most: float, state: str) -> None:
    text = f"age moved by 0.2 of at most {most:g} (PSI), beside the reference of churn/5, 2026-11-01 to 2026-11-07"

    assert judged({"max_psi": most}, report()) == [(state, text)]


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [report(service="other")],
        [report(environment="production")],
        [report(version="churn/4")],
        [report(rows=999)],
        [report(features=[feature("rare", 9.0, "unknown")])],
        [report(features=[])],
        [report(), report(rows=1)],
        [report(reference="churn/5")],
        [report(reference="churn/5 from 2026-11-01 to 2026-11-07")],
        [report(reference="churn/5 from 2026-10-01 to 2026-12-31")],
    ],
)
def test_the_gate_waits_for_a_report_of_rows_enough(reports: list[DriftSpec]) -> None:
    ((state, text),) = judged({"max_psi": 1}, *reports)

    assert state == "waiting"
    assert "mmgit telemetry report churn --env staging --version churn/5 --report FILE" in text


def test_how_many_rows_are_enough_is_declared() -> None:
    assert judged({"max_psi": 1, "rows": 10}, report(rows=11))[0][0] == "passed"


@pytest.mark.parametrize("reference", ["churn/4", "churn/5 from 2026-10-01 to 2026-11-06", "train.parquet"])
def test_another_reference_is_one(reference: str) -> None:
    assert judged({"max_psi": 1}, report(reference=reference))[0][0] == "passed"
