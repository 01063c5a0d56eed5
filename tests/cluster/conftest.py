"""What tests on the real cluster share: mmgit and kubectl as people run them, and a repository of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]


def run(*argv: str, cwd: Path | None = None, stdin: str = "", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: PLW1510 - the assertion below shows more
        argv,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def kubectl(*arguments: str, stdin: str = "") -> str:
    return run("kubectl", *arguments, stdin=stdin)


def objects(*arguments: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(kubectl("get", *arguments, "-o", "json"))["items"]
    return items


class Copy:
    """A copy of this project's own repository, under git, with mmgit run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def mmgit(self, *arguments: str) -> str:
        return run(sys.executable, "-m", "mmgit", *arguments, cwd=self.root, environment={"PYTHONPATH": str(PROJECT)})

    def git(self, *arguments: str) -> str:
        return run("git", *arguments, cwd=self.root)


@pytest.fixture
def copy(tmp_path: Path, project: Callable[[Path], Path]) -> Copy:
    return Copy(project(tmp_path / "repository"))
