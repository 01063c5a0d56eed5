"""`make lint` fails as soon as one of its tools does."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("broken", ["ruff", "mypy", "lint-imports"])
def test_what_one_tool_refuses_fails_the_whole(tmp_path: Path, broken: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    tools = tmp_path / ".venv/bin"
    tools.mkdir(parents=True)
    for name, word in (("python", "$2"), ("lint-imports", "lint-imports")):
        (tools / name).write_text(f'#!/bin/sh\necho "{word} ran"\n[ "{word}" != {broken} ]\n')
        (tools / name).chmod(0o755)
    make = ["make", "--assume-old=.venv/ready", "lint"]

    failed = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert f"{broken} ran" in failed.stdout
    assert failed.returncode != 0
