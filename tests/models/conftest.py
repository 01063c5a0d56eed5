"""Scorers of this repository's own models: the scoring requirements in a fresh venv, the folder as in an image."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ANSWER = Path(__file__).with_name("answer.py")


@dataclass(frozen=True)
class Version:
    """One registered version of a model, and an interpreter that has what its score.py needs."""

    model: Path
    number: int
    python: Path
    scoring: Path

    @property
    def metrics(self) -> dict[str, float]:
        """What version.yaml declares."""
        declared = yaml.safe_load((self.model / "versions" / str(self.number) / "version.yaml").read_text())
        return dict(declared["metrics"])

    def answers(self, bodies: Iterable[Any]) -> list[tuple[int, Any]]:
        """Status and document for each request body, through the serving layer's own scorer."""
        lines = "\n".join(map(json.dumps, bodies))
        environment = {**os.environ, f"MMGIT_MODEL_{self.model.name.upper()}": f"models/{self.model.name}"}
        said = self.run([ANSWER, ROOT / "mmgit/serving/scorer"], said=lines, environment=environment)
        return [(status, document) for status, document in map(json.loads, said.splitlines())]

    def run(self, argv: list[Any], *, said: str = "", environment: dict[str, str] | None = None) -> str:
        """What a program writes in the scoring folder."""
        completed = subprocess.run(
            [self.python, "-B", *argv],
            cwd=self.scoring,
            input=said,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=200,
        )
        return completed.stdout


@pytest.fixture(scope="session")
def version_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Version]:
    """Makes a `Version`; number 0 is the highest."""

    @cache
    def python_of(name: str) -> Path:
        venv = tmp_path_factory.mktemp(f"{name}-venv")
        requirements = ROOT / "models" / name / "scoring/requirements.txt"
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--python", sys.executable, str(venv)], check=True, timeout=60)
        install = ["pip", "install", "--only-binary", ":all:", "--python", str(venv), "-r", str(requirements)]
        subprocess.run([*uv, *install], check=True, timeout=250)
        return venv / "bin/python"

    def make(name: str, number: int = 0) -> Version:
        model = ROOT / "models" / name
        number = number or max(int(folder.name) for folder in (model / "versions").iterdir())
        scoring = tmp_path_factory.mktemp(f"{name}-{number}") / "scoring"
        shutil.copytree(model / "scoring", scoring)
        shutil.copytree(model / "versions" / str(number), scoring / "models" / name)
        for file in (scoring / "models" / name).iterdir():
            (scoring / file.name).symlink_to(Path("models", name, file.name))
        return Version(model, number, python_of(name), scoring)

    return make
