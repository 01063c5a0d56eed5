"""What Spark is told, and what is said where it cannot be started. How it runs is in `tests/serving/test_spark.py`."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmgit.serving.scorer import spark
from mmgit.serving.scorer.result_tensors import tensors_of
from mmgit.serving.scorer.results import json_of
from mmgit.serving.scorer.spark_frames import Rows


@pytest.mark.parametrize(
    ("memory_bytes", "heap"), [(0, "1024m"), (2**30, "512m"), (2 * 2**30, "1024m"), (3 * 2**30 + 1, "1536m")]
)
def test_the_heap_is_half_of_the_memory(memory_bytes: int, heap: str) -> None:
    assert f"{spark._heap_mib(memory_bytes)}m" == heap  # noqa: SLF001 - the rule is documented


def test_too_little_memory_is_said_before_a_jvm_dies_of_it() -> None:
    with pytest.raises(RuntimeError, match="needs 1024 MiB for each scorer, and there are 1023: give the service more"):
        spark._heap_mib(2**30 - 1)  # noqa: SLF001 - as above


def test_settings_of_the_user_are_found_by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "spark-defaults.conf"
    text = "# a comment\n\n  spark.master  local[1]\nspark.ui.enabled=true\n! another\nspark.a.b = c d\n"
    file.write_text(f"{text}\t\n=\t\nspark.c: d\n")

    assert spark._names_in(file) == {"spark.master", "spark.ui.enabled", "spark.a.b", "spark.c"}  # noqa: SLF001 - as above
    assert spark._names_in(tmp_path / "absent") == set()  # noqa: SLF001 - as above


def test_java_is_taken_from_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(0o755)
    monkeypatch.setenv("PATH", str(java.parent))

    monkeypatch.delenv("JAVA_HOME", raising=False)
    by_path = spark._java()  # noqa: SLF001 - as above
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    by_home = spark._java()  # noqa: SLF001 - as above
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")

    assert by_path == by_home == str(java)
    with pytest.raises(RuntimeError, match=r"none in JAVA_HOME \(/nonexistent\); a base of Debian packages gets it by"):
        spark._java()  # noqa: SLF001 - as above


def test_what_killed_scorers_left_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = (f"mmgit-spark-{ended.pid}-a", f"mmgit-spark-{os.getpid()}-b", "mmgit-spark-x-y")
    left, ours, other = (tmp_path / name for name in names)
    for folder in (left, ours, other):
        folder.mkdir()

    made = Path(spark._scratch())  # noqa: SLF001 - as above

    assert {*tmp_path.iterdir()} == {ours, other, made}


@pytest.mark.skipif(not hasattr(os, "ST_NOEXEC"), reason="only Linux says so")
def test_a_folder_where_nothing_may_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOEXEC))

    with pytest.raises(RuntimeError, match=r"`parameters: \{tmp-exec: true\}` in the service"):
        spark._scratch()  # noqa: SLF001 - as above


def test_rows_of_a_frame_are_a_tensor_a_column() -> None:
    rows = Rows([{"label": "a", "score": 1.5}, {"label": "b", "score": 2}], ["label", "score"])

    found = [(tensor.name, tensor.datatype, tensor.shape, tensor.data()) for tensor in tensors_of(rows)]

    assert found == [("label", "BYTES", (2,), ["a", "b"]), ("score", "FP64", (2,), [1.5, 2.0])]
    assert json_of({"rows": rows}) == b'{"rows":[{"label":"a","score":1.5},{"label":"b","score":2}]}'
