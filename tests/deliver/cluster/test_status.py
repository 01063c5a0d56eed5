"""Every declared service beside what runs; and what a standing proves of a pin."""

from collections.abc import Callable
from typing import Any

import pytest

from mmgit.deliver.cluster.status import Standing, cluster_uid, seen, standings
from mmgit.errors import ClusterError
from mmgit.repository.source import DeclaredEnvironment, DeclaredService
from mmgit.spec import EnvironmentSpec, ServiceSpec
from tests.deliver.cluster.conftest import recorded

Serving = Callable[..., Any]
LABELS = "app.kubernetes.io/managed-by=mmgit,mmgit.dev/service"
UID = "1a2755e4-a4e7-4411-98e3-9f7b21434b5c"
IMAGE = recorded("healthy")["deployment"]["metadata"]["annotations"]["mmgit.dev/image"]
NOW = "2026-11-24T00:00:00Z"


def environment(**services: dict[str, Any]) -> DeclaredEnvironment:
    place = {"target": "kubernetes", "registry": "r.test", "namespace": "live", "host": "h.test"}
    document = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", **place, "gateway": {"name": "infra/public"}}
    declared = tuple(
        DeclaredService(name, ServiceSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Service", **spec}), name=name)
        for name, spec in services.items()
    )
    return DeclaredEnvironment("environment.yaml", EnvironmentSpec.read(document), "live", declared)


def one(serving: Serving, spec: dict[str, Any], *names: str) -> list[Standing]:
    """How service `good` stands where these recorded states are in the cluster."""
    states = [recorded(name) for name in names]
    cluster, _ = serving(
        {
            f"/apis/apps/v1/namespaces/live/deployments?limit=500&labelSelector={LABELS}": (
                200,
                {"items": [state["deployment"] for state in states]},
            ),
            f"/api/v1/namespaces/live/pods?limit=500&labelSelector={LABELS}": (
                200,
                {"items": [pod for state in states for pod in state["pods"]]},
            ),
        }
    )
    return standings(cluster, environment(good=spec), "kubectl")


def test_a_service_that_runs_as_pinned_is_healthy(serving: Serving) -> None:
    (found,) = one(serving, {"manifest": "churn/1", "image": IMAGE}, "healthy")

    assert (found.state, found.is_as_pinned, found.trouble) == ("healthy", True, None)


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ({"manifest": "churn/2", "image": IMAGE}, "it runs manifest churn/1, and git pins churn/2"),
        ({"manifest": "churn/1", "image": f"sha256:{'2' * 64}"}, "it runs another image of manifest churn/1"),
    ],
)
def test_a_service_that_runs_another_pin_is_not_as_pinned(serving: Serving, pin: dict[str, str], said: str) -> None:
    (found,) = one(serving, pin, "healthy")

    assert (found.state, found.is_as_pinned) == ("not as pinned", False)
    assert found.trouble is not None
    assert (found.trouble.reason, found.trouble.then) == (said, "mmgit env doctor live")


def test_a_service_that_nobody_applied_is_missing(serving: Serving) -> None:
    (found,) = one(serving, {"manifest": "churn/1", "image": IMAGE})

    assert (found.state, found.running) == ("missing", None)


def test_a_service_that_waits_for_its_first_image_is_as_pinned(serving: Serving) -> None:
    (found,) = one(serving, {"next": "churn/1"})

    assert (found.state, found.is_as_pinned) == ("not pinned", True)


def test_what_nothing_declares_comes_last_with_the_command_that_removes_it(serving: Serving) -> None:
    found = one(serving, {"manifest": "churn/1", "image": IMAGE}, "crashing", "healthy")

    assert [(each.service, each.state) for each in found] == [("good", "healthy"), ("ends", "not declared")]
    assert found[1].trouble is not None
    assert found[1].trouble.then.startswith("kubectl delete deployment ends-a")


def test_evidence_is_of_the_pin_and_the_cluster(serving: Serving) -> None:
    (found,) = one(serving, {"manifest": "churn/1", "image": IMAGE}, "healthy")

    said = seen(found, UID, NOW)

    assert said is not None
    assert (said.manifest, said.image, said.cluster, said.observed_at) == ("churn/1", IMAGE, UID, NOW)
    assert said.since == found.running.since if found.running else None
    assert (said.replicas.ready, said.replicas.desired, said.reason) == (1, 1, "")
    assert said.healthy_seconds > 3600


def test_a_pin_that_does_not_run_has_no_time_whatever_runs_instead(serving: Serving) -> None:
    (found,) = one(serving, {"manifest": "churn/2", "image": IMAGE}, "healthy")

    said = seen(found, UID, NOW)

    assert said is not None
    assert (said.manifest, said.since, said.healthy_seconds) == ("churn/2", None, 0)
    assert said.reason == "not as pinned: it runs manifest churn/1, and git pins churn/2"


def test_a_cluster_whose_clock_is_ahead_proves_no_time(serving: Serving) -> None:
    (found,) = one(serving, {"manifest": "churn/1", "image": IMAGE}, "healthy")

    said = seen(found, UID, "2026-11-01T00:00:00Z")

    assert said is not None
    assert said.healthy_seconds == 0


def test_nothing_is_said_of_what_has_no_pin(serving: Serving) -> None:
    found = one(serving, {"next": "churn/1"}, "crashing")

    assert [seen(each, UID, NOW) for each in found] == [None, None]


def test_a_cluster_is_known_by_its_own_namespace(serving: Serving) -> None:
    cluster, _ = serving({"/api/v1/namespaces/kube-system": (200, {"metadata": {"uid": UID}})})
    other, _ = serving({})

    assert cluster_uid(cluster) == UID
    with pytest.raises(ClusterError, match="kube-system"):
        cluster_uid(other)
