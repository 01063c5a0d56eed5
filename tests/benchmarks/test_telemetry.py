import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_smallest_run_measures_every_command() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/telemetry.py"), "--smallest"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for what in ("show, all days", "show, one day", "report, one version against the other", "export --rows, one day"):
        assert f"| {what} | " in done.stdout
