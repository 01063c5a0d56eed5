"""Committed locks in, environments on this machine out: a venv for each peer, the front's packages, the load generator.

What is there already is used again; its name holds the hash of what it was made of.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FRONT = ROOT / "mmgit" / "serving" / "front"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mmgit-benchmarks"
UV = [str(Path(sys.executable).parent / "uv")]


def peer_python(peer: str) -> str:
    """The interpreter of the venv that this peer's lock asks for."""
    lock = HERE / "peers" / peer / "requirements.txt"

    def fill(folder: Path) -> None:
        subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        python = str(folder / "bin" / "python")
        install = [
            *UV,
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--python",
            python,
            "--requirements",
            str(lock),
        ]
        subprocess.run(install, check=True)

    return str(_made(peer, lock.read_bytes(), fill) / "bin" / "python")


def bare_python() -> str:
    """This interpreter without any package, as images have it for the front."""

    def fill(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)

    return str(_made("python", b"", fill) / "bin" / "python")


def own_packages(part: str) -> Path:
    """The folder of what the front or the scorer imports of its own, as images have it."""
    lock = ROOT / "mmgit" / "serving" / part / "pylock.toml"

    def fill(folder: Path) -> None:
        install = [*UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
        subprocess.run([*install, "--requirements", str(lock)], check=True)

    return _made(part, lock.read_bytes(), fill)


def load_generator() -> Path:
    """The program that sends requests."""
    sources = b"".join(file.read_bytes() for file in sorted((HERE / "load").iterdir()))

    def fill(folder: Path) -> None:
        folder.mkdir()
        subprocess.run(["go", "build", "-o", str(folder / "load"), "."], cwd=HERE / "load", check=True)

    return _made("load", sources, fill) / "load"


def _made(name: str, source: bytes, fill: Callable[[Path], None]) -> Path:
    key = hashlib.sha256(source + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{key}"
    complete = CACHE / f"{name}-{key}.complete"
    if not complete.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        print(f"making {folder}", file=sys.stderr)
        fill(folder)
        complete.touch()
    return folder
