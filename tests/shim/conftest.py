"""Score files as people wrote them for the reference, run by hand and served."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import PACKAGE, start

__all__ = ["start"]

SCORE_FILES = Path(__file__).parent / "score_files"
ByHand = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def by_hand(tmp_path: Path) -> ByHand:
    """Runs a score file with `python -m mmgit.shim` in a folder of its own, where `files` lie beside it."""

    def run(
        file: str, *arguments: str, files: Mapping[str, str] = {}, interpreter: str = sys.executable
    ) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "by-hand"
        (folder / "outputs").mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        if not (folder / file).exists():
            shutil.copy(SCORE_FILES / file, folder)
        command = [interpreter, "-m", "mmgit.shim", file, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def schema_of(tmp_path: Path, name: str = "service_schema.json") -> Any:
    return json.loads((tmp_path / "by-hand" / name).read_text())
