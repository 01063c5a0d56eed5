"""What waits for the next answer: records within a bound, redacted here, and losses counted."""

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.serving.scorer.collecting import CELLS_MAX, WAITING_BYTES_MAX, Collecting
from mmgit.serving.scorer.log import RequestLog

SAID = {"service": "digits", "environment": "prod", "manifest": "iris/2", "models": ["iris/1"]}


@pytest.fixture
def log() -> Iterator[RequestLog]:
    null = os.open(os.devnull, os.O_WRONLY)
    log = RequestLog(null)
    log.begin("r1", "c1", "t1")
    yield log
    os.close(null)


def collect(collecting: Collecting, data: Any, **given: Any) -> None:
    named = {"model": "iris", "identifier": "inputs", "columns": None, "correlation_id": "", **given}
    collecting.collect(data=data, **named)


def records(collecting: Collecting) -> list[dict[str, Any]]:
    taken, _ = collecting.take()
    return [json.loads(line) for line in taken.split(b"\n") if line]


def test_a_record_says_for_which_request_and_model_it_is(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": [], "said": SAID})

    collect(collecting, np.array([[1, 2]]), columns=["a", "b"])

    [record] = records(collecting)
    assert record.pop("time").endswith("Z")
    assert record == {
        "kind": "collected",
        **SAID,
        "request_id": "r1",
        "correlation_id": "c1",
        "trace_id": "t1",
        "model": "iris",
        "identifier": "inputs",
        "columns": ["a", "b"],
        "rows": [[1, 2]],
    }


def test_a_correlation_id_of_the_scoring_code_stands_over_the_requests(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": [], "said": SAID})

    collect(collecting, [1], correlation_id="own")

    assert records(collecting)[0]["correlation_id"] == "own"


def test_without_telemetry_nothing_waits(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log)

    collect(collecting, [1])

    assert not collecting.has_news


def test_redacted_columns_and_fields_are_empty(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": ["ssn"], "said": SAID})

    collect(collecting, pd.DataFrame({"age": [40], "ssn": ["078-05-1120"]}))
    collect(collecting, [{"ssn": "078-05-1120", "x": 1}], columns=["person"])

    taken, _ = collecting.take()
    assert b"078" not in taken
    first, second = map(json.loads, taken.split(b"\n"))
    assert (first["rows"], second["rows"]) == ([[40, None]], [[{"ssn": None, "x": 1}]])


def test_where_fields_are_redacted_rows_without_names_are_left_out(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": ["ssn"], "said": SAID})

    collect(collecting, np.array([[40, 780_51_120]]))

    [record] = records(collecting)
    assert (record["rows"], record["rows_omitted"]) == ([], "fields are redacted")


def test_what_waits_is_bounded_and_the_rest_counted(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": [], "said": SAID})

    for _ in range(100):
        collect(collecting, ["a" * 50_000])
    collect(collecting, np.zeros(CELLS_MAX + 1))

    taken, lost = collecting.take()
    assert len(taken) < WAITING_BYTES_MAX
    assert taken.count(b"\n") + 1 + lost == 101
    assert collecting.take() == (b"", 0)


def test_a_value_without_a_json_form_is_counted_too(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": [], "said": SAID})

    with pytest.raises(TypeError):
        collect(collecting, [object()])

    assert collecting.take() == (b"", 1)


def test_threads_of_the_scoring_code_lose_nothing(log: RequestLog) -> None:
    collecting = Collecting()
    collecting.begin(log, {"redact": [], "said": SAID})

    def work() -> None:
        for number in range(200):
            collect(collecting, [number])

    threads = [threading.Thread(target=work) for _ in range(4)]
    taken = 0

    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken += len(records(collecting))
    for thread in threads:
        thread.join()

    assert taken + len(records(collecting)) == 800
