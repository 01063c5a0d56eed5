import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mmgit.serving.front.launch import launch_of, memory_bytes, processors
from mmgit.serving.settings import ImageFacts, Settings
from tests.serving.conftest import Start

SETTINGS = Settings(
    "digits",
    manifest="iris/7",
    concurrency=2,
    scoring_folder="/srv/scoring",
    image=ImageFacts(models={"digits": "models/digits", "fall-back": "models/fall-back"}, schema="schema.json"),
)


def test_each_model_is_named_by_a_variable() -> None:
    environment = launch_of(SETTINGS, {"PATH": "/usr/bin"}).environment

    assert environment["MMGIT_MODEL_DIGITS"] == "/srv/scoring/models/digits"
    assert environment["MMGIT_MODEL_FALL_BACK"] == "/srv/scoring/models/fall-back"
    assert environment["PATH"] == "/usr/bin"


def test_a_scorer_does_not_see_what_the_front_alone_is_given() -> None:
    given = {"MMGIT_SETTINGS_JSON": "{}", "MMGIT_KEYS_JSON": "{}", "MMGIT_OTHER": "x"}

    environment = launch_of(SETTINGS, given).environment

    assert environment.keys() & given.keys() == {"MMGIT_OTHER"}


def test_a_python_that_the_dependencies_bring_runs_the_scorers() -> None:
    own = replace(SETTINGS, image=replace(SETTINGS.image, interpreter="/opt/dependencies/bin/python3.11"))

    assert launch_of(SETTINGS, {}).command[0] == sys.executable
    assert launch_of(own, {}).command[0] == "/opt/dependencies/bin/python3.11"
    assert launch_of(own, {}).assignment["dependencies"] == []


def test_scorers_share_the_processors_unless_the_user_says_otherwise() -> None:
    environment = launch_of(SETTINGS, {"MKL_NUM_THREADS": "7"}).environment

    assert environment["OMP_NUM_THREADS"] == str(max(1, processors() // 2))
    assert environment["MKL_NUM_THREADS"] == "7"


def test_a_numeric_library_starts_no_more_threads_than_its_scorer_may_use(start: Start) -> None:
    score = """
import os
import numpy as np

def run(x):
    (np.ones((600, 600)) @ np.ones((600, 600))).sum()
    return len(os.listdir("/proc/self/task"))
"""
    service = start(score=score, concurrency=processors())

    assert service.score(x=1).document == 1


def test_the_assignment_names_what_the_scorer_loads() -> None:
    assert launch_of(SETTINGS, {}).assignment == {
        "scoring_folder": "/srv/scoring",
        "score_file": "score.py",
        "runtime": "python",
        "model_folders": ["/srv/scoring/models/digits", "/srv/scoring/models/fall-back"],
        "outputs": [],
        "trusted": [],
        "threads": max(1, processors() // 2),
        "memory_bytes": memory_bytes() // 2,
        "schema_file": "schema.json",
        "dependencies": ["/opt/dependencies"],
        "sdk_folder": "/opt/mmgit/sdk",
        "packages": "/opt/mmgit/scorer",
        "model_name": "digits",
        "model_version": "7",
        "recording": None,
    }


def test_the_scorer_is_a_file_that_the_users_interpreter_runs() -> None:
    command = launch_of(SETTINGS, {}).command

    assert command[0] == sys.executable  # the one that the front runs by
    assert Path(command[-1]).is_file()


@pytest.mark.parametrize(("quota", "count"), [("50000 100000", 1), ("150000 100000", 2), ("900000 100000", 3)])
def test_a_containers_quota_is_rounded_up_to_whole_processors_that_it_may_run_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 4, 5}, raising=False)
    (tmp_path / "cpu.max").write_text(f"{quota}\n")

    assert processors(tmp_path / "cpu.max") == count


@pytest.mark.parametrize("text", ["max 100000\n", "", None])
def test_without_a_quota_all_processors_count(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "cpu.max").write_text(text)

    assert processors(tmp_path / "cpu.max") >= 1


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("memory.max", "1073741824\n", 2**30),
        ("memory.max", "max\n", 0),
        ("memory/memory.limit_in_bytes", "536870912\n", 2**29),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", 0),
        ("other", "", 0),
    ],
)
def test_the_memory_of_a_container_is_what_its_group_may_have(tmp_path: Path, file: str, text: str, found: int) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)

    assert memory_bytes(tmp_path) == found


def test_scorers_and_spares_share_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmgit.serving.front.launch.memory_bytes", lambda: 3 * 2**30)

    assert launch_of(replace(SETTINGS, spares=1), {}).assignment["memory_bytes"] == 2**30
