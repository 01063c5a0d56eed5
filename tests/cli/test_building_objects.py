"""The Job by which a cluster builds: what is missing by what a real registry has, of the commit that declares it."""

import os
import uuid
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Mmgit
from tests.cli.test_building import ADDRESS, BUILDING, ENVIRONMENT, append
from tests.cli.test_handing_over import BROKEN, SECOND, wait_for
from tests.cli.test_locking import MANIFEST, Flow, git

pytestmark = pytest.mark.registry


@pytest.fixture
def flow(tmp_path: Path, repository: Callable[..., Path]) -> Flow:
    flow = Flow(tmp_path, f"{os.environ['MMGIT_TEST_REGISTRY']}/mmgit-test/{uuid.uuid4().hex}", repository)
    append(flow, ENVIRONMENT, BUILDING + ADDRESS)
    return flow


def test_the_job_builds_what_no_registry_has_and_says_what_is_there(flow: Flow, mmgit: Mmgit) -> None:
    flow.made()
    wait_for(flow, SECOND, BROKEN)

    with chdir(flow.builder):
        before = mmgit("build", "--on", "kubernetes")
        assert mmgit("build", "--push", "--hand-over").code == 8
        after = mmgit("build", "--on", "kubernetes")

    first, second = yaml.safe_load(before.out), yaml.safe_load(after.out)
    commit = git(flow.builder, "rev-parse", "HEAD")
    steps = second["spec"]["template"]["spec"]["initContainers"]
    assert first["spec"]["completions"] == 3
    assert second["spec"]["completions"] == 1
    assert command_of(second)[1] == BROKEN
    assert f"manifest {MANIFEST} is built already: mmgit lock --from-registry" in after.err
    assert steps[1]["command"][-2:] == ["https://git.example.com/ml/models.git", commit]
    assert second["metadata"]["namespace"] == "ml-test"


def test_where_nothing_is_missing_there_is_no_job(flow: Flow, mmgit: Mmgit) -> None:
    flow.made()

    with chdir(flow.builder):
        mmgit("build", "--push", "--hand-over")
        ended = mmgit("build", "--on", "kubernetes")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err.endswith("nothing to build\n")


def test_a_pod_builds_the_part_of_its_index(flow: Flow, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.made()
    wait_for(flow, SECOND)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")

    with chdir(flow.builder):
        job = yaml.safe_load(mmgit("build", "--on", "kubernetes").out)
        ended = mmgit(*command_of(job))

    assert ended.code == 0, ended.err
    assert f"manifest {SECOND}" in ended.out
    assert f"manifest {MANIFEST}" not in ended.out


def test_what_is_of_no_commit_is_built_nowhere(flow: Flow, mmgit: Mmgit) -> None:
    (flow.builder / "models/churn/manifests/1/score.py").write_text("def run(x):\n    return [x]\n")

    with chdir(flow.builder):
        ended = mmgit("build", "--on", "kubernetes")

    assert ended.code == 7
    assert "models/churn/manifests/1/score.py is not as it was committed" in ended.err


def test_a_manifest_that_nobody_waits_for_is_named(flow: Flow, mmgit: Mmgit) -> None:
    with chdir(flow.builder):
        ended = mmgit("build", "churn/9", "--on", "kubernetes")

    assert ended.code == 2
    assert "waits for manifest churn/9" in ended.err


def test_of_two_clusters_one_must_be_named_and_pods_must_know_the_repository(flow: Flow, mmgit: Mmgit) -> None:
    flow.made()
    append(flow, "environments/live/environment.yaml", BUILDING)

    with chdir(flow.builder):
        either = mmgit("build", "--on", "kubernetes")
        nowhere = mmgit("build", "--on", "kubernetes", "--env", "live")
        there = mmgit("build", "--on", "kubernetes", "--env", "test")

    assert (either.code, nowhere.code, there.code) == (2, 2, 0)
    assert "2 environments say how their cluster builds images" in either.err
    assert "--env live" in either.err
    assert "nobody says where pods get the declarations from" in nowhere.err


def command_of(job: Any) -> list[str]:
    """What the pods run, without the word `mmgit`."""
    [container] = job["spec"]["template"]["spec"]["containers"]
    words: list[str] = container["command"]
    return words[1:]
