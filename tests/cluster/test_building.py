"""Images that a real cluster builds: the Job of `mmgit build --on kubernetes`, in a namespace of restricted pods.

Pods reach three servers by TLS: a registry that wants a login, a git server, and an index of packages that lacks one.
"""

import http.server
import json
import os
import re
import shutil
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import waiting
from tests.cluster import builder_image
from tests.cluster.conftest import PROJECT, Copy, apply, kubectl, objects, run, wait_until
from tests.cluster.ways import Certificate, address, way
from tests.images.conftest import sha256, wheel_of
from tests.private_registry import log_in, private_registry

pytestmark = [pytest.mark.cluster, pytest.mark.network, pytest.mark.timeout(1200)]

HEADER = {"apiVersion": "mmgit.dev/v1"}
ENVIRONMENT = "environments/lab"
BROKEN = "churn/4"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Lab:
    """A repository whose environment builds in the cluster, and the servers that its pods reach."""

    def __init__(self, root: Path, folder: Path, namespace: str, stack: ExitStack) -> None:
        host = address()
        self.namespace = namespace
        certificate = Certificate(folder, host)
        trusted = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt").read_bytes()
        (folder / "trusted.pem").write_bytes(trusted + certificate.path.read_bytes())
        self.registry = stack.enter_context(way(host, stack.enter_context(private_registry(folder)), certificate))
        login = log_in(self.registry, folder / "docker")
        self.packages = folder / "packages"
        self.packages.mkdir()
        index = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self.packages)))
        threading.Thread(target=index.serve_forever, daemon=True).start()
        stack.callback(index.shutdown)
        self.index = f"https://{stack.enter_context(way(host, f'127.0.0.1:{index.server_port}', certificate))}"
        git = stack.enter_context(way(host, os.environ["MMGIT_TEST_GIT_URL"].partition("//")[2], certificate))
        trusting = {"SSL_CERT_FILE": str(folder / "trusted.pem"), "DOCKER_CONFIG": str(login.parent)}
        self.copy = Copy(root, trusting)
        self.begin(namespace, git, login, certificate)

    def begin(self, namespace: str, git: str, login: Path, certificate: Certificate) -> None:
        copy = self.copy
        copy.mmgit("base", "update", "--platform", "linux/amd64")
        image = builder_image.pushed(copy, os.environ["MMGIT_TEST_REGISTRY"], certificate.path.read_bytes())
        shutil.rmtree(copy.root / "ci")
        name = f"build-{uuid.uuid4().hex[:8]}"
        bare = Path(os.environ["MMGIT_TEST_GIT_ROOT"]) / f"{name}.git"
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        pem = builder_image.CERTIFICATES
        self.declare(
            f"{ENVIRONMENT}/environment.yaml",
            kind="Environment",
            target="kubernetes",
            registry=f"{self.registry}/ml",
            namespace=namespace,
            host="lab.example.com",
            gateway={"name": "infra/public"},
            accepts="build",
            building={
                "image": image,
                "registry_secret": "pusher",
                "git_secret": "reader",
                "repository": f"https://{git}/{name}.git",
                "cpu": "50m",
                "memory": "1Gi",
                "variables": {"SSL_CERT_FILE": pem, "GIT_SSL_CAINFO": pem},
                "parameters": {"space": "2Gi", "retries": 0},
            },
        )
        secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson"}
        pusher = {"name": "pusher", "namespace": namespace}
        apply({**secret, "metadata": pusher, "stringData": {".dockerconfigjson": login.read_text()}})
        netrc = f"machine {git.partition(':')[0]} login reader password only-in-this-test\n"
        reader = {"name": "reader", "namespace": namespace}
        apply({"apiVersion": "v1", "kind": "Secret", "metadata": reader, "stringData": {".netrc": netrc}})
        waiting.wait_for(copy.root / ENVIRONMENT, 1)
        copy.git("init", "--quiet", "--initial-branch=main")
        copy.git("config", "user.name", "Test")
        copy.git("config", "user.email", "test@example.com")
        copy.git("remote", "add", "origin", str(bare))
        copy.mmgit("release", "churn-1", "--env", "lab")
        self.push("Run the first one")

    def declare(self, path: str, **fields: Any) -> None:
        (self.copy.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.copy.root / path).write_text(json.dumps({**HEADER, **fields}))

    def depend(self, number: int, wheel: tuple[str, bytes]) -> None:
        """Let a manifest depend on a wheel, which the index need not have."""
        waiting.depend(self.copy.root, number, index=self.index, sha256=sha256(wheel[1]))
        with (self.copy.root / "mmgit.yaml").open("a") as file:
            file.write(f"packages: {{indexes: [{{name: lab, url: {self.index}}}]}}\n")

    def push(self, message: str) -> None:
        self.copy.git("add", "--all")
        self.copy.git("commit", "--quiet", "-m", message)
        self.copy.git("push", "--quiet", "origin", "HEAD:main")

    def build(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Let the cluster build what is missing, to its end: the Job, and its pods by index."""
        job = self.copy.mmgit("build", "--on", "kubernetes")
        kubectl("create", "-f", "-", stdin=job)
        name = yaml.safe_load(job)["metadata"]["name"]

        def found() -> dict[str, Any]:
            [there] = [each for each in objects("jobs", "-n", self.namespace) if each["metadata"]["name"] == name]
            return there

        def has_ended() -> bool:
            conditions = found()["status"].get("conditions", ())
            return any(each["type"] in {"Complete", "Failed"} and each["status"] == "True" for each in conditions)

        wait_until("the build has ended", has_ended)
        pods = objects("pods", "-n", self.namespace, "-l", f"batch.kubernetes.io/job-name={name}")
        index = "batch.kubernetes.io/job-completion-index"
        return found(), sorted(pods, key=lambda pod: int(pod["metadata"]["annotations"][index]))

    def service(self, number: int) -> dict[str, Any]:
        path = self.copy.root / f"{ENVIRONMENT}/services/churn-{number}.yaml"
        value: dict[str, Any] = yaml.safe_load(path.read_text())
        return value


@pytest.fixture
def lab(tmp_path: Path, repository: Callable[..., Path]) -> Iterator[Lab]:
    namespace = f"mmgit-build-{uuid.uuid4().hex[:8]}"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    root = repository({".gitignore": "/.mmgit/\n", "bases/default.lock.yaml": None})
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
    with ExitStack() as stack:
        stack.callback(kubectl, "delete", "namespace", namespace, "--wait=false")
        yield Lab(root, tmp_path, namespace, stack)


def as_documented() -> str:
    """The columns by which docs/ci.md shows how pods ended."""
    [columns] = re.findall(r"custom-columns='(.*)'", (PROJECT / "docs/ci.md").read_text())
    return f"custom-columns={columns}"


def ended(pod: dict[str, Any]) -> dict[str, Any]:
    """How the build in a pod ended."""
    [container] = pod["status"]["containerStatuses"]
    state: dict[str, Any] = container["state"]["terminated"]
    return state


def test_a_cluster_builds_what_is_missing_and_one_that_fails_is_built_by_the_next_job_alone(lab: Lab) -> None:
    wheel = wheel_of("late", {"late.py": "LATE = True\n"})
    for number in (2, 3, 4):
        waiting.add_manifest(lab.copy.root, number)
        waiting.wait_for(lab.copy.root / ENVIRONMENT, number)
    lab.depend(4, wheel)
    lab.push("Wait for three more")

    job, pods = lab.build()
    told = kubectl("get", "pods", "-n", lab.namespace, "-l", "mmgit.dev/build", "-o", as_documented())
    lab.copy.mmgit("lock", "--from-registry")
    lab.push("Lock what was built")
    first = [lab.service(number) for number in (2, 3, 4)]
    (lab.packages / wheel[0]).write_bytes(wheel[1])
    again, [last] = lab.build()
    lab.copy.mmgit("lock", "--from-registry")

    assert (job["spec"]["completions"], job["status"]["succeeded"]) == (3, 2), job["status"]
    assert (job["status"]["completedIndexes"], job["status"]["failedIndexes"]) == ("0,1", "2")
    assert [ended(pod)["exitCode"] for pod in pods] == [0, 0, 8]
    assert f"error: manifest {BROKEN}: " in told
    assert "404" in told
    assert [service.get("manifest") for service in first] == ["churn/2", "churn/3", None]
    assert first[2]["next"] == BROKEN
    assert again["spec"]["completions"] == again["status"]["succeeded"] == 1
    assert BROKEN in last["spec"]["containers"][0]["command"]
    assert lab.service(4)["manifest"] == BROKEN
    assert "only-in-this-test" not in told + json.dumps([job, again, *pods, last])
    assert not [pod for pod in (*pods, last) if pod["spec"].get("automountServiceAccountToken")]
