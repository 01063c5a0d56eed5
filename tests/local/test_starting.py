"""What `mmgit up` says where it cannot start; a small program stands in for a Docker without Compose."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.errors import EngineError, UsageError
from mmgit.local import compose

RENDERED = "environments/dev/rendered/compose.yaml"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program `docker` with this text into the only folder that programs are looked for in."""

    def put(script: str) -> None:
        program = tmp_path / "bin/docker"
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\n{script}")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))

    return put


@pytest.mark.parametrize("script", ["raise SystemExit(125)", "print('1.29.2')"])
def test_a_docker_without_compose_is_said_to_be_one(
    repository: Callable[..., Path], docker: Callable[[str], None], script: str
) -> None:
    docker(script)

    with pytest.raises(EngineError, match="Docker is here without Compose v2") as raised:
        compose.refuse_unless_ready(repository({RENDERED: "{}"}), "dev")
    assert "docker-compose-plugin" in raised.value.hint


def test_a_docker_with_compose_is_ready(repository: Callable[..., Path], docker: Callable[[str], None]) -> None:
    docker("print('2.40.3')")

    compose.refuse_unless_ready(repository({RENDERED: "{}"}), "dev")


def test_no_docker_is_said_first_of_all(repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(EngineError, match="Docker is not on this machine"):
        compose.refuse_unless_ready(repository({RENDERED: "{}"}), "dev")


def test_where_nothing_is_rendered_a_release_comes_first(repository: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="nothing is rendered for dev") as raised:
        compose.refuse_unless_ready(repository(), "dev")
    assert "mmgit release SERVICE --env dev" in raised.value.hint


def test_an_engine_that_does_not_answer_has_no_logs_to_read(
    repository: Callable[..., Path], docker: Callable[[str], None], tmp_path: Path
) -> None:
    away = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    docker(f"import sys\nif 'version' in sys.argv: print('2.40.3')\nelse: sys.exit({away!r})")

    with pytest.raises(EngineError, match="Cannot connect to the Docker daemon") as raised:
        compose.up(repository({RENDERED: "{}"}), "dev", state=tmp_path)
    assert raised.value.hint.startswith("docker info ")
