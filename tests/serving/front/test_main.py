import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmgit.serving.spool.segments import read
from tests.serving.conftest import MAIN, PACKAGE, Service, interpreter_of, launch, lay_out, until

LOCK = PACKAGE / "serving" / "front" / "pylock.toml"

COLLECTS = """
from mmgit.sdk import ModelDataCollector

def run(x):
    ModelDataCollector("m").collect([x])
    return x
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder of the front as an image has it, without packages."""
    front = tmp_path / "image" / "front"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE / "serving", front / "mmgit" / "serving", ignore=ignored)
    shutil.copy(PACKAGE / "__init__.py", front / "mmgit")
    shutil.copy(MAIN, front)
    (front / "packages").mkdir()
    return front


@pytest.fixture
def served(image: Path, tmp_path: Path) -> Iterator[Service]:
    """A server from that folder, by an interpreter that sees nothing else."""
    for name in ("httptools", "msgspec"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        (image / "packages" / name).symlink_to(Path(found.origin).parent)
    options = lay_out(tmp_path / "service")
    service = launch(tmp_path / "service", [sys.executable, "-I", "-S", str(image / "main.py"), *options])
    yield service
    service.end()


def test_the_front_needs_nothing_but_its_own_folder_and_packages(served: Service) -> None:
    until(served.is_ready)

    assert served.score(x=1).document == 1
    assert served.stop() == 0


def test_folders_come_from_the_environment_where_no_option_names_them(tmp_path: Path) -> None:
    environment = {"MMGIT_SETTINGS": str(tmp_path / "a"), "MMGIT_KEYS": str(tmp_path / "b")}
    (tmp_path / "facts.json").write_text("{}")

    ended = subprocess.run(
        [sys.executable, "-I", MAIN, "--image-facts", tmp_path / "facts.json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert f"{tmp_path}/a/settings.json" in ended.stderr


@pytest.mark.network
@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_the_front_runs_from_its_lock_on_every_python(image: Path, tmp_path: Path, minor: str) -> None:
    interpreter = interpreter_of(minor)
    install = ["pip", "install", "--only-binary", ":all:", "--python", interpreter, "--target", str(image / "packages")]
    subprocess.run(
        [sys.executable, "-m", "uv", *install, "-r", str(LOCK)], check=True, capture_output=True, timeout=200
    )

    options = lay_out(
        tmp_path / "service",
        score=COLLECTS,
        interpreter=interpreter,
        telemetry={"inputs": True, "outputs": True},
        spool_folder=f"{tmp_path}/spool",
        otlp="http://127.0.0.1:9",
    )
    service = launch(tmp_path / "service", [interpreter, "-I", "-S", str(image / "main.py"), *options])
    until(service.is_ready)

    assert service.score(x=1).document == 1
    assert service.stop() == 0
    kinds = [json.loads(record)["kind"] for record in read(tmp_path / "spool")]
    assert kinds == ["collected", "request"]
    assert service.logged("otlp_failed")
