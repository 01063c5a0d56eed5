"""Runs a benchmark of this repository at its smallest size."""

import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def measured(program: str, **variables: str) -> str:
    """What it says; the test fails if it does not come to its end."""
    command = [sys.executable, str(BENCHMARKS / program), "--smallest"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
