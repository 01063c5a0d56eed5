"""Manifests of the model churn, each as the first one but for its code, and services that wait for them."""

import shutil
from pathlib import Path

_SERVICE = """apiVersion: mmgit.dev/v1
kind: Service
next: churn/%d
keys:
  - {name: primary, id: abcd, digest: "sha256:%s"}
"""
_LOCK = """lock-version = "1.0"
created-by = "test"
requires-python = ">=3.11"

[[packages]]
name = "late"
version = "1.0"
wheels = [{ url = "%s/late-1.0-py3-none-any.whl", hashes = { sha256 = "%s" } }]
"""


def waiting(number: int) -> str:
    """A service that waits for a manifest."""
    return _SERVICE % (number, "a" * 64)


def wait_for(environment: Path, number: int) -> None:
    """Let a service `churn-N` of an environment, by its folder, wait for manifest `churn/N`."""
    path = environment / f"services/churn-{number}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(waiting(number))


def add_manifest(root: Path, number: int) -> None:
    """Manifest `churn/N`, not built yet."""
    folder = root / "models/churn/manifests"
    shutil.copytree(folder / "1", folder / str(number), ignore=shutil.ignore_patterns("images"))
    (folder / str(number) / "score.py").write_text(f"def run(x):\n    return {number}\n")


def depend(root: Path, number: int, *, index: str, sha256: str) -> None:
    """Let manifest `churn/N` depend on a wheel `late`, which the index need not have."""
    folder = root / f"models/churn/manifests/{number}"
    (folder / "requirements.txt").write_text("late\n")
    (folder / "pylock.toml").write_text(_LOCK % (index, sha256))
    with (folder / "manifest.yaml").open("a") as file:
        file.write("dependencies: requirements.txt\n")
