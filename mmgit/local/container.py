"""Runs an image of the layout in a container of its own: no way out to any network, no environment, no privileges.

The engine pulls it from the layout, over loopback. What it needs of this machine is a Docker engine on Linux.
"""

import json
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from mmgit.errors import EngineError
from mmgit.frozen import dataclass
from mmgit.images import loopback
from mmgit.images.layout import Layout
from mmgit.local.asking import Address, Start, Started
from mmgit.lock import Lock
from mmgit.platforms import of_architecture

_PORT = 8080
_MEMORY, _PROCESSES, _SCRATCH = "4g", 512, "size=256m,exec"
_SETTINGS = "/etc/mmgit/settings"
_LOG_LINES = 20


@dataclass(frozen=True)
class Engine:
    """A Docker engine of this machine."""

    client: docker.DockerClient

    @property
    def platform(self) -> str:
        """What it runs, like `linux/amd64`."""
        about = self.client.version()
        return of_architecture(about["Os"], about["Arch"])


def engine() -> Engine | None:
    """The engine that this machine has, by DOCKER_HOST or at its usual place; None if none answers."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException:
        return None
    return Engine(client)


def starting(engine: Engine, images: Layout) -> Start:
    """Start images of the layout in containers. Raises `EngineError` if the engine cannot pull or start one."""
    return lambda manifest, lock: _running(engine, images, manifest.partition("/")[0], lock)


@contextmanager
def pulled(
    client: docker.DockerClient, images: Layout, name: str, digest: str, platform: str | None = None
) -> Iterator[str]:
    """An image of the layout in the engine, by the name that it has there until it is taken away afterwards."""
    server = loopback.serve(images)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    repository = f"127.0.0.1:{server.server_port}/{name}"
    try:
        client.images.pull(repository, tag=digest, platform=platform)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    reference = f"{repository}@{digest}"
    try:
        yield reference
    finally:
        with suppress(NotFound):
            client.images.remove(reference)


@contextmanager
def _running(engine: Engine, images: Layout, model: str, lock: Lock) -> Iterator[Started]:
    name = f"mmgit-try-{uuid.uuid4().hex[:12]}"
    settings = {"service": model, "authentication": "none"}
    try:
        with pulled(engine.client, images, model, lock.index.digest) as image, _settings(settings) as folder:
            network = engine.client.networks.create(name, internal=True)
            try:
                container = _start(engine.client, image, name, folder)
                try:
                    yield _told(container, name, model)
                finally:
                    container.remove(force=True, v=True)
            finally:
                network.remove()
    except DockerException as error:
        raise EngineError(f"the Docker engine refuses image {lock.index.digest}: {error}", "docker info") from error


def _start(client: docker.DockerClient, image: str, name: str, settings: Path) -> Container:
    container = client.containers.create(
        image,
        name=name,
        network=name,
        read_only=True,
        tmpfs={"/tmp": _SCRATCH},  # noqa: S108 - of the container
        volumes={str(settings): {"bind": _SETTINGS, "mode": "ro"}},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=_MEMORY,
        pids_limit=_PROCESSES,
    )
    try:
        container.start()
    except DockerException:
        container.remove(force=True, v=True)
        raise
    return container


def _told(container: Container, network: str, model: str) -> Started:
    def is_running() -> bool:
        container.reload()
        return bool(container.status == "running")

    container.reload()
    host = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
    address = Address(host, _PORT, f"/api/v1/service/{model}/score")
    return Started(address, is_running, lambda: container.logs(tail=_LOG_LINES).decode(errors="replace"))


@contextmanager
def _settings(settings: Mapping[str, Any]) -> Iterator[Path]:
    """A folder with the server's settings, which any user of a container may read."""
    with tempfile.TemporaryDirectory(prefix="mmgit-try-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "settings.json").write_text(json.dumps(settings))
        yield place
