import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmgit.archive import store as store_module
from mmgit.errors import TelemetryError, UsageError
from mmgit.serving.front.records import Answered, Record, body_of, encoded
from mmgit.serving.scorer.frames import ARGUMENTS
from mmgit.telemetry import archive, engines, figures
from mmgit.telemetry.archive import Wanted
from mmgit.telemetry.rows import RecordedRows
from tests.archive.servers import SERVERS, Server
from tests.telemetry.recorded import requests, spool


def count(store: str, wanted: Wanted) -> int:
    return int(archive.stored(engines.connect("duckdb"), store, wanted).count().to_pyarrow().as_py())


def test_only_what_is_asked_for_is_read(store: Path) -> None:
    assert count(str(store), Wanted()) == 1500
    assert count(str(store), Wanted("churn", "churn", "4")) == 600
    assert count(str(store), Wanted(first="2026-11-02", last="2026-11-02")) == 500
    assert count(str(store), Wanted(identifier="inputs")) > 200


def test_files_of_other_services_and_days_are_not_opened(store: Path, tmp_path: Path) -> None:
    there = shutil.copytree(store, tmp_path / "store")
    for broken in ("service=other/model=m/version=1/identifier=requests/date=2026-11-01", "elsewhere"):
        (there / broken).mkdir(parents=True)
        (there / broken / "a.parquet").write_bytes(b"no parquet")
    for file in there.rglob("date=2026-11-03/*.parquet"):
        file.write_bytes(b"no parquet either")

    assert count(str(there), Wanted("churn", last="2026-11-02")) == 1000


@pytest.mark.parametrize("name", ["with space", "a[1]?*'{b,c}", "x#y?z%41", "a::b", "ü"])
def test_a_store_may_have_any_name(store: Path, tmp_path: Path, name: str) -> None:
    there = shutil.copytree(store, tmp_path / name)

    assert count(str(there), Wanted("churn")) == 1500
    assert count(there.as_uri(), Wanted("churn", "churn", "4")) == 600


def test_temporary_files_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my [files]").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "my [files]"))

    with archive.spooled(engines.connect("duckdb"), [spool(tmp_path / "churn", requests(3, 5))], Wanted()) as table:
        assert table.count().to_pyarrow().as_py() == 5


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    started = SERVERS[request.param](tmp_path / "server")
    yield started
    started.stop()


@pytest.mark.stores
def test_an_object_store_is_read_by_prefix(server: Server, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    _, top = store_module.files_of(server.url, server.endpoint)
    for file in store.rglob("*.parquet"):
        server.files.pipe(f"{top}/{file.relative_to(store)}", file.read_bytes())

    def count(wanted: Wanted) -> int:
        table = archive.stored(engines.connect("duckdb"), server.url, wanted, endpoint=server.endpoint)
        return int(table.count().to_pyarrow().as_py())

    assert count(Wanted("churn", version="3")) == 900
    assert count(Wanted(first="2026-11-02", last="2026-11-02")) == 500
    with pytest.raises(TelemetryError, match="nothing is recorded of other"):
        count(Wanted("other"))


def test_a_spool_is_read_as_if_it_were_uploaded(tmp_path: Path) -> None:
    done = spool(tmp_path / "churn", requests(3, 60))
    under_way = spool(tmp_path / "other", requests(4, 30), is_open=True)

    with archive.spooled(engines.connect("duckdb"), [done, under_way], Wanted("churn")) as table:
        rows = table.group_by("version").agg(rows=table.count()).order_by("version").to_pyarrow().to_pylist()

    assert rows == [{"version": "3", "rows": 60}, {"version": "4", "rows": 30}]


def test_what_a_server_writes_is_read(tmp_path: Path) -> None:
    def record(status: int, inputs: bytes, outputs: bytes) -> dict[str, Any]:
        head = Record("request", "", "churn", "dev", "churn/2", ("churn/1",), "r1", "score", status, 0.5, 1, 2)
        bodies = body_of(inputs, ARGUMENTS), body_of(outputs, ARGUMENTS)
        written: dict[str, Any] = json.loads(encoded(Answered(head, 1764410400.25, *bodies), frozenset()))
        return written

    served = [record(200, b'{"x": [{"age": 3}]}', b"[0.5]"), record(200, b"\x89PNG", b'"cat"'), record(500, b"7", b"")]
    engine = engines.connect("duckdb")

    with archive.spooled(engine, [spool(tmp_path / "churn", served)], Wanted("churn")) as table:
        sample = RecordedRows(engine, table).sample()
        (counts,) = figures.counts_of(table)

    assert {feature.name: values for feature, values in sample.items()} == {"age": [3], "output": [0.5]}
    assert (counts.version, counts.day) == ("churn/1", "2025-11-29")
    assert (figures.total([counts]).requests, figures.total([counts]).failed) == (3, 1)


def test_large_bodies_are_the_sample_where_there_are_no_others(tmp_path: Path) -> None:
    def sampled(*sizes: int) -> list[str]:
        (one,) = requests(3, 1)
        bodies = [{"text": f"{size} " + "x" * size} for size in sizes]
        records = [{**one, "request_id": f"r{at}", "status": 200, "inputs": body} for at, body in enumerate(bodies)]
        engine = engines.connect("duckdb")
        with archive.spooled(engine, [spool(tmp_path / str(sizes[0]), records)], Wanted("churn")) as table:
            sample = RecordedRows(engine, table).sample()
        return [str(each).split()[0] for each in next(iter(sample.values()))]

    assert sampled(100_000, 5, 200_000) == ["5"]
    assert sorted(sampled(100_001, 200_000)) == ["100001", "200000"]


@pytest.mark.parametrize("store", ["/nowhere/at/all", "s3nope://x", "memory://nothing"])
def test_where_nothing_is_that_is_said(store: str) -> None:
    with pytest.raises(TelemetryError, match=r"nothing is recorded of churn|cannot be read"):
        count(store, Wanted("churn"))


@pytest.mark.parametrize("store", ["s3://KEY:SECRET@bucket/a", "s3://KEY:SEC/RET@bucket", "s3nope://KEY:SECRET@x"])
def test_credentials_in_an_address_are_refused_and_not_shown(store: str) -> None:
    with pytest.raises(UsageError, match="holds no credentials") as refused:
        count(store, Wanted("churn"))
    assert "RET@" not in f"{refused.value} {refused.value.hint}"


def test_an_engine_that_reads_no_files_asks_for_a_table() -> None:
    class Other:
        backend = None

    with pytest.raises(UsageError, match="tables, not files"):
        archive.stored(Other(), "/store", Wanted())  # type: ignore[arg-type]
