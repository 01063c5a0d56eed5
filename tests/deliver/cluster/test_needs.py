"""What rendered objects need of a cluster."""

from typing import Any

from mmgit.deliver.cluster.needs import kinds, needs_metrics, secrets
from tests.deliver.cluster.conftest import recorded


def deployment(service: str, **pod: Any) -> dict[str, Any]:
    labels = {"mmgit.dev/service": service}
    return {"kind": "Deployment", "metadata": {"labels": labels}, "spec": {"template": {"spec": pod}}}


def variable(variable_name: str, **reference: Any) -> dict[str, Any]:
    return {"name": variable_name, "valueFrom": {"secretKeyRef": reference}}


def test_every_kind_is_named_once() -> None:
    found = kinds(recorded("declared") * 2)

    assert ("autoscaling/v2", "HorizontalPodAutoscaler") in found
    assert len(found) == len(set(found)) == 8


def test_an_autoscaler_by_cpu_needs_metrics() -> None:
    objects = recorded("declared")

    assert needs_metrics(objects)
    assert not needs_metrics([each for each in objects if each["kind"] != "HorizontalPodAutoscaler"])


def test_a_secret_is_named_once_with_all_keys_and_its_users() -> None:
    env = [variable("A", name="shop", key="token"), variable("B", name="shop", key="pass")]
    objects = [deployment(name, containers=[{"name": "serving", "env": env}]) for name in ("iris", "churn", "digits")]

    (found,) = secrets(objects)

    assert found.name == "shop"
    assert found.make == "create secret generic shop --from-literal=pass=… --from-literal=token=…"
    assert found.why == "service churn and 2 more"


def test_secrets_of_files_of_whole_environments_and_of_registries_are_needed_too() -> None:
    pod = {
        "containers": [{"name": "serving", "envFrom": [{"secretRef": {"name": "all"}}]}],
        "volumes": [{"name": "v", "secret": {"secretName": "files"}}],
        "imagePullSecrets": [{"name": "pull"}],
    }

    found = {each.name: each.make.split()[:3] for each in secrets([deployment("iris", **pod)])}

    assert found == {
        "all": ["create", "secret", "generic"],
        "files": ["create", "secret", "generic"],
        "pull": ["create", "secret", "docker-registry"],
    }


def test_what_is_optional_is_not_needed() -> None:
    pod = {
        "containers": [{"name": "serving", "env": [variable("A", name="shop", key="token", optional=True)]}],
        "volumes": [{"name": "v", "secret": {"secretName": "files", "optional": True}}],
    }

    assert secrets([deployment("iris", **pod)]) == []
