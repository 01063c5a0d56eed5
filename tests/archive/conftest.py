"""Spools with records, and uploaders as they run in their image: a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mmgit.archive import main
from mmgit.serving.spool.segments import segments_of
from mmgit.serving.spool.spool import Spool

DAY = "2026-11-30"
HEAD = {
    "time": f"{DAY}T03:47:03.123Z",
    "service": "churn",
    "environment": "prod",
    "manifest": "churn/5",
    "models": ["churn/4", "scaler/2"],
}
REQUEST = {
    "kind": "request",
    **HEAD,
    "request_id": "r1",
    "route": "score",
    "status": 200,
    "seconds": 0.25,
    "bytes_in": 7,
    "bytes_out": 2,
    "key": "primary",
}
COLLECTED = {"kind": "collected", **HEAD, "request_id": "r1", "model": "churn", "identifier": "inputs"}
UNTIL_SECONDS = 60.0
Upload = Callable[..., subprocess.Popen[str]]


def sealed(folder: Path, *records: dict[str, Any] | bytes) -> list[Path]:
    """The segments of a spool with these records."""
    spool = Spool(folder, 256 * 2**20)
    spool.open()
    spool.append([each if isinstance(each, bytes) else json.dumps(each).encode() for each in records])
    spool.close()
    return [segment.file for segment in segments_of(folder)]


def numbered(numbers: range) -> list[dict[str, Any]]:
    """Requests that are told apart by their ids, every third with a row that was collected for it."""
    return [
        {**COLLECTED, "request_id": f"r{number}", "columns": ["x"], "rows": [[number]]}
        if number % 3 == 0
        else {**REQUEST, "request_id": f"r{number}"}
        for number in numbers
    ]


def ids(count: int) -> list[str]:
    """The ids of the first of them."""
    return sorted(f"r{number}" for number in range(count))


def archived(store: Path) -> list[str]:
    """The ids of all requests in a folder, each as often as it is there; whatever else is there fails."""
    found = []
    for file in sorted(file for file in store.rglob("*") if file.is_file()):
        assert file.suffix == ".parquet", file
        found += pq.read_table(file, columns=["request_id"], partitioning=None)["request_id"].to_pylist()
    return found


def until(told: Callable[[], Any]) -> Any:
    """What `told` returns as soon as that is something."""
    end = time.monotonic() + UNTIL_SECONDS
    while not (found := told()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return found


@pytest.fixture
def upload(tmp_path: Path) -> Iterator[Upload]:
    """Starts an uploader of the spool in `tmp_path`."""
    started: list[subprocess.Popen[str]] = []

    def start(store: str, *options: str, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(main.__file__), "--store", store, "--spool", str(tmp_path / "spool"), *options]
        log = (tmp_path / f"log{len(started)}").open("w")
        started.append(
            subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=subprocess.STDOUT, text=True)
        )
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()
