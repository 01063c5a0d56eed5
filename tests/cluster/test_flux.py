"""A commit becomes a prediction: a bare repository, Flux, a Deployment, and pods that answer with a key.

Everything is real: the registry, the controllers, the kubelet. Then a commit moves the pin under steady load.
"""

import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.cluster.conftest import Copy, kubectl, objects, run

pytestmark = [pytest.mark.cluster, pytest.mark.network, pytest.mark.timeout(900)]

NAMESPACE = "mmgit-staging"
SERVICE = "digits"
FIRST, SECOND = f"{SERVICE}/1", f"{SERVICE}/2"


class Client:
    """Calls the service at its KubernetesService, as a pod of the cluster would."""

    def __init__(self, body: bytes) -> None:
        (service,) = [each for each in objects("services", "-n", NAMESPACE) if each["metadata"]["name"] == SERVICE]
        (port,) = [each["port"] for each in service["spec"]["ports"] if each["name"] == "http"]
        self.url = f"http://{service['spec']['clusterIP']}:{port}/api/v1/service/{SERVICE}/score"
        self.body = body

    def call(self, key: str | None) -> tuple[int, object]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        request = urllib.request.Request(self.url, self.body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    @contextmanager
    def steady(self, key: str) -> Iterator[list[tuple[int, object]]]:
        """A client that calls all the time, one request after the other; what it got."""
        answers: list[tuple[int, object]] = []
        done = threading.Event()

        def loop() -> None:
            while not done.is_set():
                try:
                    answers.append(self.call(key))
                except OSError as error:
                    answers.append((0, str(error)))
                time.sleep(0.02)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield answers
        finally:
            done.set()
            thread.join()


class Deployment:
    """A copy of this repository whose staging environment is deployed to the test cluster by Flux."""

    def __init__(self, copy: Copy, folder: Path) -> None:
        self.copy = copy
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.bare = Path(os.environ["MMGIT_TEST_GIT_ROOT"]) / f"{name}.git"
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        copy.git("remote", "add", "origin", str(self.bare))
        self.url = f"{os.environ['MMGIT_TEST_GIT_URL']}/{name}.git"
        self.key_file = folder / "key"
        copy.mmgit("env", "update", "staging", "--registry", f"{os.environ['MMGIT_TEST_REGISTRY']}/{name}")
        copy.mmgit("base", "update", "--platform", "linux/amd64")
        project = copy.root / "mmgit.yaml"
        project.write_text(project.read_text().replace("[linux/amd64, linux/arm64]", "[linux/amd64]"))
        for other in ("filetype", "penguins"):
            copy.mmgit("service", "delete", other, "--env", "staging")

    def release(self, manifest: str) -> None:
        """Build a manifest on today's base, and let the service run it."""
        before = self.images(manifest)
        self.copy.mmgit("image", "rebuild", manifest)
        (image,) = self.images(manifest) - before
        options = ("--manifest", manifest, "--image", image)
        self.copy.mmgit("service", "update", SERVICE, "--env", "staging", *options)
        self.copy.mmgit("release", SERVICE, "--env", "staging")

    def images(self, manifest: str) -> set[str]:
        rows = json.loads(self.copy.mmgit("image", "list", "-o", "json"))
        return {row["image"] for row in rows if row["manifest"] == manifest}

    def push(self, message: str) -> None:
        self.copy.mmgit("compile", "--commit", "--all", "-m", message)
        self.copy.git("push", "--quiet", "origin", "main")
        kubectl(
            *("annotate", "--overwrite", "-n", NAMESPACE, "gitrepository", "--all"),
            f"reconcile.fluxcd.io/requestedAt={time.time()}",
        )

    def bootstrap(self) -> None:
        for path in sorted((self.copy.root / "environments/staging/controllers/flux").glob("*.yaml")):
            for document in yaml.safe_load_all(path.read_text()):
                if document and document["kind"] == "GitRepository":
                    document["spec"].update(url=self.url, interval="5s")
                if document:
                    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(document))


def wait_until_rolled_out(manifest: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = [
            each
            for each in objects("deployments", "-n", NAMESPACE)
            if each["metadata"]["name"] == f"{SERVICE}-a"
            and each["metadata"]["annotations"].get("mmgit.dev/manifest") == manifest
        ]
        if found:
            kubectl("rollout", "status", "-n", NAMESPACE, f"deployment/{SERVICE}-a", "--timeout=120s")
            return
        time.sleep(1)
    pytest.fail(
        f"Flux did not apply manifest {manifest} in 120 s: {kubectl('get', '-A', 'kustomizations', '-o', 'yaml')}"
    )


@pytest.fixture
def deployment(copy: Copy, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(copy, tmp_path)
    yield made
    # Flux takes away what it applied, with the account that the namespace holds: so the Kustomizations go first.
    kubectl("delete", "--ignore-not-found", "-n", NAMESPACE, "kustomizations", "--all", "--timeout=90s")
    kubectl("delete", "--ignore-not-found", "namespace", NAMESPACE, "--timeout=90s")


def test_a_commit_moves_the_pin_and_no_request_of_a_steady_client_fails(deployment: Deployment) -> None:
    copy, key_file = deployment.copy, deployment.key_file
    sample = (copy.root / f"models/{SERVICE}/scoring/sample.json").read_bytes()
    deployment.release(FIRST)
    copy.mmgit("service", "keys", SERVICE, "--env", "staging", "--regen", "primary", "--key-file", str(key_file))
    key = key_file.read_text().strip()

    deployment.push("Run the first version")
    deployment.bootstrap()
    wait_until_rolled_out(FIRST)
    client = Client(sample)
    first = client.call(key)
    refused = client.call(None)

    with client.steady(key) as answers:
        deployment.release(SECOND)
        deployment.push("Run the second version")
        wait_until_rolled_out(SECOND)
        time.sleep(10)
    second = client.call(key)

    assert first[0] == second[0] == 200
    assert refused[0] == 401
    assert first[1] != second[1]
    assert {status for status, _ in answers} == {200}
    assert {json.dumps(body) for _, body in answers} == {json.dumps(first[1]), json.dumps(second[1])}
    assert len(answers) > 100
