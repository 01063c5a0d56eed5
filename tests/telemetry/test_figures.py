from pathlib import Path

import numpy as np
import pytest

from mmgit.telemetry import engines, figures
from mmgit.telemetry.archive import Wanted, stored
from mmgit.telemetry.figures import EDGES, Counts
from tests.telemetry.recorded import requests


def test_figures_are_those_of_the_records(store: Path) -> None:
    counts = figures.counts_of(stored(engines.connect("duckdb"), str(store), Wanted("churn")))

    found = {values["version"]: each for values, each in figures.by(counts, ("service", "version"))}

    for version, records in {"churn/3": [*requests(3, 900)], "churn/4": [*requests(4, 600, moved=0.5)]}.items():
        each = found[version]
        assert each.requests == len(records)
        assert each.refused == sum(record["status"] == 400 for record in records)
        assert each.failed == sum(record["status"] == 500 for record in records)
        assert each.bytes_in == 100 * len(records)
        exact = np.quantile([record["seconds"] for record in records], [0.5, 0.95, 0.99], method="inverted_cdf") * 1000
        assert [each.p50_ms, each.p95_ms, each.p99_ms] == pytest.approx(exact, rel=0.05)


def test_figures_of_days_join_to_those_of_all(store: Path) -> None:
    counts = figures.counts_of(stored(engines.connect("duckdb"), str(store), Wanted("churn")))

    days = [each for _, each in figures.by(counts, ("day",))]

    assert len(days) == 3
    assert sum(day.requests for day in days) == figures.total(counts).requests == 1500


def test_a_latency_beyond_the_edges_is_at_the_edge() -> None:
    slow = Counts("s", "m/1", "2026-11-01", bins={len(EDGES): (1, 0, 0, 0, 0)})

    assert figures.total([slow]).p99_ms == EDGES[-1] * 1000
    assert figures.total([]).p50_ms is None
    assert figures.total([]).error_share == 0
