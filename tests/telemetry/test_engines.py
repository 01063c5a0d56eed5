"""The same expressions, whatever engine: Spark computes what DuckDB does, and Trino is asked for the same."""

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import pytest
from sqlglot import parse_one
from sqlglot.expressions import Table

from mmgit.errors import UsageError
from mmgit.telemetry import engines, exporting, extra, figures
from mmgit.telemetry.archive import Wanted, narrowed, stored
from mmgit.telemetry.comparing import compare
from mmgit.telemetry.counting import bins_of, counted
from mmgit.telemetry.engines import Engine, Trino
from mmgit.telemetry.rows import RecordedRows, collected_rows

HOSTILE = [
    "{",
    "[1",
    "",
    None,
    '{"a": null}',
    '{"a": "it\'s `x` \\"y\\""}',
    '{"a": [1, 2]}',
    '{"a": 1.5}',
    '{"A": 1}',
    '{"a~/b": true}',
    '[1, "x", null, {"b": 1}]',
    '"text"',
    "3",
]


@pytest.fixture(scope="session")
def spark() -> Iterator[Engine]:
    engine = engines.connect("spark", "local[2]")
    session: Any = engine.session  # type: ignore[attr-defined]
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield engine
    session.stop()


def computed(engine: Engine, store: Path) -> list[Any]:
    def table(**which: Any) -> Any:
        return stored(engine, str(store), Wanted("churn", **which))

    collected = collected_rows(table(identifier="inputs"))
    sides = [RecordedRows(engine, table(version=version)) for version in ("4", "3")]
    return [figures.counts_of(table()), compare(*sides), compare(collected, collected)]


def taken_apart(engine: Engine) -> list[Any]:
    texts = ibis.memtable({"n": range(len(HOSTILE)), "text": HOSTILE}, schema={"n": "int64", "text": "string"})
    document = engine.document(texts.text)
    fields = engine.fields(document, ["a", "A", "a~/b"])
    columns = {"whole": engine.whole(document), "list": engine.elements(document)}
    table = texts.select("n", **columns, **{f"f{at}": field for at, field in enumerate(fields)})
    rows: list[dict[str, Any]] = engine.backend.to_pyarrow(table.order_by("n")).to_pylist()
    return [{name: None if value == [] else value for name, value in row.items()} for row in rows]


@pytest.mark.spark
def test_spark_computes_what_duckdb_does(spark: Engine, store: Path) -> None:
    assert computed(spark, store) == computed(engines.connect("duckdb"), store)


@pytest.mark.spark
@pytest.mark.parametrize("least", [1.0, 0.1, 0.05, -1.7976931348623157e308])
def test_spark_counts_what_is_just_below_the_reference_apart(spark: Engine, least: float) -> None:
    values = [least, math.nextafter(least, -math.inf)]
    session: Any = spark.session  # type: ignore[attr-defined]
    session.createDataFrame([(value,) for value in values], "x double").createOrReplaceTempView("edges")
    bins = bins_of([least])

    assert bins is not None
    assert counted(spark.backend.table("edges"), {"x": bins}) == {"x": [1, 1, 0, 0]}


@pytest.mark.spark
def test_spark_exports_what_duckdb_does(spark: Engine, store: Path, tmp_path: Path) -> None:
    def exported(engine: Engine) -> list[str]:
        rows = RecordedRows(engine, stored(engine, str(store), Wanted("churn", version="4", last="2026-11-01")))
        exporting.export(rows.requests, tmp_path / "rows.jsonl", rows.sample())
        exporting.export(rows.requests, tmp_path / "all.jsonl")
        lines = [line for file in sorted(tmp_path.iterdir()) for line in file.read_text().splitlines()]
        return sorted(json.dumps(json.loads(line), sort_keys=True) for line in lines)

    assert exported(spark) == exported(engines.connect("duckdb"))


@pytest.mark.spark
def test_spark_takes_json_apart_as_duckdb_does(spark: Engine) -> None:
    ours, theirs = (taken_apart(engine) for engine in (engines.connect("duckdb"), spark))

    for text, one, other in zip(HOSTILE, ours, theirs, strict=True):
        assert one["list"] == other["list"], text
        assert [one[f"f{at}"] for at in range(3)] == [other[f"f{at}"] for at in range(3)], text
        if text in ('"text"', "3"):
            assert one["whole"] == other["whole"] == json.loads(text if text != "3" else '"3"')


def test_duckdb_takes_any_json_apart() -> None:
    found = taken_apart(engines.connect("duckdb"))

    assert [row["f0"] for row in found] == [None] * 5 + ['it\'s `x` "y"', "[1,2]", "1.5"] + [None] * 5
    assert found[8]["f1"] == "1"
    assert found[9]["f2"] == "true"
    assert found[10]["list"] == ["1", "x", None, '{"b":1}']
    assert [row["whole"] for row in found[-2:]] == ["text", "3"]


class AskedError(Exception):
    """What it says would have been asked."""


def test_trino_is_asked_in_its_own_words(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = engines.connect("duckdb")
    known = stored(duckdb, str(store), Wanted("churn"))
    bins = {name: found for name, values in RecordedRows(duckdb, known).sample().items() if (found := bins_of(values))}
    requests = narrowed(ibis.table(known.schema(), name="requests"), Wanted("churn", first="2026-11-01"))
    rows = RecordedRows(object.__new__(Trino), requests)

    def ask(table: Any, **_: Any) -> None:
        raise AskedError(ibis.to_sql(table, dialect="trino"))

    monkeypatch.setattr("ibis.expr.types.Table.to_pyarrow", ask)
    questions: list[Callable[[], object]] = [partial(figures.counts_of, requests), rows.sample]
    questions += [partial(rows.counts, {feature: each}) for feature, each in bins.items()]
    for question in questions:
        with pytest.raises(AskedError) as asked:
            question()
        assert "requests" in {table.name for table in parse_one(str(asked.value), dialect="trino").find_all(Table)}


def test_an_engine_that_is_not_installed_says_how_to_get_it() -> None:
    with pytest.raises(UsageError, match="needs nowhere, which is not installed") as error:
        extra.needed("nowhere")
    assert "uv tool install --force '.[telemetry]'" in error.value.hint


@pytest.mark.parametrize(
    "url", [None, "http://ada:s3cret@host", "duckdb://x", "trino:///catalog", "trino://a:s3cret/b@h", "host"]
)
def test_trino_has_an_address_of_its_own(url: str | None) -> None:
    with pytest.raises(UsageError, match="needs an address") as refused:
        engines.connect("trino", url)
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"


def test_a_password_reaches_trino_over_tls_alone() -> None:
    trino: Any = pytest.importorskip("trino")

    open_, closed = (
        engines.connect("trino", f"trino://{user}@127.0.0.1:8080/a/b").backend.con
        for user in ("ada%40acme.com", "ada%40acme.com:s3%2Fcret")
    )

    assert (open_.user, open_.http_scheme, open_.auth) == ("ada@acme.com", "http", None)
    assert (closed.user, closed.http_scheme) == ("ada@acme.com", "https")
    assert closed.auth == trino.auth.BasicAuthentication("ada@acme.com", "s3/cret")
