import csv
import json
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq
import pytest

from mmgit.errors import UsageError
from mmgit.telemetry import engines, exporting
from mmgit.telemetry.archive import Wanted, stored
from mmgit.telemetry.features import found_in
from mmgit.telemetry.rows import RecordedRows
from tests.telemetry.recorded import requests

OK = [record for record in requests(3, 900) if record["status"] == 200]


def table(store: Path, **which: Any) -> Any:
    return stored(engines.connect("duckdb"), str(store), Wanted("churn", version="3", **which))


def read(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        return list(pq.read_table(file).to_pylist())
    lines = file.read_text().splitlines()
    return list(csv.DictReader(lines)) if file.suffix == ".csv" else [json.loads(line) for line in lines]


@pytest.mark.parametrize("form", exporting.FORMS)
def test_records_are_written_as_they_are(store: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"all{form}"

    assert exporting.export(table(store), file) == 900

    rows = {row["request_id"]: row for row in read(file)}
    assert rows.keys() == {record["request_id"] for record in requests(3, 900)}
    for record in OK:
        row = rows[record["request_id"]]
        assert json.loads(row["inputs"]) == record["inputs"]
        assert int(row["status"]) == 200
        assert row["models"] in (["churn/3"], '["churn/3"]')
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("form", exporting.FORMS)
def test_rows_have_a_column_a_feature(store: Path, tmp_path: Path, form: str) -> None:
    rows = RecordedRows(engines.connect("duckdb"), table(store))
    file = tmp_path / f"rows{form}"

    many = exporting.export(rows.requests, file, rows.sample())

    found = {(row["request_id"], int(row["row"])): row for row in read(file)}
    assert len(found) == many
    for record in OK:
        for at, given in enumerate(record["inputs"]["x"]):
            row = found[record["request_id"], at]
            assert float(row["Age"]) == given["Age"]
            assert row["plan/~"] == given["plan/~"]
            assert float(row["output"]) == pytest.approx(record["outputs"][at])
            assert float(row["threshold"]) == 0.5
            assert row["age"] in (given["age"], str(given["age"]), "", None)


def test_what_does_not_fit_a_column_is_null_and_names_do_not_clash() -> None:
    features = list(found_in({"inputs": ['{"x": [{"time": 1, "ok": true}]}'], "outputs": ["[1]"]}))
    record = {"inputs": '{"x": [{"time": "soon", "ok": true}, {}, 5]}', "outputs": "[1, [2]]"}

    assert list(exporting.rows_of(record, features)) == [
        {"inputs.time": "soon", "ok": True, "output": 1},
        {"inputs.time": None, "ok": None, "output": None},
        {"inputs.time": None, "ok": None, "output": None},
    ]
    assert list(exporting.rows_of({"inputs": "{", "outputs": None}, features)) == []


def test_no_text_of_a_client_is_a_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    texts = ['=HYPERLINK("x")', "+1", "@SUM(1)", "-1+2", "\tx", "\r=1", "-1.5e-7", "1", "a=b", "", None]
    given = ibis.memtable({"=b": texts, "n": [-1.5] * len(texts)}, schema={"=b": "string", "n": "float64"})

    for form in exporting.FORMS:
        exporting.export(given, tmp_path / f"rows{form}")

    assert [row["=b"] for row in read(tmp_path / "rows.jsonl")] == texts
    with (tmp_path / "rows.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    assert names == ["'=b", "n"]
    cells = [f"'{text}" for text in texts[:6]] + ["-1.5e-7", "1", "a=b", "", ""]
    assert rows == [[cell, "-1.5"] for cell in cells]


def test_a_form_that_is_not_written_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none of \.parquet, \.csv, \.jsonl"):
        exporting.export(table(store), tmp_path / "rows.xlsx")


def test_a_file_that_could_not_be_completed_is_not_there(store: Path, tmp_path: Path) -> None:
    whole = table(store)
    broken = whole.mutate(seconds=whole.inputs.cast("float64"))

    with pytest.raises(Exception, match=r"(?i)convert"):
        exporting.export(broken, tmp_path / "rows.csv")

    assert list(tmp_path.iterdir()) == []
