"""Environments of conda's own packages on this machine."""

import platform
import stat
import sys
from pathlib import Path

import pytest

from mmgit.errors import ServingError
from mmgit.images.conda.asked import conda_file
from mmgit.images.conda.solving import solve
from mmgit.images.origins import Machine
from mmgit.local.conda import conda_environment
from tests.conda_channel import BUILT_AT, forest

HERE = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}.get(platform.machine(), "linux/amd64")


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "rattler"))
    forest(tmp_path / "channels/acme")
    asked = conda_file({"channels": ["./channels/acme"], "dependencies": ["forest"]})
    return solve(asked, [Machine(HERE, "3.11", "/usr/bin/python3", "2.36")], tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="locks are for Linux")
def test_an_environment_is_put_where_it_is_served_from(lock: bytes, tmp_path: Path) -> None:
    folder = tmp_path / ".mmgit/venvs/one"

    interpreter = conda_environment(tmp_path, folder, lock, "3.11")

    assert interpreter == folder / "bin/python3.11"
    assert interpreter.stat().st_mode & stat.S_IXUSR
    assert (folder / "bin/python3").readlink() == Path("python3.11")
    assert (folder / "bin/pydoc").read_text().startswith(f"#!{interpreter}\n")
    assert BUILT_AT.encode() not in interpreter.read_bytes()
    assert (folder / "lib/python3.11/site-packages/forest/__init__.py").exists()


def test_elsewhere_than_on_linux_there_is_none(lock: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(ServingError, match="locked for Linux"):
        conda_environment(tmp_path, tmp_path / "one", lock, "3.11")
