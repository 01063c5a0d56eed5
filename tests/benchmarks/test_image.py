"""The benchmark of images runs to its end."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_smallest_run_measures_every_part() -> None:
    if shutil.which("docker-registry") is None:
        pytest.skip("needs docker-registry")

    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/image/run.py"), "--smallest"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for part in ("1 MB, two", "40 MB, two", "largest process", "without any layer", "uv and the codec alone"):
        assert part in done.stdout
