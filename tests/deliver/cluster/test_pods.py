"""What a real API server said of pods becomes plain words and the next command."""

from typing import Any

import pytest

from mmgit.deliver.cluster.pods import restarted_at, short, trouble_of
from tests.deliver.cluster.conftest import COMMANDS, recorded


def pods(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recorded(name)["pods"]
    return found


@pytest.mark.parametrize(
    ("name", "reason", "then"),
    [
        ("no-image", "the image cannot be pulled: not found", "mmgit env doctor live"),
        ("no-secret", "secret absent is missing", "create secret generic absent --from-literal=token=…"),
        ("no-key", "secret absent has no key token", "kubectl -n live edit secret absent"),
        ("out-of-memory", "killed, out of memory with 16Mi, 5 restarts", "churn --env live --memory …"),
        ("crashing", "it crashes: ended with exit code 3, 5 restarts", "--previous"),
        ("unschedulable", "pending, no node takes it: 0/1 nodes are available: 1 Insufficient cpu", "add nodes"),
    ],
)
def test_a_pod_that_fails_has_a_reason_and_a_command(name: str, reason: str, then: str) -> None:
    trouble = trouble_of(pods(name), COMMANDS)

    assert trouble is not None
    assert trouble.reason == reason
    assert then in trouble.then


@pytest.mark.parametrize("name", ["healthy", "autoscaled"])
def test_a_pod_that_works_has_none(name: str) -> None:
    assert trouble_of(pods(name), COMMANDS) is None


def test_a_pod_that_goes_away_is_no_trouble() -> None:
    (pod,) = pods("crashing")
    pod["metadata"]["deletionTimestamp"] = "2026-11-23T20:40:00Z"

    assert trouble_of([pod], COMMANDS) is None


def test_a_pod_that_a_node_evicted_says_why() -> None:
    (pod,) = pods("healthy")
    pod["status"] = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}

    trouble = trouble_of([pod], COMMANDS)

    assert trouble is not None
    assert trouble.reason == "a pod ended: Evicted, The node was low on resource: memory."


@pytest.mark.parametrize(
    ("reason", "message", "said"),
    [
        ("CreateContainerConfigError", 'configmap "churn-settings" not found', "ConfigMap churn-settings or a key"),
        ("CreateContainerConfigError", "runs as root", "the container cannot be made: runs as root"),
        ("RunContainerError", 'exec: "/serve": not found', 'the container does not start: exec: "/serve": not found'),
    ],
)
def test_a_container_that_cannot_begin_says_why(reason: str, message: str, said: str) -> None:
    (pod,) = pods("no-secret")
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": reason, "message": message}}

    trouble = trouble_of([pod], COMMANDS)

    assert trouble is not None
    assert trouble.reason.startswith(said)


def test_a_container_that_came_back_says_since_when() -> None:
    (pod,) = pods("healthy")
    status = pod["status"]["containerStatuses"][0]

    before = restarted_at(pod)
    status["restartCount"] = 1

    assert before == []
    assert restarted_at(pod) == [status["state"]["running"]["startedAt"]]


def test_what_a_cluster_says_is_one_short_line_without_controls() -> None:
    assert short("a\n  b\x1b[31m") == r"a b\x1b[31m"
    assert len(short("x" * 1000)) == 161
    assert short(None) == ""
