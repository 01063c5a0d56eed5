"""A real Spark behind the real server: its session, frames of requests and results, and its JVM from start to end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import MAIN, Service, Start, launch, lay_out, until
from tests.serving.spark_model import PEOPLE, SCORE

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]

FACTS = {"runtime": "spark-py"}
SECONDS = 300.0
HANGS = """
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

@udf("long")
def forever(x):
    while True:
        pass

def run(x):
    session = SparkSession.builder.getOrCreate()
    if x == "hang":
        session.range(1).select(forever("id")).collect()
    return session.range(x).count()
"""


TIMES = """
from pyspark.sql import SparkSession

def run(x):
    time, plain = "timestamp'2026-02-28 12:00:00'", "timestamp_ntz'2026-02-28 12:00:00'"
    held = f"array({time}, null) listed, named_struct('at', {time}) struct, array(named_struct('at', {time})) structs"
    return SparkSession.builder.getOrCreate().sql(f"SELECT {held}, map('at', {time}) map, {time} seen, {plain} plain")
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    command = [sys.executable, "-m", "tests.serving.spark_model", str(folder)]
    subprocess.run(command, check=True, env={**os.environ, "TZ": "Asia/Tokyo"}, cwd=Path(__file__).parents[2])
    return folder


@pytest.fixture(scope="module")
def service(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    files = {each.relative_to(trained).as_posix(): each.read_bytes() for each in trained.rglob("*") if each.is_file()}
    schema = json.loads(files.pop("schema.json"))
    folder = tmp_path_factory.mktemp("service") / "spark"
    options = lay_out(folder, score=SCORE, files=files, schema=schema, facts=FACTS)
    found = launch(folder, [sys.executable, "-I", str(MAIN), *options])
    try:
        yield ready(found)
    finally:
        found.end()


@pytest.fixture
def begin(start: Start) -> Start:
    """Starts a server, and waits as long as a JVM may take where others work, too."""
    return lambda **given: ready(start(awaited=False, facts=FACTS, **given))


def ready(service: Service) -> Service:
    until(service.is_ready, "the server does not get ready", seconds=SECONDS)
    return service


def jvms(service: Service) -> list[int]:
    """The Javas below a server."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/java") and str(service.folder).encode() in (status.parent / "environ").read_bytes():
            found.append(int(status.parent.name))
    return found


def test_a_pipeline_of_pyspark_predicts(service: Service) -> None:
    answer = service.score(people=PEOPLE)

    assert answer.status == 200, service.log()
    first, second = answer.document
    assert (first["plan"], first["since"], first["seen"]) == ("FREE", "2026-02-28", "2026-02-28T12:00:00")
    assert (first["prediction"], second["prediction"]) == (1.0, 0.0)
    assert sum(first["probability"]) == pytest.approx(1)


def test_times_are_those_of_utc_wherever_they_stand(begin: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    [row] = begin(score=TIMES).score(x=1).document

    noon = "2026-02-28T12:00:00"
    assert (row["seen"], row["plain"], row["listed"]) == (noon, noon, [noon, None])
    assert (row["struct"], row["map"], row["structs"]) == ({"at": noon}, {"at": noon}, [{"at": noon}])


def test_no_rows_are_none(service: Service) -> None:
    assert service.score(people=[]).document == []


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("visits", 2**63, "people[1].visits: expected a whole number"),
        ("age", "old", "people[1].age: expected a float64 number or null"),
        ("since", "2026-02-30", "people[1].since: not a date cell"),
        ("seen", "2026-02-28T12:00:00+01:00", "people[1].seen: not a timestamp cell"),
        ("spent", [1, "2"], "people[1].spent[1]: expected a float64 number"),
        ("spent", 1, "people[1].spent: expected a list"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_path(service: Service, column: str, cell: Any, words: str) -> None:
    answer = service.score(people=[PEOPLE[0], {**PEOPLE[1], column: cell}])

    assert answer.status == 400
    assert words in answer.document["error"]["message"]


def test_tensors_are_the_columns_of_frames(service: Service) -> None:
    metadata = json.loads(service.ask("/v2/models/digits", method="GET").body)

    assert [(each["name"], each["datatype"]) for each in metadata["inputs"]][:3] == [
        ("age", "FP64"),
        ("plan", "BYTES"),
        ("visits", "INT64"),
    ]
    assert [each["name"] for each in metadata["outputs"]] == ["plan", "since", "seen", "probability", "prediction"]


def test_a_scorer_that_hangs_takes_its_jvm_along(begin: Start) -> None:
    service = begin(score=HANGS, timeout_seconds=20.0)
    [jvm] = jvms(service)

    answer = service.score(x="hang")

    assert answer.status == 504
    until(lambda: not Path(f"/proc/{jvm}").exists(), "the JVM is still there")
    ready(service)
    assert service.score(x=3).document == 3


def test_a_jvm_that_ends_takes_its_scorer_along(begin: Start) -> None:
    service = begin(score=HANGS)
    [jvm] = jvms(service)

    os.kill(jvm, signal.SIGKILL)

    until(lambda: service.logged("scorer_ended"))
    ready(service)
    assert service.score(x=2).document == 2


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_leaves_no_jvm_behind(begin: Start, how: signal.Signals) -> None:
    service = begin(score=HANGS)
    [jvm] = jvms(service)

    service.stop(how)

    until(lambda: not Path(f"/proc/{jvm}").exists(), "the JVM is still there")


def test_settings_beside_the_score_file_go_first(begin: Start) -> None:
    score = "from pyspark.sql import SparkSession as S\n\ndef run(x):\n    return S.getActiveSession().conf.get(x)\n"
    files = {"spark-defaults.conf": "# ours\nspark.sql.shuffle.partitions 7\n"}

    service = begin(score=score, files=files)

    assert service.score(x="spark.sql.shuffle.partitions").document == "7"
    assert service.score(x="spark.ui.enabled").document == "false"


def test_a_scorer_without_java_says_what_is_missing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")

    service = start(score=HANGS, facts=FACTS, awaited=False)
    service.wait()

    [line] = service.logged("init_failed")
    assert "needs Java 17 or newer, and there is none in JAVA_HOME (/nonexistent)" in line["message"]
