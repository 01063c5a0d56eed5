import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mmgit.sdk import generate_schema
from mmgit.serving.spool.segments import read
from tests.serving.conftest import MAIN, PACKAGE, Service, launch, lay_out, until
from tests.serving.interpreters import any_interpreter_of

LOCKS = {
    "front": PACKAGE / "serving" / "front" / "pylock.toml",
    "scorer": PACKAGE / "serving" / "scorer" / "pylock.toml",
}

COLLECTS = """
import sys
import pandas
from mmgit.sdk import ModelDataCollector

def run(x):
    ModelDataCollector("m").collect(x)
    return {"sum": x.sum(), "python": "%d.%d" % sys.version_info[:2]}
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


def install(interpreter: str, folder: Path, *what: str) -> str:
    """Wheels for an interpreter, in a folder."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--only-binary", ":all:", "--python", interpreter]
    subprocess.run([*command, "--target", str(folder), *what], check=True, capture_output=True, timeout=200)
    return str(folder)


@pytest.mark.network
@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_front_and_scorer_run_from_their_locks_on_every_python(image: Path, tmp_path: Path, minor: str) -> None:
    interpreter = any_interpreter_of(minor)
    install(interpreter, image / "packages", "-r", str(LOCKS["front"]))
    options = lay_out(
        tmp_path / "service",
        score=COLLECTS,
        schema=generate_schema(lambda x: x, {"x": np.array([1.5])}),
        interpreter=interpreter,
        dependencies=[install(interpreter, tmp_path / "dependencies", "pandas")],
        scorer_packages=install(interpreter, tmp_path / "scorer", "-r", str(LOCKS["scorer"])),
        telemetry={"inputs": True, "outputs": True},
        spool_folder=f"{tmp_path}/spool",
        otlp="http://127.0.0.1:9",
    )
    service = launch(tmp_path / "service", [interpreter, "-I", "-S", str(image / "main.py"), *options])
    until(service.is_ready)

    assert service.score(x=[1, 2.5]).document == {"sum": 3.5, "python": minor}
    assert [service.ask(service.score_path, b'{"x": [NaN]}').code for _ in range(3)] == ["json_invalid"] * 3
    (service.folder / "keys" / "keys.json").write_text("{")
    until(lambda: service.metric("mmgit_keys_broken") == 1)
    assert not service.logged("json_by_standard_library")
    assert service.stop() == 0
    kinds = [json.loads(record)["kind"] for record in read(tmp_path / "spool")]
    assert kinds == ["collected", *["request"] * 4]
    assert service.logged("otlp_failed"), (service.folder / "log").read_text()
