"""What tests on the real cluster share: mmgit and kubectl as people run them, a repository of their own, a client."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
NAMESPACE = "mmgit-staging"
SERVICE = "digits"
FIRST, SECOND = f"{SERVICE}/1", f"{SERVICE}/2"
WAIT_SECONDS = 180
IN_STEP_SECONDS = 600
OK = 200


def run(*argv: str, cwd: Path | None = None, stdin: str = "", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: PLW1510 - the assertion below shows more
        argv,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def kubectl(*arguments: str, stdin: str = "") -> str:
    return run("kubectl", *arguments, stdin=stdin)


def objects(*arguments: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(kubectl("get", *arguments, "-o", "json"))["items"]
    return items


class Copy:
    """A copy of this project's own repository, under git, with mmgit run in it."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        self.root = root
        self.environment = environment or {}

    def mmgit(self, *arguments: str) -> str:
        environment = {**self.environment, "PYTHONPATH": str(PROJECT)}
        return run(sys.executable, "-m", "mmgit", *arguments, cwd=self.root, environment=environment)

    def git(self, *arguments: str) -> str:
        return run("git", *arguments, cwd=self.root, environment=self.environment)


class Client:
    """Calls the service at its KubernetesService, as a pod of the cluster would."""

    def __init__(self, body: bytes, namespace: str = NAMESPACE) -> None:
        (service,) = [each for each in objects("services", "-n", namespace) if each["metadata"]["name"] == SERVICE]
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

    def is_reached(self) -> bool:
        """Whether the node knows the way: its rules follow the rollout a moment later."""
        try:
            self.call(None)
        except OSError:
            return False
        return True

    def calls(self, key: str) -> Iterator[tuple[int, object]]:
        """One call after the other, each on a connection of its own."""
        while True:
            try:
                yield self.call(key)
            except OSError as error:
                yield 0, str(error)

    def connected_calls(self, key: str) -> Iterator[tuple[int, object]]:
        """The same on one connection, until an answer says that it is the last one there."""
        host, path = self.url.removeprefix("http://").split("/", 1)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        connection = http.client.HTTPConnection(host, timeout=30)
        while True:
            try:
                connection.request("POST", f"/{path}", self.body, headers)
                answer = connection.getresponse()
                found = answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException) as error:
                found = 0, repr(error)
                connection.close()
            yield found

    @contextmanager
    def steady(self, key: str, *, is_connected: bool = False) -> Iterator[list[tuple[int, object]]]:
        """A client that calls all the time, one request after the other; what it got."""
        answers: list[tuple[int, object]] = []
        done = threading.Event()
        calls = self.connected_calls(key) if is_connected else self.calls(key)

        def loop() -> None:
            while not done.is_set():
                answers.append(next(calls))
                time.sleep(0.02)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield answers
        finally:
            done.set()
            thread.join()


class Deployment:
    """A copy of this repository whose staging environment is deployed to the test cluster, by whatever controller."""

    def __init__(self, copy: Copy, folder: Path) -> None:
        self.copy = copy
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.bare = Path(os.environ["MMGIT_TEST_GIT_ROOT"]) / f"{name}.git"
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        copy.git("remote", "add", "origin", str(self.bare))
        self.url = f"{os.environ['MMGIT_TEST_GIT_URL']}/{name}.git"
        self.key_file = folder / "key"
        copy.mmgit(
            "env", "update", "staging", "--registry", f"{os.environ['MMGIT_TEST_REGISTRY']}/{name}", "--unverified"
        )
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
        self.update("--manifest", manifest, "--image", image)
        self.copy.mmgit("release", SERVICE, "--env", "staging")

    def update(self, *options: str) -> None:
        self.copy.mmgit("service", "update", SERVICE, "--env", "staging", *options)

    def images(self, manifest: str) -> set[str]:
        rows = json.loads(self.copy.mmgit("image", "list", "-o", "json"))
        return {row["image"] for row in rows if row["manifest"] == manifest}

    def new_key(self) -> str:
        options = ("--env", "staging", "--regen", "primary", "--key-file", str(self.key_file))
        self.copy.mmgit("service", "keys", SERVICE, *options)
        return self.key_file.read_text().strip()

    def push(self, message: str) -> None:
        self.copy.mmgit("compile", "--commit", "--all", "-m", message)
        self.copy.git("push", "--quiet", "origin", "main")
        self.reconcile()

    def begin(self) -> None:
        """Do what a person does once, so that the controller deploys from then on."""
        raise NotImplementedError

    def reconcile(self) -> None:
        """Ask the controller to look at the repository now."""
        raise NotImplementedError

    def bootstrap(self, controller: str) -> list[dict[str, Any]]:
        """The objects that a person applies once."""
        text = (self.copy.root / f"environments/staging/controllers/{controller}/bootstrap.yaml").read_text()
        return list(yaml.safe_load_all(text))

    @property
    def sample(self) -> bytes:
        return (self.copy.root / f"models/{SERVICE}/scoring/sample.json").read_bytes()


def apply(each: dict[str, Any]) -> None:
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(each))


def wait_until(said: str, is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"not in {WAIT_SECONDS} s: {said}")
        time.sleep(1)


def wait_until_rolled_out(manifest: str, namespace: str = NAMESPACE) -> None:
    def is_applied() -> bool:
        found = [each["metadata"] for each in objects("deployments", "-n", namespace)]
        return manifest in [each["annotations"].get("mmgit.dev/manifest") for each in found]

    wait_until(f"manifest {manifest} is applied", is_applied)
    kubectl("rollout", "status", "-n", namespace, f"deployment/{SERVICE}-a", "--timeout=120s")


@contextmanager
def watched_replicas() -> Iterator[list[int]]:
    """Every number of replicas that the Deployment asks for meanwhile."""
    path = "jsonpath={.spec.replicas}{' '}"
    argv = ("kubectl", "get", "deployment", f"{SERVICE}-a", "-n", NAMESPACE, "--watch", "-o", path)
    seen: list[int] = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as watching:
        try:
            yield seen
        finally:
            watching.terminate()
            assert watching.stdout
            seen += map(int, watching.stdout.read().split())


def take_over(deployment: Deployment) -> list[int]:
    """From two replicas to an autoscaler; every number of replicas that was asked for on the way."""
    deployment.release(FIRST)
    deployment.update("--replicas", "2", "--cpu", "50m")
    deployment.push("Run two replicas")
    deployment.begin()
    wait_until_rolled_out(FIRST)
    with watched_replicas() as seen:
        deployment.update("--min", "1", "--max", "4")
        deployment.push("Begin the handover")
        wait_until("the autoscaler asks for one more", lambda: replicas() == 3)
        deployment.reconcile()
        time.sleep(5)
        deployment.update("--handed-over")
        deployment.push("End the handover")
        wait_until("the handover has ended", lambda: least_replicas() == 1)
        deployment.reconcile()
        time.sleep(5)
    return seen


def stay_in_step(deployment: Deployment, is_in_step: Callable[[], bool]) -> set[int]:
    """Ten minutes with an autoscaler at work, under load and then without; every number of replicas it asked for.

    Whenever it is looked, the controller and `mmgit diff` find the cluster as it is committed.
    """
    take_over(deployment)
    key = deployment.new_key()
    deployment.push("Renew the key")
    wait_until("what is committed is applied", is_in_step)
    client, seen = Client(deployment.sample), set[int]()
    wait_until("the new key is known", lambda: client.is_reached() and client.call(key)[0] == OK)

    def look_on(seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            deployment.reconcile()
            time.sleep(15)
            seen.add(replicas())
            deployment.copy.mmgit("diff", "--env", "staging")  # anything but "no difference" fails
            wait_until("the controller finds it as committed", is_in_step)

    with client.steady(key):
        look_on(IN_STEP_SECONDS / 3)
    look_on(IN_STEP_SECONDS * 2 / 3)  # the autoscaler takes a replica away once five minutes did not need it
    return seen


def replicas() -> int:
    number: int = objects("deployments", "-n", NAMESPACE)[0]["spec"]["replicas"]
    return number


def least_replicas() -> int:
    number: int = objects("horizontalpodautoscalers", "-n", NAMESPACE)[0]["spec"]["minReplicas"]
    return number


@pytest.fixture
def copy(tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> Copy:
    return Copy(copy_of_ours(tmp_path / "repository"))
