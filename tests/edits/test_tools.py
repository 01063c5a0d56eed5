"""What a CI installs: this mmgit and nothing else, every package by its hash."""

import hashlib
import subprocess
import sys
import venv
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from mmgit import __version__
from mmgit.edits.tools import tools, wheel

TOP = Path(__file__).parents[2]


def test_the_wheel_holds_the_code_that_runs_and_the_blueprints_and_no_trace_of_a_run() -> None:
    with zipfile.ZipFile(BytesIO(wheel())) as archive:
        names = set(archive.namelist())
        code = {name: archive.read(name) for name in names if name.endswith(".py")}

    ours = {path.relative_to(TOP).as_posix() for path in (TOP / "mmgit").rglob("*") if path.is_file()}
    assert {name for name in ours if "__pycache__" not in name} <= names
    assert not any("__pycache__" in name for name in names)
    assert "mmgit/_blueprints/kubernetes/default/blueprint.yaml" in names
    assert code["mmgit/pipeline.py"] == (TOP / "mmgit/pipeline.py").read_bytes()
    assert f"mmgit-{__version__}.dist-info/RECORD" in names


def test_the_same_code_is_the_same_wheel() -> None:
    assert wheel() == wheel()


def test_an_mmgit_from_its_wheel_runs(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (site,) = (tmp_path / "venv/lib").glob("python3.*/site-packages")
    zipfile.ZipFile(BytesIO(wheel())).extractall(site)
    (site / "rest.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))

    argv = [
        str(tmp_path / "venv/bin/python"),
        "-I",
        "-c",
        "import mmgit.blueprints.folders as f; print(f.__file__); f.built_in()",
    ]
    out = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    assert out.strip().startswith(str(tmp_path))


@pytest.mark.network
def test_everything_is_locked_by_hash_and_mmgit_too(tmp_path: Path) -> None:
    change = tools(tmp_path)

    data = dict(change.files)
    text = (data.pop("ci/mmgit/requirements.txt") or b"").decode()
    ((path, packed),) = data.items()
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#", "--"))]
    assert entries[-1] == f"./{path} --hash=sha256:{hashlib.sha256(packed or b'').hexdigest()}"
    assert {"click", "pydantic", "uv"} <= {line.partition("==")[0] for line in entries}
    assert all(line.endswith("\\") for line in entries[:-1])
    assert "--only-binary :all:" in text.splitlines()


@pytest.mark.network
@pytest.mark.timeout(600)
def test_pip_installs_mmgit_from_what_was_locked(tmp_path: Path) -> None:
    for name, data in tools(tmp_path).files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data or b"")
    venv.create(tmp_path / "venv", with_pip=True, symlinks=True)

    argv = ["venv/bin/python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "ci/mmgit/requirements.txt"]
    subprocess.run(argv, cwd=tmp_path, check=True)

    out = subprocess.run(["venv/bin/mmgit", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert __version__ in out.stdout
