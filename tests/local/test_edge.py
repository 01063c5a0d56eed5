"""A module of an edge device on a real Docker engine, started as the agent of the device reads the deployment."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from tests.private_registry import log_in, private_registry

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.registry, pytest.mark.timeout(900)]

PROJECT = Path(__file__).parents[2]
PORT = 18455
URL = f"http://127.0.0.1:{PORT}/api/v1/service/digits/score"
LAYER = "environments/plant/rendered/default/digits.json"
_START_SECONDS = 90
MORE = "memory: 512Mi\ntelemetry: {inputs: true}\n"


@dataclass(frozen=True)
class Plant:
    """A repository with digits released for devices, whose registry wants a login."""

    root: Path
    docker_config: Path
    key: str
    sample: bytes

    def mmgit(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "mmgit", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "DOCKER_CONFIG": str(self.docker_config.parent)},
            check=False,
        )
        assert done.returncode == 0, f"mmgit {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"

    @property
    def login(self) -> dict[str, str]:
        """What a device is told under registryCredentials."""
        ((_, found),) = json.loads(self.docker_config.read_text())["auths"].items()
        username, _, password = b64decode(found["auth"]).decode().partition(":")
        return {"username": username, "password": password}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, copy_of_ours: Callable[[Path], Path]) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp("edge")
    with private_registry(folder) as host:
        root = copy_of_ours(folder / "repository")
        sample = (root / "models/digits/scoring/sample.json").read_bytes()
        plant = Plant(root, log_in(host, folder / "docker"), "", sample)
        declared = root / "mmgit.yaml"
        declared.write_text(declared.read_text().replace("[linux/amd64, linux/arm64]", "[linux/amd64]"))
        plant.mmgit("base", "update", "--platform", "linux/amd64")
        plant.mmgit("env", "create", "plant", "--target", "iot-edge", "--registry", f"{host}/ml")
        plant.mmgit("manifest", "create", "digits")
        plant.mmgit("service", "create", "digits", "--env", "plant", "--key-file", ".mmgit/key")
        service = root / "environments/plant/services/digits.yaml"
        service.write_text(f"{service.read_text()}parameters: {{port: {PORT}, address: 127.0.0.1}}\n{MORE}")
        plant.mmgit("release", "digits", "--env", "plant")
        yield replace(plant, key=(root / ".mmgit/key").read_text().strip())


Module = dict[str, Any]
Start = Callable[[Module], Container]


def module_of(plant: Plant) -> Module:
    """What the agent of a device reads now."""
    module: Module
    (module,) = json.loads((plant.root / LAYER).read_bytes())["modulesContent"]["$edgeAgent"].values()
    return module


@pytest.fixture
def start(plant: Plant) -> Iterator[Start]:
    """Starts a module by Docker's API, as the agent does."""
    client, started = docker.from_env(), []

    def run(module: Module) -> Container:
        settings = module["settings"]
        options = json.loads("".join(settings[key] for key in sorted(settings) if key.startswith("createOptions")))
        repository, _, digest = settings["image"].partition("@")
        client.images.pull(repository, tag=digest, auth_config=plant.login)
        variables = [f"{name}={variable['value']}" for name, variable in module["env"].items()]
        own = {**options, "Image": settings["image"], "Env": variables}
        created = client.api.create_container_from_config(own)  # type: ignore[no-untyped-call]
        container = client.containers.get(created["Id"])
        started.append(container)
        container.start()
        return container

    yield run
    for container in started:
        container.remove(force=True, v=True)
    client.volumes.get("mmgit-digits-spool").remove()


def until_healthy(container: Container) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        container.reload()
        if container.attrs["State"].get("Health", {}).get("Status") == "healthy":
            return
        assert container.status == "running", container.logs().decode()
        time.sleep(0.5)
    pytest.fail(container.logs().decode())


def until_recorded(container: Container) -> None:
    """Until the volume of the service has a file of records."""
    listing = ["/usr/bin/python3", "-I", "-c", "import os; print(*os.listdir('/var/spool/mmgit'))"]
    deadline = time.monotonic() + 10
    while container.exec_run(listing).output in (b"", b"\n"):
        assert time.monotonic() < deadline, container.logs().decode()
        time.sleep(0.2)


def called(plant: Plant, key: str) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(urllib.request.Request(URL, plant.sample, headers), timeout=30) as answer:
        return json.loads(answer.read())


def status_of(plant: Plant, key: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as refused:
        called(plant, key)
    return refused.value.code


def test_a_module_answers_who_has_a_key_and_refuses_all_others(plant: Plant, start: Start) -> None:
    container = start(module_of(plant))
    until_healthy(container)

    assert called(plant, plant.key)["digit"] is not None
    other = f"{plant.key[:-1]}{'y' if plant.key.endswith('x') else 'x'}"
    assert (status_of(plant, ""), status_of(plant, other)) == (401, 401)
    host = container.attrs["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Memory"]) == (True, ["ALL"], 512 * 2**20)
    assert container.attrs["NetworkSettings"]["Ports"]["8080/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": str(PORT)}]
    until_recorded(container)


def test_a_module_that_is_given_no_keys_is_closed(plant: Plant, start: Start) -> None:
    module = module_of(plant)
    del module["env"]["MMGIT_KEYS_JSON"]

    until_healthy(start(module))

    assert status_of(plant, plant.key) == 401


def test_a_key_counts_until_the_deployment_without_it(plant: Plant, start: Start) -> None:
    options = ("service", "keys", "digits", "--env", "plant")
    plant.mmgit(*options, "--regen", "secondary", "--key-file", ".mmgit/secondary")
    plant.mmgit(*options, "--revoke", "primary")
    plant.mmgit("compile")

    until_healthy(start(module_of(plant)))

    assert called(plant, (plant.root / ".mmgit/secondary").read_text().strip())["digit"] is not None
    assert status_of(plant, plant.key) == 401
