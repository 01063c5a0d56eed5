"""What a real API server said of a Deployment becomes how well it runs, and since when."""

from typing import Any, cast

import pytest

from mmgit.deliver.cluster.running import Running, is_rolled_out, running_of
from tests.deliver.cluster.conftest import COMMANDS, recorded

State = dict[str, Any]


def running(state: State) -> Running:
    return running_of(state["deployment"], state["pods"], COMMANDS)


def condition(state: State, kind: str) -> dict[str, Any]:
    (found,) = [each for each in state["deployment"]["status"]["conditions"] if each["type"] == kind]
    return cast("dict[str, Any]", found)


@pytest.fixture
def healthy() -> State:
    state: State = recorded("healthy")
    condition(state, "Available")["lastTransitionTime"] = "2026-11-23T10:00:00Z"
    condition(state, "Progressing")["lastUpdateTime"] = "2026-11-23T09:00:00Z"
    return state


def test_what_runs_is_what_pods_are_made_with_whatever_an_annotation_says(healthy: State) -> None:
    annotations = healthy["deployment"]["metadata"]["annotations"]
    digest = annotations["mmgit.dev/image"]
    annotations["mmgit.dev/image"] = f"sha256:{'0' * 64}"

    found = running(healthy)

    assert (found.manifest, found.image, found.ready, found.desired) == ("churn/1", digest, 1, 1)


def test_it_is_healthy_since_it_became_available(healthy: State) -> None:
    assert running(healthy).since == "2026-11-23T10:00:00Z"


def test_a_rollout_that_ended_later_begins_the_time_again(healthy: State) -> None:
    condition(healthy, "Progressing")["lastUpdateTime"] = "2026-11-23T11:00:00Z"

    assert running(healthy).since == "2026-11-23T11:00:00Z"


def test_a_restart_begins_the_time_again(healthy: State) -> None:
    status = healthy["pods"][0]["status"]["containerStatuses"][0]
    status["restartCount"], status["state"] = 1, {"running": {"startedAt": "2026-11-23T12:00:00Z"}}

    assert running(healthy).since == "2026-11-23T12:00:00Z"


def test_a_pod_that_an_autoscaler_added_later_does_not(healthy: State) -> None:
    healthy["pods"].append(recorded("autoscaled")["pods"][0])
    healthy["pods"][-1]["status"]["startTime"] = "2026-11-23T13:00:00Z"

    assert running(healthy).since == "2026-11-23T10:00:00Z"


def test_without_a_deadline_the_youngest_pod_says_when_the_rollout_ended(healthy: State) -> None:
    healthy["deployment"]["status"]["conditions"] = [condition(healthy, "Available")]
    healthy["pods"][0]["status"]["startTime"] = "2026-11-23T13:00:00Z"

    assert running(healthy).since == "2026-11-23T13:00:00Z"


@pytest.mark.parametrize("name", ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"])
def test_it_is_not_healthy_until_every_replica_is_new_and_ready(healthy: State, name: str) -> None:
    healthy["deployment"]["status"][name] += 1

    assert not is_rolled_out(healthy["deployment"])
    assert running(healthy).since is None


def test_a_template_that_no_controller_has_seen_yet_is_not_rolled_out(healthy: State) -> None:
    healthy["deployment"]["metadata"]["generation"] += 1

    assert running(healthy).since is None


def test_nothing_that_is_scaled_to_zero_is_healthy(healthy: State) -> None:
    healthy["deployment"]["spec"]["replicas"] = 0

    found = running(healthy)

    assert found.since is None
    assert found.trouble is not None
    assert found.trouble.reason == "somebody scaled it to 0 replicas"


def test_pods_that_are_refused_say_by_whom() -> None:
    found = running(recorded("refused"))

    assert found.trouble is not None
    assert 'serviceaccount "refused" not found' in found.trouble.reason


def test_a_rollout_that_takes_too_long_says_so(healthy: State) -> None:
    healthy["deployment"]["status"]["readyReplicas"] = 0
    condition(healthy, "Progressing")["reason"] = "ProgressDeadlineExceeded"

    found = running(healthy)

    assert found.trouble is not None
    assert found.trouble.reason.startswith("not ready after ")


@pytest.mark.parametrize("name", ["crashing", "no-image", "no-key", "no-secret", "out-of-memory", "unschedulable"])
def test_a_service_with_a_failing_pod_is_not_healthy_and_says_why(name: str) -> None:
    found = running(recorded(name))

    assert found.since is None
    assert found.trouble is not None
    assert found.ready == 0
