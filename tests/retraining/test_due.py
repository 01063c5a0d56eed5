import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mmgit.errors import UsageError
from mmgit.retraining.due import Facts, of_report, reasons
from mmgit.spec.training import Trigger

NOW = datetime(2027, 2, 28, 12, tzinfo=UTC)


def said(trigger: Trigger, *, age: timedelta = timedelta(days=3), **known: Any) -> list[str]:
    return [str(each) for each in reasons(trigger, Facts(NOW, "churn/4", NOW - age, **known))]


def test_a_version_is_old_enough_to_the_second() -> None:
    trigger = Trigger(after="30d")

    assert said(trigger, age=timedelta(days=30, seconds=-1)) == [
        "not due: churn/4 is of 2027-01-29, 29 days old, of 30d"
    ]
    assert said(trigger, age=timedelta(days=30)) == ["due: churn/4 is of 2027-01-29, 30 days old, of 30d"]


def test_each_trigger_counts_by_itself() -> None:
    trigger = Trigger(after="30d", drift=0.2, rows=1000)

    assert said(trigger, rows=1000, drift=0.19) == [
        "not due: churn/4 is of 2027-02-25, 3 days old, of 30d",
        "not due: drift 0.19, of 0.2",
        "due: new rows 1,000, of 1,000",
    ]


def test_what_is_not_known_makes_nothing_due() -> None:
    assert said(Trigger(drift=0.2, rows=1)) == ["not due: drift unknown, of 0.2", "not due: new rows unknown, of 1"]
    assert [str(each) for each in reasons(Trigger(after="1d"), Facts(NOW, "churn/4", None))] == [
        "not due: nothing says when churn/4 was made"
    ]


def test_a_model_without_a_version_is_due() -> None:
    assert [str(each) for each in reasons(Trigger(rows=5), Facts(NOW, None, None))] == ["due: there is no version yet"]


def test_without_a_trigger_nothing_is_said() -> None:
    assert said(Trigger()) == []


def report(path: Path, **fields: Any) -> Path:
    counts = {"requests": 9, "refused": 0, "failed": 0}
    told = {"service": "churn", "environment": "dev", "version": "churn/4", "reference": "churn/3", "total": counts}
    whole = {"apiVersion": "mmgit.dev/v1", "kind": "Drift", **told, "rows": 1234, "reference_rows": 10, "psi": 0.31}
    path.write_text(json.dumps({**whole, **fields}))
    return path


def test_a_report_says_rows_and_drift(tmp_path: Path) -> None:
    assert of_report(report(tmp_path / "report.json"), "churn") == {"rows": 1234, "drift": 0.31}
    assert of_report(report(tmp_path / "report.json", psi=None), "churn") == {"rows": 1234, "drift": None}


def test_a_report_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is of churn/4, not of `spam`"):
        of_report(report(tmp_path / "report.json"), "spam")


@pytest.mark.parametrize("text", ["", "[]", '{"rows": 1, "psi": 0.5}', "[" * 100_000])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)

    with pytest.raises(UsageError, match=r"report\.json is no report of telemetry"):
        of_report(tmp_path / "report.json", "churn")
