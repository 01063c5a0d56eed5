"""Runs a compose environment on this machine: its committed files, its images from the layout, and nothing of a hub.

`docker compose` does the work; a registry on loopback offers the layout while it pulls.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmgit.errors import EngineError, UsageError
from mmgit.images.layout import Layout
from mmgit.images.wire import is_loopback
from mmgit.repository import layout
from mmgit.spec import EnvironmentSpec
from mmgit.subprocesses import run, written_by

PROXY_SERVICE = "mmgit_proxy"
_VARIABLES = ("HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
_SECONDS = 600.0


def is_served_here(spec: EnvironmentSpec) -> bool:
    """Whether the environment's registry is the layout of the machine that runs it."""
    return spec.target == "compose" and spec.registry is not None and is_loopback(spec.registry.partition("/")[0])


@contextmanager
def registry_of(spec: EnvironmentSpec, images: Layout) -> Iterator[None]:
    """Offer the layout at the address that the environment names, for as long as this lasts."""
    if not is_served_here(spec) or spec.registry is None:
        yield
        return
    from mmgit.images import loopback  # noqa: PLC0415 - a release asks `is_served_here` only

    port = int(spec.registry.partition("/")[0].rpartition(":")[2])
    try:
        server = loopback.serve(images, port=port)
    except OSError as error:
        hint = "stop what listens there, or set another registry: in the environment"
        raise EngineError(f"port {port} of this machine is taken: {error.strerror}", hint) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def up(root: Path, environment: str, *, state: Path) -> None:
    """Start what is rendered for the environment, and wait until it is healthy.

    Raises:
        EngineError: Docker or Compose is missing, or a container does not start.
    """
    _compose(root, environment, state, "up", "--detach", "--wait", "--remove-orphans")
    _compose(root, environment, state, "kill", "--signal", "SIGUSR2", PROXY_SERVICE)  # it reads its folders again


def down(root: Path, environment: str, *, state: Path) -> None:
    """Stop and remove the containers of the environment."""
    _compose(root, environment, state, "down", "--remove-orphans")


@contextmanager
def logs(root: Path, environment: str, *, state: Path, options: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """The lines of a service's containers, as they come; `options` are those of `docker compose logs`, and its name.

    Raises:
        EngineError: Docker or Compose is missing.
    """
    refuse_unless_ready(root, environment)
    argv = [*_command(root, environment), "logs", "--no-color", "--no-log-prefix", *options]
    with written_by(argv, cwd=root, env_allow=(*_VARIABLES, f"MMGIT_STATE={state}")) as lines:
        yield lines


def refuse_unless_ready(root: Path, environment: str) -> None:
    """That something is rendered, and can be started here.

    Raises:
        EngineError: Docker or Compose is missing.
    """
    if not _file(root, environment).is_file():
        hint = f"mmgit compile   after: mmgit release SERVICE --env {environment}"
        raise UsageError(f"nothing is rendered for {environment}", hint)
    import shutil  # noqa: PLC0415 - a release asks `is_served_here` only

    if shutil.which("docker") is None:
        raise EngineError("Docker is not on this machine", "install Docker with Compose v2, or: mmgit serve SERVICE")
    found = run(["docker", "compose", "version", "--short"], cwd=root, env_allow=_VARIABLES)
    version = found.stdout.decode(errors="replace").strip()
    if found.returncode != 0 or version.lstrip("v").startswith("1."):
        hint = "install its plugin: apt-get install docker-compose-plugin   or: mmgit serve SERVICE"
        raise EngineError("Docker is here without Compose v2", hint)


def _file(root: Path, environment: str) -> Path:
    return root / layout.rendered_folder(environment) / "compose.yaml"


def _command(root: Path, environment: str) -> list[str]:
    file, project = str(_file(root, environment)), f"mmgit-{environment}"
    return ["docker", "compose", "--progress", "quiet", "--file", file, "--project-name", project]


def _compose(root: Path, environment: str, state: Path, *arguments: str) -> None:
    refuse_unless_ready(root, environment)
    file = _file(root, environment)
    argv = [*_command(root, environment), *arguments]
    done = run(argv, cwd=root, env_allow=(*_VARIABLES, f"MMGIT_STATE={state}"), timeout_seconds=_SECONDS)
    is_away = b"Cannot connect to the Docker daemon" in done.stderr
    logs = f"docker compose --file {file} logs   shows what the containers say"
    done.output(EngineError, "docker info   says which engine does not answer; start that" if is_away else logs)
