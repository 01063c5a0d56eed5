import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from mmgit.spec.drift import DriftSpec
from mmgit.telemetry import engines, exporting, figures
from mmgit.telemetry.archive import Wanted, spooled, stored
from mmgit.telemetry.comparing import Comparison, compare
from mmgit.telemetry.counting import EDGES_MAX, Bins, bins_of, counted
from mmgit.telemetry.features import FEATURES_MAX, Feature, Root, Scalar
from mmgit.telemetry.page import page_of
from mmgit.telemetry.report import Subject, report_of
from mmgit.telemetry.rows import RecordedRows, collected_rows, file_rows
from tests.telemetry.recorded import requests, spool


def recorded(store: Path, version: str) -> RecordedRows:
    return RecordedRows(
        engines.connect("duckdb"), stored(engines.connect("duckdb"), str(store), Wanted("churn", version=version))
    )


def ages(version: int, many: int, moved: float = 0.0) -> list[float]:
    records = [record for record in requests(version, many, moved=moved) if record["status"] == 200]
    return [row["age"] for record in records for row in record["inputs"]["x"] if row["age"] is not None]


def test_features_that_moved_come_first(store: Path) -> None:
    found = compare(recorded(store, "4"), recorded(store, "3"))

    levels = {each.name: each.level for each in found.features}
    assert levels == {
        "threshold": "much",
        "plan/~": "none",
        "Age": "much",
        "age": "some",
        "is active": "none",
        "limits[0]": "none",
        "limits[1]": "none",
        "output": "none",
    }
    assert found.features[0].name == "threshold"
    assert found.psi == found.features[0].psi


def test_tests_are_scipys_of_the_values_themselves(store: Path) -> None:
    found = {each.name: each for each in compare(recorded(store, "4"), recorded(store, "3")).features}

    was, now = ages(3, 900), ages(4, 600, 0.5)
    assert found["age"].ks is not None
    assert found["age"].ks.statistic == pytest.approx(stats.ks_2samp(was, now).statistic, abs=1 / EDGES_MAX)
    assert found["age"].reference_rows - found["age"].bars[-1].reference == len(was)
    assert found["age"].bars[-1].label == "missing"
    plan = found["plan/~"]
    table = [[bar.reference for bar in plan.bars], [bar.current for bar in plan.bars]]
    assert plan.chi_squared is not None
    assert plan.chi_squared.p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert {bar.label for bar in plan.bars} == {"basic", "pl`us", 'p"ro', "it's"}


def test_a_side_beside_itself_did_not_move(store: Path) -> None:
    found = compare(recorded(store, "3"), recorded(store, "3"))

    assert found.psi == 0
    assert all(each.ks is None or each.ks.statistic == 0 for each in found.features)


def test_a_file_is_a_reference_by_the_names_of_its_columns(store: Path, tmp_path: Path) -> None:
    lines = [*(f"{age},pl`us,1" for age in ages(3, 900)), *([",pl`us,1"] * 70)]
    (tmp_path / "train.csv").write_text("\n".join(["age,plan/~,target", *lines]) + "\n")

    found = compare(recorded(store, "3"), file_rows(str(tmp_path / "train.csv")))

    assert {each.name: each.level for each in found.features} == {"age": "none", "plan/~": "much"}
    assert found.only_reference == ("target",)
    assert "Age" in found.only_current


def test_a_file_of_more_columns_than_are_compared_is_cut(store: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({f"c{number}": [1.0] for number in range(2 * FEATURES_MAX)}), tmp_path / "wide.parquet")

    found = compare(recorded(store, "3"), file_rows(str(tmp_path / "wide.parquet")))

    assert len(found.only_reference) == FEATURES_MAX


def test_columns_of_any_numbers_are_numbers(store: Path, tmp_path: Path) -> None:
    exact = pa.array([Decimal(f"{age:.3f}") for age in ages(3, 900)])
    pq.write_table(
        pa.table({"age": exact, "Age": pa.array([None] * len(exact), pa.int8())}), tmp_path / "train.parquet"
    )

    found = compare(recorded(store, "3"), file_rows(str(tmp_path / "train.parquet")))

    assert [(each.name, each.kind) for each in found.features] == [("age", "number")]


@pytest.mark.parametrize("least", [1.0, 0.1, 0.05, -0.7, 5e-324, -1.7976931348623157e308])
def test_what_is_just_below_all_of_the_reference_is_no_part_of_it(least: float) -> None:
    below = math.nextafter(least, -math.inf)
    table = ibis.memtable({"x": [least, below, least]}, schema={"x": "float64"})
    bins = bins_of([least] * 10)

    assert bins is not None
    assert counted(table, {"x": bins}) == {"x": [1, 2, 0, 0]}


def test_what_was_collected_is_compared_too(store: Path) -> None:
    table = stored(engines.connect("duckdb"), str(store), Wanted("churn", identifier="inputs"))

    found = compare(collected_rows(table), collected_rows(table))

    assert {each.name for each in found.features} == {"years", "plan"}
    assert found.psi == 0


class Given:
    """Counts that are given, of one feature."""

    def __init__(self, values: Sequence[Scalar]) -> None:
        self._feature = Feature(Root("inputs", "", is_list=True, row="object"), "x", "x")
        self._values = values
        self.bins: Bins | None = None

    def sample(self) -> Mapping[Feature, Sequence[Scalar]]:
        return {self._feature: self._values}

    def counts(self, bins: Mapping[Feature, Bins]) -> Mapping[Feature, list[int]]:
        self.bins = bins.get(self._feature)
        return {feature: [5] * each.size for feature, each in bins.items()}


def compared(values: Sequence[Scalar]) -> tuple[Comparison, Bins | None]:
    side = Given(values)
    return compare(side, side), side.bins


def test_free_text_is_not_compared() -> None:
    found, _ = compared([f"a text {number}" for number in range(200)])

    assert found.features == ()
    assert found.free_text == ("x",)


def test_rare_categories_are_counted_together() -> None:
    found, bins = compared([f"{number % 40}th" for number in range(400)])

    assert bins is not None
    assert len(bins.categories) == 20
    assert [bar.label for bar in found.features[0].bars[-2:]] == ["others", "missing"]


def test_labels_of_numbers_are_those_that_people_write() -> None:
    of_values, _ = compared([0, 0, 1, 2, None])
    of_ranges, _ = compared([number * 1234.5 for number in range(300)])

    assert [bar.label for bar in of_values.features[0].bars] == ["< 0", "0", "1", "2", "> 2", "missing"]
    assert of_ranges.features[0].bars[3].label == "74,070 – 111,100"


HOSTILE: tuple[Any, ...] = (
    10**400,
    -(10**400),
    "\ud800",
    "a\0b",
    "'; DROP TABLE x; --",
    "\\",
    "$[*]",
    "\u202e",
    "x" * 5000,
    {"deep": [1]},
    None,
)


def test_what_clients_send_breaks_no_report(tmp_path: Path) -> None:
    (one,) = requests(3, 1)
    bodies: list[Any] = [{"x": [{"v": value, "n": 1}]} for value in HOSTILE * 10]
    bodies += [{"x": [{str(value)[:50]: 1, "n": 2}]} for value in HOSTILE]
    bodies += [{str(value)[:50]: [[1, 10**400]]} for value in HOSTILE]
    records = [{**one, "request_id": f"r{at}", "status": 200, "inputs": body} for at, body in enumerate(bodies)]
    engine = engines.connect("duckdb")

    with spooled(engine, [spool(tmp_path / "churn", records)], Wanted("churn")) as table:
        rows = RecordedRows(engine, table)
        found = compare(rows, rows)
        report = report_of(Subject("churn", "dev", "churn/3", "itself"), figures.counts_of(table), found)
        many = {form: exporting.export(table, tmp_path / f"rows{form}", rows.sample()) for form in exporting.FORMS}

    assert DriftSpec.read(json.loads(json.dumps(report.plain()))) == report
    assert page_of(report).startswith(b"<!doctype html>")
    assert {"v", "n"} <= {each.name for each in found.features}
    assert len({*many.values()}) == 1
