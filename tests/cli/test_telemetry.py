import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.cli import telemetry_options
from tests.telemetry.recorded import requests, spool

Here = Callable[..., Path]
Mmgit = Callable[..., Any]


def test_figures_are_shown_by_service_and_version(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()

    ended = mmgit("telemetry", "show", "churn", "--store", str(store))

    assert (ended.code, ended.err) == (0, "")
    head, *rows = [line.split() for line in ended.out.splitlines()]
    assert head == ["SERVICE", "VERSION", "REQUESTS", "REFUSED", "FAILED", "P50_MS", "P95_MS", "P99_MS"]
    assert [row[:3] for row in rows] == [["churn", "churn/3", "900"], ["churn", "churn/4", "600"]]


def test_days_and_versions_are_chosen(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()
    chosen = ("--from", "2026-11-02", "--to", "2026-11-03", "--version", "churn/4", "--by", "day")

    ended = mmgit("telemetry", "show", "--store", str(store), *chosen, "-o", "json")

    rows = json.loads(ended.out)
    assert [(row["day"], row["requests"]) for row in rows] == [("2026-11-02", 200), ("2026-11-03", 200)]


def test_an_environment_names_its_store(here: Here, mmgit: Mmgit, store: Path) -> None:
    text = f"apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\ntelemetry: {{store: 'file://{store}'}}\n"
    here({"environments/dev/environment.yaml": text})

    ended = mmgit("telemetry", "show", "--by", "service", "-o", "tsv")

    assert ended.out.splitlines()[1].startswith("churn\t1500\t")


def test_what_was_served_here_is_read_without_a_store(here: Here, mmgit: Mmgit) -> None:
    spool(here() / ".mmgit/spool/churn", requests(3, 40), is_open=True)

    ended = mmgit("telemetry", "show", "churn", "-o", "json")

    assert [row["requests"] for row in json.loads(ended.out)] == [40]


def test_where_nothing_was_recorded_that_is_said(here: Here, mmgit: Mmgit) -> None:
    here()

    ended = mmgit("telemetry", "show", "churn")

    assert ended.code == 20
    assert "nothing is recorded of churn" in ended.err
    assert "telemetry: {}" in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "soon"], "--since soon: expected a duration"),
        (["--since", "7d", "--to", "2026-11-01"], "either --since, or --from and --to"),
        (["--from", "1.11."], "1.11.: expected a date"),
        (["--engine", "trino"], "needs an address"),
    ],
)
def test_options_that_do_not_fit_are_refused(here: Here, mmgit: Mmgit, options: list[str], said: str) -> None:
    here()

    ended = mmgit("telemetry", "show", *options)

    assert ended.code == 2
    assert said in ended.err


def test_what_an_engine_says_is_said_on_one_line(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    here()
    place = tmp_path / "service=a/model=a/version=1/identifier=requests/date=2026-11-01"
    place.mkdir(parents=True)
    (place / "a.parquet").write_bytes(b"no parquet")

    ended = mmgit("telemetry", "show", "--store", str(tmp_path))

    assert ended.code == 20
    assert ended.err.startswith("error: duckdb could not do it: ")
    assert len(ended.err.splitlines()) == 2


def test_since_begins_with_a_whole_day(here: Here, mmgit: Mmgit, store: Path) -> None:
    here()

    ended = mmgit("telemetry", "show", "--store", str(store), "--since", "36500d")

    assert "churn/4" in ended.out
    assert telemetry_options.days_of("2026-11-01..2026-11-02") == ("2026-11-01", "2026-11-02")
