"""Packages of npm that tests use, exactly as a package-lock.json beside them names them."""

import os
import shutil
import subprocess
from pathlib import Path


def installed(folder: Path) -> Path:
    """`node_modules` of a folder with package.json and package-lock.json, installed once for all tests."""
    cache = Path(os.environ.get("TMPDIR", "/tmp")) / f"mmgit-test-{folder.name}-{os.getuid()}"  # noqa: S108 - a cache
    lock = (folder / "package-lock.json").read_bytes()
    if not (cache / "done").is_file() or (cache / "done").read_bytes() != lock:
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(folder, cache)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=cache, capture_output=True, check=True
        )
        (cache / "done").write_bytes(lock)
    return cache / "node_modules"
