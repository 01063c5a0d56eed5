"""The uploader stands beside the server, ends after it, and reaches the store; without a store it is not there."""

from collections.abc import Callable
from typing import Any

import yaml

from mmgit.desired import Desired, DesiredEnvironment, DesiredService, Uploads
from mmgit.render.rendering import render

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
Objects = Callable[..., dict[str, dict[str, Any]]]
IMAGE = f"registry.example.com/models/uploader@sha256:{'ab' * 32}"
RECORDING = {"inputs": True, "outputs": False, "redact": [], "spool_bytes": 256 * 2**20}
UPLOADS = Uploads(IMAGE, "s3://bucket/x", "", "store-keys", 300.0, 64 * 2**20)


def pod_of(objects: dict[str, dict[str, Any]]) -> Any:
    return objects["Deployment-a"]["spec"]["template"]["spec"]


def test_on_kubernetes_it_is_a_sidecar_that_outlives_the_server(service: MakeService, objects: Objects) -> None:
    pod = pod_of(objects(service(telemetry=RECORDING, uploads=UPLOADS)))

    (uploader,) = pod["initContainers"]
    assert (uploader["image"], uploader["restartPolicy"]) == (IMAGE, "Always")
    assert uploader["volumeMounts"] == [{"name": "spool", "mountPath": "/var/spool/mmgit"}]
    assert uploader["envFrom"] == [{"secretRef": {"name": "store-keys"}}]
    assert "envFrom" not in pod["containers"][0]
    assert "livenessProbe" not in uploader
    assert pod["terminationGracePeriodSeconds"] == 105
    assert {"name": "spool", "emptyDir": {"sizeLimit": "336Mi"}} in pod["volumes"]


def test_without_a_store_there_is_none(service: MakeService, objects: Objects) -> None:
    pod = pod_of(objects(service(telemetry=RECORDING)))

    assert "initContainers" not in pod
    assert pod["terminationGracePeriodSeconds"] == 75


def test_many_services_of_one_shape_have_each_its_own(service: MakeService, environment: MakeEnvironment) -> None:
    several = [service(f"churn-{number}", telemetry=RECORDING, uploads=UPLOADS) for number in range(4)]

    together = render(Desired({"production": environment(*several)})).files
    alone = [render(Desired({"production": environment(each)})).files for each in several]

    assert together == {path: data for files in alone for path, data in files.items()}


def composed(service: DesiredService, environment: MakeEnvironment) -> Any:
    made = render(Desired({"dev": environment(service, name="dev", target="compose")}))
    assert made.findings == ()
    return yaml.safe_load(made.files[f"environments/dev/rendered/{service.group}/services/{service.name}.yaml"])


def test_in_compose_it_shares_a_volume_with_all_replicas(service: MakeService, environment: MakeEnvironment) -> None:
    document = composed(service(blueprint="compose/default", telemetry=RECORDING, uploads=UPLOADS), environment)

    server, uploader = document["services"]["churn"], document["services"]["churn_uploader"]
    assert document["volumes"] == {"churn-spool": {}}
    assert {"type": "volume", "source": "churn-spool", "target": "/var/spool/mmgit"} in server["volumes"]
    assert uploader["volumes"] == [{"type": "volume", "source": "churn-spool", "target": "/var/spool/mmgit"}]
    assert uploader["user"] == server["user"]
    assert server["depends_on"] == {"churn_uploader": {"condition": "service_started"}}
    assert uploader["env_file"][0]["path"].endswith("/secrets/store-keys.env")
    assert list(uploader["networks"]) == ["outside"]
