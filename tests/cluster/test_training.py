"""A training that a real cluster runs: the Job that `mmgit retrain --objects` prints, in a restricted namespace."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster import images
from tests.cluster.conftest import Copy, apply, kubectl, objects, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

OUTPUT = b"/mnt/outputs/model.bin"
HEADER = {"apiVersion": "mmgit.dev/v1"}
WRITES = (
    bytes.fromhex("488d3d 3b000000 be41000000 baa4010000 b802000000 0f05 89c7 488d35 21000000")
    + bytes([0xBA, len(OUTPUT), 0, 0, 0])
    + bytes.fromhex("b801000000 0f05 31ff")
    + bytes([0x3D, len(OUTPUT), 0, 0, 0])
    + bytes.fromhex("7405 bf01000000 b83c000000 0f05")
    + OUTPUT
    + b"\0"
)
"""Creates the file `OUTPUT`, writes that name into it, and calls `exit(0)` if all of it was written, else `exit(1)`."""


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[str]:
    """A namespace that admits restricted pods alone, with a claim of storage that is there."""
    name = f"mmgit-training-{uuid.uuid4().hex[:8]}"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    volume = None
    if not objects("storageclasses"):
        volume = _volume(name, tmp_path / "claim")
        apply(volume)
        storage |= {"storageClassName": name, "volumeName": name}
    claim = {"name": "trainings", "namespace": name}
    apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claim, "spec": storage})
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
    if volume:
        kubectl("delete", "persistentvolume", name, "--wait=false")


def _volume(name: str, folder: Path) -> dict[str, object]:
    """A folder of this machine, which is the node, as a volume; its group becomes that of the pod."""
    folder.mkdir()
    nodes = [each["metadata"]["name"] for each in objects("nodes")]
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": nodes}]}]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "storageClassName": name,
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        },
    }


def test_a_job_trains_as_a_plain_user_and_writes_into_the_claim(
    namespace: str, tmp_path: Path, repository: Callable[..., Path]
) -> None:
    registry = os.environ["MMGIT_TEST_REGISTRY"]
    digest = images.pushed(WRITES, registry, "training", tmp_path)
    model = {**HEADER, "kind": "Model", "training": {"command": ["/serve"], "outputs": [Path(OUTPUT.decode()).name]}}
    retraining = {"model": "churn", "image": f"{registry}/training@{digest}", "outputs": "trainings", "cpu": "50m"}
    environment = {
        **HEADER,
        "kind": "Environment",
        "target": "kubernetes",
        "registry": registry,
        "namespace": namespace,
        "host": "lab.example.com",
        "gateway": {"name": "infra/public"},
        "retraining": [{**retraining, "memory": "64Mi"}],
    }
    files = {"models/churn/model.yaml": model, "environments/lab/environment.yaml": environment}
    copy = Copy(repository({path: json.dumps(each) for path, each in files.items()}))

    job = copy.mmgit("retrain", "churn", "--objects", "once")
    kubectl("create", "-f", "-", stdin=job)

    def status() -> dict[str, int]:
        [found] = objects("jobs", "-n", namespace)
        assert found["metadata"]["name"] == yaml.safe_load(job)["metadata"]["name"]
        ended: dict[str, int] = found["status"]
        return ended

    wait_until("the training has ended", lambda: {"succeeded", "failed"} & status().keys())
    assert status().get("succeeded") == 1, kubectl("describe", "pods", "-n", namespace)
    written = list((tmp_path / "claim").rglob("model.bin"))
    assert all(file.read_bytes() == OUTPUT for file in written)
