"""The benchmark of serving runs to its end, and installs nothing but what its locks name."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.benchmarks.smallest import BENCHMARKS, measured

SERVING = BENCHMARKS / "serving"
LOCKS = sorted(SERVING.glob("peers/*/requirements.txt"))


@pytest.mark.network
@pytest.mark.skipif(sys.platform != "linux", reason="load comes by epoll, from a processor of its own")
@pytest.mark.timeout(900)
def test_the_smallest_run_measures_every_part(tmp_path: Path) -> None:
    if shutil.which("go") is None or (os.cpu_count() or 1) < 2:
        pytest.skip("needs Go and two processors")

    said = measured("serving/run.py", XDG_CACHE_HOME=str(tmp_path))

    for part in (
        "iris, 8 connections",
        "p50 at half",
        "iris, 32 connections",
        "CPU a request",
        "overload:",
        "scorer exits",
    ):
        assert f"| {part}" in said


def test_every_server_has_a_lock_for_what_it_asks_for() -> None:
    asking = sorted(SERVING.glob("peers/*/requirements.in"))

    assert [lock.parent for lock in LOCKS] == [asked.parent for asked in asking]
    assert len(LOCKS) == 7


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_holds_versions_with_hashes_and_names_no_index(lock: Path) -> None:
    text = lock.read_text()

    entries = re.split(r"\n(?=\S)", text.strip())

    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "index" not in re.sub(r"[\w-]+==.*", "", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_names_everything_that_is_asked_for(lock: Path) -> None:
    asked = re.findall(r"^([\w-]+)", (lock.parent / "requirements.in").read_text(), re.MULTILINE)

    locked = re.findall(r"^([\w-]+)(?:\[[\w,]+\])?==", lock.read_text(), re.MULTILINE)

    assert set(asked) <= set(locked)
