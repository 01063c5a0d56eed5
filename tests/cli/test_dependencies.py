"""Dependencies as people type them: projects, private indexes, packages without a wheel, conda files."""

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.conda_channel import forest
from tests.images.conftest import member, sha256, tar_of, wheel_of

Here = Callable[..., Path]
Mmgit = Callable[..., Any]

USER, CANARY = "robot-77", "canary-51c"
PROJECT = """[project]
name = "churn"
requires-python = ">=3.11"
dependencies = ["acme-core"]
[project.optional-dependencies]
boost = ["acme-boost"]
"""
BACKEND = """
import os, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "acme_tokenizer-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        info = "acme_tokenizer-1.0.dist-info"
        wheel.writestr("acme_tokenizer.py", "x = 1")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: acme-tokenizer\\nVersion: 1.0\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name
"""
BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


class Private(SimpleHTTPRequestHandler):
    """Gives files to who is logged in."""

    def do_GET(self) -> None:
        wanted = base64.b64encode(f"{USER}:{CANARY}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {wanted}":
            super().do_GET()
        else:
            self.send_error(401)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a private index, whose login is in variables. Source: PEP 503."""
    served = tmp_path / "served"
    source = {"pyproject.toml": BUILD, "backend.py": BACKEND, "PKG-INFO": "Name: acme-tokenizer\nVersion: 1.0\n"}
    packed = tar_of(
        *(member(f"acme_tokenizer-1.0/{path}", text.encode()) for path, text in source.items()), compression="gz"
    )
    offered = {
        "acme-core": wheel_of("acme-core", {"acme_core.py": ""}),
        "acme-boost": wheel_of("acme-boost", {"acme_boost.py": ""}, requires=("acme-core",)),
        "acme-tokenizer": ("acme_tokenizer-1.0.tar.gz", packed),
    }
    for name, (file, data) in offered.items():
        folder = served / "simple" / name
        folder.mkdir(parents=True)
        (folder / file).write_bytes(data)
        (folder / "index.html").write_text(f'<a href="{file}#sha256={sha256(data)}">{file}</a>')
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "rattler"))
    monkeypatch.setenv("UV_INDEX_ACME_USERNAME", USER)
    monkeypatch.setenv("UV_INDEX_ACME_PASSWORD", CANARY)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Private, directory=str(served)))
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def root(here: Here, index: str, tmp_path: Path) -> Path:
    """A repository that takes packages from there, and files to register."""
    (tmp_path / "model.skops").write_text("weights")
    (tmp_path / "score.py").write_text("def run(x):\n    return x\n")
    (tmp_path / "schema.json").write_text("{}")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    project = 'apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: "==0.1.0"\nplatforms: [linux/amd64, linux/arm64]\n'
    declared = f"packages:\n  indexes:\n    - {{name: acme, url: {index!r}}}\n"
    return here({"mmgit.yaml": project + declared.replace("'", '"')})


def files(tmp_path: Path) -> list[str]:
    return [f"{tmp_path}/model.skops", "-f", f"{tmp_path}/score.py", "-s", f"{tmp_path}/schema.json"]


def locked(root: Path, number: int) -> str:
    return (root / f"models/iris/manifests/{number}/pylock.toml").read_text()


def manifest(root: Path, number: int) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / f"models/iris/manifests/{number}/manifest.yaml").read_text())
    return found


def test_a_project_is_locked_from_a_private_index_and_a_package_without_a_wheel_is_built_where_it_is_named(
    root: Path, mmgit: Mmgit, tmp_path: Path
) -> None:
    registered = mmgit(
        "model", "register", "iris", *files(tmp_path), "-p", f"{tmp_path}/pyproject.toml", "--extra", "boost"
    )
    project = root / "models/iris/scoring/pyproject.toml"
    project.write_text(PROJECT.replace('"acme-core"', '"acme-core", "acme-tokenizer"'))
    refused = mmgit("manifest", "create", "iris")
    built = mmgit("manifest", "create", "iris", "--sdist", "acme-tokenizer")
    without = mmgit("manifest", "create", "iris", "--upgrade")
    checked = mmgit("check")

    assert (registered.code, refused.code, built.code, without.code) == (0, 8, 0, 0), registered.err + built.err
    assert "acme-boost" in locked(root, 1)
    assert "--sdist acme-tokenizer" in refused.err
    assert 'path = "wheels/acme_tokenizer-1.0-py3-none-any.whl"' in locked(root, 2)
    assert (manifest(root, 2)["extras"], manifest(root, 2)["sdists"]) == (["boost"], ["acme-tokenizer"])
    assert (root / "models/iris/manifests/2/wheels/acme_tokenizer-1.0-py3-none-any.whl").exists()
    assert "M31" not in checked.out + checked.err
    said = "".join(each.out + each.err for each in (registered, refused, built, without))
    written = b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert not [secret for secret in (USER, CANARY) if secret in said or secret.encode() in written]


def test_packages_of_condas_own_are_locked_for_both_platforms(root: Path, mmgit: Mmgit, tmp_path: Path) -> None:
    forest(root / "channels/acme")
    conda = "channels: [./channels/acme]\ndependencies: [python=3.11, forest, {pip: [acme-boost]}]\n"
    (tmp_path / "environment.yaml").write_text(conda)

    ended = mmgit("model", "register", "iris", *files(tmp_path), "-c", f"{tmp_path}/environment.yaml")
    checked = mmgit("check")

    assert ended.code == 0, ended.err
    lock = json.loads((root / "models/iris/manifests/1/conda.lock").read_text())
    assert set(lock["environments"]["default"]["packages"]) == {"linux-64", "linux-aarch64"}
    assert "acme-core" in locked(root, 1)
    assert manifest(root, 1)["conda"] == "conda.lock"
    assert "M31" not in checked.out + checked.err
    assert CANARY not in (root / "models/iris/manifests/1/conda.lock").read_text()
