"""Records of a pod that is taken away are in the store: its sidecar ends after the server, in restricted security."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.cluster.conftest import (
    FIRST,
    NAMESPACE,
    OK,
    SERVICE,
    Client,
    Copy,
    Deployment,
    apply,
    kubectl,
    objects,
    wait_until,
    wait_until_rolled_out,
)

pytestmark = [pytest.mark.cluster, pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600)]

# As much of S3 as it takes to put an object whole, on Python's own HTTP server: a cluster has no other image.
STORE = """
import http.server, pathlib, urllib.parse
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_PUT(self):
        file = pathlib.Path("/tmp" + urllib.parse.unquote(self.path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("", 9000), Handler).serve_forever()
"""
SHOW = """
import base64, json, pathlib
found = sorted(file for file in pathlib.Path("/tmp/archive").rglob("*") if file.is_file())
print(json.dumps({str(file): base64.b64encode(file.read_bytes()).decode() for file in found}))
"""


def store(image: str) -> dict[str, Any]:
    """A pod with the image of the uploader, which has a Python."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "store",
        "image": image,
        "command": ["/usr/bin/python3", "-I", "-c", STORE],
        "securityContext": {**security, "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the pod
    }
    user = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"securityContext": user, "containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}
    metadata = {"name": "store", "namespace": NAMESPACE, "labels": {"app": "store"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.fixture
def namespace() -> Iterator[None]:
    """The one of the staging environment, in which only restricted pods are let in."""
    metadata = {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    yield
    kubectl("delete", "namespace", NAMESPACE, "--timeout=120s")


@pytest.mark.usefixtures("namespace")
def test_what_a_pod_recorded_is_archived_when_it_is_taken_away(copy: Copy, tmp_path: Path) -> None:
    deployment = Deployment(copy, tmp_path)
    copy.mmgit("base", "update", "uploader", "--platform", "linux/amd64")
    ports = {"selector": {"app": "store"}, "ports": [{"port": 9000}]}
    metadata = {"name": "store", "namespace": NAMESPACE}
    apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": ports})
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}
    metadata = {"name": "store-keys", "namespace": NAMESPACE}
    apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys})
    (address,) = [
        each["spec"]["clusterIP"]
        for each in objects("services", "-n", NAMESPACE)
        if each["metadata"]["name"] == "store"
    ]
    declared = copy.root / "environments/staging/environment.yaml"
    where = f"store: s3://archive/x, endpoint: 'http://{address}:9000', credentials: store-keys"
    declared.write_text(f"{declared.read_text()}telemetry: {{{where}}}\n")
    declared = next((copy.root / "environments/staging/services").rglob(f"{SERVICE}.yaml"))
    declared.write_text(f"{declared.read_text()}telemetry: {{}}\n")
    deployment.release(FIRST)
    deployment.update("--replicas", "1", "--cpu", "50m")
    key = deployment.new_key()
    copy.mmgit("compile")
    rendered = next((copy.root / "environments/staging/rendered").rglob(f"{SERVICE}.yaml"))
    image = next(line.split()[-1].strip(chr(34)) for line in rendered.read_text().splitlines() if "/uploader@" in line)
    apply(store(image))
    kubectl("wait", "-n", NAMESPACE, "pod/store", "--for=condition=Ready", "--timeout=120s")
    kubectl("apply", "--server-side", "-n", NAMESPACE, "-f", str(rendered))
    wait_until_rolled_out(FIRST)
    client = Client(deployment.sample)
    wait_until("the service answers", lambda: client.is_reached() and client.call(key)[0] == OK)

    answered = 1 + sum(client.call(key)[0] == OK for _ in range(20))
    kubectl("delete", "-n", NAMESPACE, "deployment", f"{SERVICE}-a", "--wait=false")
    wait_until("its pod is gone", lambda: len(objects("pods", "-n", NAMESPACE)) == 1)

    shown = json.loads(kubectl("exec", "-n", NAMESPACE, "store", "--", "/usr/bin/python3", "-I", "-c", SHOW))
    tables = [pq.read_table(io.BytesIO(base64.b64decode(data)), partitioning=None) for data in shown.values()]
    assert sum(table["status"].to_pylist().count(OK) for table in tables) == answered
    assert {path.rpartition("/date=")[0] for path in shown} == {
        f"/tmp/archive/x/service={SERVICE}/model={SERVICE}/version=1/identifier=requests"  # noqa: S108 - as above
    }
