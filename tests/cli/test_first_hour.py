"""A user's first hour, with the real package registries: an empty folder, a model, one command, a committed service."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]

SCORE = """
import json

def init():
    global weight
    weight = json.load(open("w.json"))

def run(x):
    return [weight * value for value in x]
"""


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Test")
    git(folder, "config", "user.email", "test@example.test")
    monkeypatch.chdir(folder)
    return folder


def test_one_command_leads_from_a_model_file_to_a_committed_service(
    empty: Path, tmp_path: Path, mmgit: Callable[..., Any]
) -> None:
    (tmp_path / "w.json").write_text("3")
    (tmp_path / "score.py").write_text(SCORE)
    assert mmgit("new", ".").code == 0
    git(empty, "add", "--all")
    git(empty, "commit", "--quiet", "--message=Begin")

    files = ["--model-file", f"{tmp_path}/w.json", "-f", f"{tmp_path}/score.py", "--metric", "accuracy=0.98"]
    ended = mmgit("service", "create", "triple", "--env", "dev", *files, "--key-file", str(tmp_path / "key"))

    assert ended.code == 0, ended.err
    assert git(empty, "status", "--porcelain") == ""
    assert git(empty, "log", "-1", "--format=%s").strip() == "Create service triple in dev"
    committed = git(empty, "show", "--name-only", "--format=").split()
    assert "models/triple/versions/1/w.json" in committed
    assert "environments/dev/rendered/default/services/triple.yaml" in committed
    assert (tmp_path / "key").read_text().strip() not in git(empty, "show")
    assert mmgit("compile", "--check").code == 0
