"""Records that a spool holds come out as Parquet that others read, each in its partition."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mmgit.archive.columns import COLUMNS_MAX
from mmgit.archive.contents import Segments
from tests.archive.conftest import COLLECTED, DAY, REQUEST, sealed


def tables(files: list[Path]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each file, by the path of its partition."""
    segments = Segments(files, "0badcafe")
    return {
        partition.path: pq.read_table(io.BytesIO(segments.parquet(partition, places))).to_pylist()
        for partition, places in segments.sort().partitions.items()
    }


def test_a_request_is_a_row_in_the_partition_of_its_model(tmp_path: Path) -> None:
    files = sealed(tmp_path, {**REQUEST, "inputs": {"x": [1.0, None]}, "outputs_omitted": "too large"})

    ((path, (row,)),) = tables(files).items()

    assert path == f"service=churn/model=churn/version=4/identifier=requests/date={DAY}"
    assert row["time"].isoformat() == f"{DAY}T03:47:03.123000+00:00"
    assert row["record_id"] == f"0badcafe-{files[0].name.rpartition('-')[0]}-0"
    assert (row["environment"], row["manifest"], row["models"]) == ("prod", "churn/5", ["churn/4", "scaler/2"])
    assert (row["status"], row["seconds"], row["queue_seconds"], row["key"]) == (200, 0.25, None, "primary")
    assert (row["inputs"], row["outputs"], row["outputs_omitted"]) == ('{"x": [1.0, null]}', None, "too large")
    assert row["correlation_id"] is None


def test_collected_rows_are_rows_with_columns_of_their_own_types(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "columns": ["age", "plan", "score", "mixed", "nothing", "tags"],
        "rows": [[40, "basic", 1, 1, None, ["a"]], [None, "plus", 0.5, "x", None, True]],
    }

    ((path, rows),) = tables(sealed(tmp_path, {**COLLECTED, **values})).items()

    assert path == f"service=churn/model=churn/version=4/identifier=inputs/date={DAY}"
    assert [[row[name] for name in ("row", "age", "plan", "score", "mixed", "tags")] for row in rows] == [
        [0, 40, "basic", 1.0, "1", '["a"]'],
        [1, None, "plus", 0.5, "x", "true"],
    ]
    assert "nothing" not in rows[0]


def test_columns_never_clash(tmp_path: Path) -> None:
    named = {**COLLECTED, "columns": ["time", "Service", "a", "a", "A", ""], "rows": [[1, 2, 3, 4, 5, 6]]}
    unnamed = {**COLLECTED, "columns": [], "rows": [[7]]}

    ((_, (first, second)),) = tables(sealed(tmp_path, named, unnamed)).items()

    own = ["row_time", "row_Service", "a", "row_a", "row_row_A", "row_"]
    assert [first[name] for name in own] == [1, 2, 3, 4, 5, 6]
    assert second["column_0"] == 7


def test_columns_beyond_the_bound_are_one(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(COLUMNS_MAX + 2)]
    wide = {**COLLECTED, "columns": names, "rows": [[*range(COLUMNS_MAX + 1), "text"]]}

    ((_, (row, _)),) = tables(sealed(tmp_path, wide, {**COLLECTED, "columns": ["c0"], "rows": [[1]]})).items()

    assert row[names[COLUMNS_MAX - 1]] == COLUMNS_MAX - 1
    assert json.loads(row["other_columns"]) == {"c1000": 1000, "c1001": "text"}


def test_a_record_is_never_in_python_with_all_its_rows(tmp_path: Path) -> None:
    wide = {**COLLECTED, "columns": [f"c{number}" for number in range(1000)], "rows": [[1] * 1000]}
    files = sealed(tmp_path, wide, {**COLLECTED, "columns": ["c0"], "rows": [[1]] * 50_000})
    segments = Segments(files, "0badcafe")

    ((partition, places),) = segments.sort().partitions.items()
    data = pq.ParquetFile(io.BytesIO(segments.parquet(partition, places))).metadata

    assert data.num_rows == 50_001
    assert max(data.row_group(number).num_rows for number in range(data.num_row_groups)) < 40_000


def test_rows_that_were_not_kept_leave_a_row_that_says_so(tmp_path: Path) -> None:
    ((_, (row,)),) = tables(sealed(tmp_path, {**COLLECTED, "rows_omitted": "fields are redacted"})).items()

    assert (row["rows_omitted"], row["row"]) == ("fields are redacted", None)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"model": "scaler"}, "model=scaler/version=2/identifier=inputs"),
        ({"model": "a b"}, "model=a%20b/version=4/identifier=inputs"),
        ({"model": "other"}, "model=other/version=4/identifier=inputs"),
        (
            {"model": "../a=b/%", "identifier": ""},
            "model=..%2Fa%3Db%2F%25/version=4/identifier=__HIVE_DEFAULT_PARTITION__",
        ),
        ({"identifier": "requests"}, "model=churn/version=4/identifier=requests_"),
        ({"models": []}, "model=churn/version=5/identifier=inputs"),
        ({"time": "2026-12-01T00:00:00Z"}, "model=churn/version=4/identifier=inputs/date=2026-12-01"),
    ],
)
def test_collected_rows_lie_where_their_collector_says(tmp_path: Path, said: dict[str, Any], path: str) -> None:
    ((found, _),) = tables(sealed(tmp_path, {**COLLECTED, "rows": [[1]], **said})).items()

    assert found.removeprefix("service=churn/").startswith(path)


def test_a_record_that_cannot_be_read_is_counted_and_hides_no_other(tmp_path: Path) -> None:
    deep = json.dumps(REQUEST)[:-1].encode() + b',"inputs":' + b"[" * 900 + b"]" * 900 + b"}"
    wrong = [{**REQUEST, "status": "?"}, {**REQUEST, "kind": "new"}, {**REQUEST, "status": 2**31}]
    files = sealed(tmp_path, b"no json", deep, *wrong, REQUEST)

    found = Segments(files, "0badcafe").sort()

    assert (found.records, found.unreadable) == (1, 5)


def test_one_large_integer_among_numbers_hides_no_other(tmp_path: Path) -> None:
    ((_, rows),) = tables(sealed(tmp_path, {**COLLECTED, "columns": ["x"], "rows": [[1.5], [2**53 + 1]]})).items()

    assert [row["x"] for row in rows] == [1.5, 2.0**53]


def test_the_same_segments_give_the_same_bytes(tmp_path: Path) -> None:
    files = sealed(tmp_path, REQUEST, {**COLLECTED, "rows": [[1]]})

    once, again = (
        [segments.parquet(partition, places) for partition, places in segments.sort().partitions.items()]
        for segments in (Segments(files, "0badcafe"), Segments(files, "0badcafe"))
    )

    assert once == again
