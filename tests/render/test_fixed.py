"""What is fixed from the first release: whoever changes one of these breaks running services."""

from collections.abc import Callable
from typing import Any

import pytest

from mmgit.desired import Autoscale, DesiredService
from mmgit.render import fixed
from mmgit.render.server_files import server_files

MakeService = Callable[..., DesiredService]
DIGEST = "sha256:" + "0d4b" * 16


def blueprint_objects() -> list[dict[str, Any]]:
    """What a hostile blueprint could build: everything that is fixed, said otherwise."""
    pod = {
        "containers": [{"name": "other"}, {"name": "serving", "image": "other", "volumeMounts": [{"name": "own"}]}],
        "volumes": [{"name": "own"}],
    }
    template = {
        "metadata": {"labels": {"mmgit.dev/slot": "b", "own": "x"}, "annotations": {"mmgit.dev/settings": "x"}},
        "spec": pod,
    }
    metadata = {
        "name": "other",
        "namespace": "other",
        "labels": {"mmgit.dev/service": "other", "own": "x"},
        "annotations": {"mmgit.dev/manifest": "other", "own": "x"},
    }
    spec = {"replicas": 99, "selector": {"matchLabels": {"own": "x"}}, "template": template, "paused": True}
    deployment = {"metadata": metadata, "spec": spec, "kind": "Deployment", "apiVersion": "apps/v1"}
    return [deployment, {"apiVersion": "v1", "kind": "ServiceAccount"}]


def complete(service: DesiredService) -> dict[str, dict[str, Any]]:
    objects = fixed.complete(blueprint_objects(), service, "ml", server_files(service))
    return {f"{each['kind']} {each['metadata']['name']}": each for each in objects}


def test_the_objects_and_their_names(service: MakeService) -> None:
    assert list(complete(service())) == [
        "ConfigMap churn-settings",
        "ConfigMap churn-keys",
        "Deployment churn-a",
        "ServiceAccount churn",
    ]


def test_the_selector_is_exactly_service_and_slot(service: MakeService) -> None:
    spec = complete(service())["Deployment churn-a"]["spec"]

    assert spec["selector"] == {"matchLabels": {"mmgit.dev/service": "churn", "mmgit.dev/slot": "a"}}
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_manifest_version_and_image_are_annotations_of_the_slot(service: MakeService) -> None:
    metadata = complete(service(models=("churn/4", "geo/2")))["Deployment churn-a"]["metadata"]

    assert metadata["annotations"] == {
        "mmgit.dev/manifest": "churn/5",
        "mmgit.dev/version": "churn/4, geo/2",
        "mmgit.dev/image": DIGEST,
        "own": "x",
    }


def test_settings_and_keys_are_mounted_as_folders_and_only_settings_restart_pods(service: MakeService) -> None:
    one, two = complete(service()), complete(service(keys=()))
    other = complete(service(settings={"service": "churn", "queue": 11}))
    pod = one["Deployment churn-a"]["spec"]["template"]["spec"]

    assert pod["containers"][1]["volumeMounts"] == [
        {"name": "settings", "mountPath": "/etc/mmgit/settings", "readOnly": True},
        {"name": "keys", "mountPath": "/etc/mmgit/keys", "readOnly": True},
        {"name": "own"},
    ]
    assert pod["volumes"] == [
        {"name": "settings", "configMap": {"name": "churn-settings"}},
        {"name": "keys", "configMap": {"name": "churn-keys"}},
        {"name": "own"},
    ]
    assert list(one["ConfigMap churn-settings"]["data"]) == ["settings.json"]
    assert list(one["ConfigMap churn-keys"]["data"]) == ["keys.json"]
    assert one["ConfigMap churn-keys"]["data"] != two["ConfigMap churn-keys"]["data"]
    assert one["Deployment churn-a"] == two["Deployment churn-a"]
    assert one["Deployment churn-a"]["spec"]["template"] != other["Deployment churn-a"]["spec"]["template"]


def test_only_a_service_that_records_has_a_spool_a_little_larger_than_what_it_may_hold(service: MakeService) -> None:
    pod = complete(service(telemetry={"spool_bytes": 256 * 2**20}))["Deployment churn-a"]["spec"]["template"]["spec"]

    assert {"name": "spool", "mountPath": "/var/spool/mmgit"} in pod["containers"][1]["volumeMounts"]
    assert {"name": "spool", "emptyDir": {"sizeLimit": "272Mi"}} in pod["volumes"]


def test_the_image_labels_namespace_and_replicas_are_not_the_blueprints(service: MakeService) -> None:
    deployment = complete(service(labels={"team": "x"}))["Deployment churn-a"]

    assert (
        deployment["spec"]["template"]["spec"]["containers"][1]["image"]
        == f"registry.example.com/models/churn@{DIGEST}"
    )
    assert deployment["metadata"]["namespace"] == "ml"
    assert deployment["metadata"]["labels"] == {
        "own": "x",
        "mmgit.dev/slot": "a",
        "team": "x",
        "app.kubernetes.io/name": "churn",
        "app.kubernetes.io/managed-by": "mmgit",
        "mmgit.dev/group": "retention",
        "mmgit.dev/service": "churn",
    }
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["paused"] is True
    assert "replicas" not in complete(service(scale=Autoscale(min=2, max=3, target=70)))["Deployment churn-a"]["spec"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda objects: objects.pop(0), "makes one Deployment, the body of a slot; this one makes 0"),
        (lambda objects: objects.append(objects[0]), "this one makes 2"),
        (lambda objects: objects[0].update(spec=[]), "`spec` is no map"),
        (lambda objects: objects[0].update(metadata="x"), "`metadata` is no map"),
        (lambda objects: objects[0]["spec"]["template"]["spec"].pop("containers"), "one container named `serving`"),
        (
            lambda objects: objects[0]["spec"]["template"]["spec"].update(containers="x"),
            "`containers` is no list of maps",
        ),
        (lambda objects: objects[0]["spec"]["template"]["spec"].update(volumes=["x"]), "`volumes` is no list of maps"),
        (lambda objects: objects[1].update(metadata=[]), "`metadata` is no map"),
    ],
)
def test_objects_without_a_place_for_it_are_refused(
    service: MakeService, change: Callable[[Any], object], message: str
) -> None:
    objects = blueprint_objects()
    change(objects)

    with pytest.raises(ValueError, match=message):
        fixed.complete(objects, service(), "ml", server_files(service()))
