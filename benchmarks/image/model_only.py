"""Times a change of the model alone: a new version of 1 MB, built for two platforms, pushed to a registry and pinned.

Whole processes of `mmgit release`. The first release, which makes all other layers, is not measured.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MMGIT = str(Path(sys.executable).parent / "mmgit")
MODEL_BYTES = 1_000_000
SCORE = "def init():\n    pass\n\n\ndef run(data):\n    return data\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("registry", help="host:port of an image registry on loopback")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mmgit-benchmark-") as name:
        folder = Path(name)
        begin(folder, options.registry)
        walls = [release_version(folder, number) for number in range(2, options.rounds + 2)]
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, N = {len(walls)}")
    print(f"model-only change: {1e3 * statistics.median(walls):.0f} ms wall, least {1e3 * min(walls):.0f} ms")


def begin(folder: Path, registry: str, *dependencies: str) -> None:
    """A repository whose environment takes images from `registry`."""
    mmgit(folder, "new", ".")
    place = f"{registry}/mmgit-benchmark"
    gateway = ("--gateway", "infra/public", "--tls-secret", "models-tls")
    kubernetes = ("--target", "kubernetes", "--namespace", "ml", "--host", "ml.example.com", *gateway)
    mmgit(folder, "env", "create", "staging", *kubernetes, "--registry", place, "--accepts", "build")
    (folder / "score.py").write_text(SCORE)
    write_model(folder)
    mmgit(folder, "model", "register", "churn", "model.bin", "-f", "score.py", *dependencies)
    mmgit(folder, "service", "create", "churn", "--env", "staging", "--key-file", ".mmgit/key")
    mmgit(folder, "release", "churn", "--env", "staging")


def release_version(folder: Path, number: int) -> float:
    """Seconds that the release of version `number`, the next one, takes."""
    write_model(folder)
    mmgit(folder, "model", "register", "churn", "model.bin")
    mmgit(folder, "service", "update", "churn", "--env", "staging", "--manifest", f"churn/{number}")
    os.sync()
    began = time.perf_counter()
    mmgit(folder, "release", "churn", "--env", "staging")
    return time.perf_counter() - began


def write_model(folder: Path) -> None:
    """Bytes that do not compress, as weights hardly do."""
    (folder / "model.bin").write_bytes(os.urandom(MODEL_BYTES))


def mmgit(folder: Path, *arguments: str) -> None:
    """Run a command, which must end well."""
    subprocess.run([MMGIT, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
