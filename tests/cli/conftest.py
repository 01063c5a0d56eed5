"""Commands run in this process, as `main` runs them, in real folders and git repositories."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmgit.cli.main import run

HEADER = "apiVersion: mmgit.dev/v1\n"
COMPOSE = HEADER + "kind: Environment\ntarget: compose\nregistry: localhost:5480\naccepts: build\n"
SCORE = "def run(x):\n    return x\n"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Mmgit = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a CI says of this project's own changes is not for the tests' repositories."""
    for name in ("MMGIT_TARGET_BRANCH", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mmgit(capsys: pytest.CaptureFixture[str]) -> Mmgit:
    """Runs `mmgit ARGUMENTS` in the current folder."""

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(list(arguments))
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def git() -> Callable[..., str]:
    """Runs git in the current folder, with a name of its own and no settings of this machine."""

    def call(*arguments: str) -> str:
        settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
        path = {"PATH": "/usr/bin:/bin:/usr/local/bin"}
        done = subprocess.run(["git", *who, *arguments], env=settings | path, capture_output=True, check=True)
        return done.stdout.decode()

    return call


@pytest.fixture
def here(repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes the smallest good repository, with a compose environment, the current folder."""

    def make(files: Mapping[str, str | bytes | None] = {}) -> Path:
        usual = {"environments/dev/environment.yaml": COMPOSE, "models/churn/scoring/score.py": SCORE}
        root = repository({**usual, **files})
        monkeypatch.chdir(root)
        return root

    return make


@pytest.fixture
def project(here: Callable[..., Path], git: Callable[..., str]) -> Path:
    """The same, committed on the branch `main` of a git repository."""
    root = here()
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    return root
