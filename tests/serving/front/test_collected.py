"""What `collect()` is given comes to the spool, once, with the request's ids, and its caller's data stays as it was."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmgit.sdk import generate_schema
from mmgit.serving.spool.segments import read
from tests.serving.conftest import Service, Start, request, until

COLLECTS = """
import numpy as np
from {package} import ModelDataCollector

inputs = ModelDataCollector("iris", "inputs", ["sepal", "petal"])

def run(x):
    given = np.array(x)
    before = given.copy()
    returned = inputs.collect(given, "mine")
    return [returned, bool((given == before).all())]
"""


def collected(service: Service) -> list[dict[str, Any]]:
    found = [json.loads(record) for record in read(service.folder / "spool")]
    return [record for record in found if record["kind"] == "collected"]


def serve(start: Start, tmp_path: Path, **given: Any) -> Service:
    settings = {"spool_folder": str(tmp_path / "0" / "spool"), "manifest": "iris/2", "models": ["iris/1"], **given}
    return start(telemetry=settings.pop("telemetry", {}), **settings)


@pytest.mark.parametrize("package", ["mmgit.sdk", "azureml.datacollector"])
def test_what_is_collected_is_a_record_and_the_data_is_as_it_was(start: Start, tmp_path: Path, package: str) -> None:
    service = serve(start, tmp_path, score=COLLECTS.format(package=package))

    answer = service.ask(service.score_path, b'{"x": [[1.5, 2], [3, 4]]}', x_request_id="r1", x_correlation_id="c1")

    assert answer.document == [None, True]
    [record] = until(lambda: collected(service))
    assert (record["request_id"], record["correlation_id"], record["manifest"]) == ("r1", "mine", "iris/2")
    assert (record["model"], record["identifier"]) == ("iris", "inputs")
    assert (record["columns"], record["rows"]) == (["sepal", "petal"], [[1.5, 2], [3, 4]])


def test_a_redacted_column_never_leaves_the_scorer(start: Start, tmp_path: Path) -> None:
    service = serve(
        start, tmp_path, score=COLLECTS.format(package="mmgit.sdk"), telemetry={"redact": ["petal"], "inputs": False}
    )

    service.score(x=[[1, 78_051_120]])

    assert service.stop() == 0
    [record] = collected(service)
    assert record["rows"] == [[1, None]]


def test_what_a_failing_call_collected_is_kept(start: Start, tmp_path: Path) -> None:
    score = COLLECTS.format(package="mmgit.sdk") + "    raise ValueError\n"
    service = serve(start, tmp_path, score=score.replace("    return [", "    [returned] = ["))

    assert service.score(x=[[1, 2]]).status == 500

    assert until(lambda: collected(service))[0]["rows"] == [[1, 2]]


def test_losses_of_a_scorer_are_counted_by_the_server(start: Start, tmp_path: Path) -> None:
    score = COLLECTS.format(package="mmgit.sdk").replace("inputs.collect(given", "inputs.collect(np.zeros(10**6)")
    service = serve(start, tmp_path, score=score)

    assert service.score(x=[[1, 2]]).document == [None, True]

    until(lambda: service.metric('mmgit_telemetry_dropped_records_total{reason="scorer"}') == 1)


def test_a_batch_that_is_scored_again_one_by_one_collects_each_once(start: Start, tmp_path: Path) -> None:
    score = """
import os, time
from mmgit.sdk import ModelDataCollector
collector = ModelDataCollector("iris")

def run(x):
    if x[0][0] == 0:
        while not os.path.exists("go"):
            time.sleep(0.005)
    for row in x:
        collector.collect([float(value) for value in row])
    if len(x) > 1:
        raise ValueError("not together")
    return x
"""
    schema = generate_schema(lambda x: x, {"x": np.zeros((1, 1))}, row_wise=True)
    service = serve(start, tmp_path, score=score, schema=schema, batch_max_requests=8)
    clients = [service.client() for _ in range(4)]
    for number, client in enumerate(clients):
        client.send(request(service.score_path, json.dumps({"x": [[number]]}).encode()))
        if number == 0:
            until(lambda: service.metric("mmgit_scorers_busy") == 1)
    until(lambda: service.metric("mmgit_queue_requests") == 3)

    (service.scoring / "go").touch()

    assert [client.answer().document for client in clients] == [[[number]] for number in range(4)]
    assert service.metric("mmgit_batch_replays_total") == 1
    assert service.stop() == 0
    assert sorted(record["rows"][0][0] for record in collected(service)) == [0, 1, 2, 3]
