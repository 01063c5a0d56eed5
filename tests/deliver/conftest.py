"""Real git repositories, apart from whatever the machine's git is set up to do."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mmgit.deliver.commit import commit
from mmgit.deliver.git import find
from mmgit.deliver.writer import writing
from mmgit.repository.files import Root

Git = Callable[..., str]
Save = Callable[..., str | None]


@pytest.fixture(autouse=True)
def _own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n")
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))] + ["EMAIL"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    files = {
        "mmgit.yaml": "kind: Project\n",
        "service.yaml": "replicas: 1\n",
        "rendered/a.yaml": "a: 1\n",
        "rendered/deep/b.yaml": "b: 1\n",
        "notes/one": "1\n",
        "notes/two": "2\n",
        "notes/three": "3\n",
        ".gitignore": "*.ignored\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    run = git_in(folder)
    run("init", "-q", "--template=")
    run("add", "-A")
    run("commit", "-qm", "Begin")
    return folder


@pytest.fixture
def git(top: Path) -> Git:
    """Runs git in the repository, as its user does; returns what it prints."""
    return git_in(top)


@pytest.fixture
def root(top: Path) -> Root:
    return Root(top)


@pytest.fixture
def save(root: Root) -> Save:
    """Commits changes as mmgit does."""

    def run(changes: Mapping[str, bytes | None], message: str = "Change") -> str | None:
        with writing(root, command="test") as writer:
            repository = find(root.path)
            assert repository
            return commit(writer, repository, changes, message)

    return run


@pytest.fixture
def executable() -> Callable[[Path, str], Path]:
    """Writes a shell script that can be run."""

    def write(path: Path, script: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return write


def git_in(folder: Path) -> Git:
    def run(*arguments: str, stdin: str = "") -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    return run
