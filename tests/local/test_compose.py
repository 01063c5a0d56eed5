"""A compose environment on a real Docker engine: images from the layout, TLS at the proxy, load on two replicas."""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.timeout(900)]

PROJECT = Path(__file__).parents[2]
PORT, REGISTRY_PORT = 18443, 15480
URL = f"https://localhost:{PORT}/api/v1/service/digits/score"


def mmgit(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mmgit", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
    )
    assert done.returncode == 0, f"mmgit {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def served_by() -> list[str]:
    """The replicas that have answered a score."""
    listing = ["docker", "ps", "--filter", "label=com.docker.compose.service=digits", "--format", "{{.Names}}"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    logs = {
        name: subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True).stdout
        for name in names
    }
    return [name for name, log in logs.items() if '"status":200' in log]


@pytest.fixture
def root(tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> Iterator[Path]:
    """This project's dev environment with digits alone, two replicas, on today's base and other ports; it is up."""
    root = copy_of_ours(tmp_path / "repository")
    declared = root / "mmgit.yaml"
    declared.write_text(declared.read_text().replace("[linux/amd64, linux/arm64]", "[linux/amd64]"))
    mmgit(root, "env", "update", "dev", "--registry", f"localhost:{REGISTRY_PORT}", "--port", str(PORT))
    mmgit(root, "base", "update", "--platform", "linux/amd64")
    mmgit(root, "base", "update", "proxy", "--platform", "linux/amd64")
    mmgit(root, "service", "delete", "penguins", "--env", "dev")
    mmgit(root, "image", "rebuild", "digits/2")
    (image,) = [
        row["image"]
        for row in json.loads(mmgit(root, "image", "list", "-o", "json"))
        if row["manifest"] == "digits/2" and not row["used_by"]
    ]
    options = ("--manifest", "digits/2", "--image", image, "--replicas", "2")
    mmgit(root, "service", "update", "digits", "--env", "dev", *options)
    key_file = str(tmp_path / "key")
    mmgit(root, "service", "keys", "digits", "--env", "dev", "--regen", "primary", "--key-file", key_file)
    mmgit(root, "compile")
    mmgit(root, "up", "dev")
    yield root
    mmgit(root, "down", "dev")


def test_two_replicas_answer_over_tls_with_a_key_and_refuse_without(root: Path, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(root / ".mmgit/compose/dev/tls.pem"))
    sample = (root / "models/digits/scoring/sample.json").read_bytes()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {(tmp_path / 'key').read_text().strip()}"}

    answers: list[int] = []
    deadline = time.monotonic() + 60
    while len(answers) < 6 or (len(served_by()) < 2 and time.monotonic() < deadline):
        request = urllib.request.Request(URL, sample, headers)
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            answers.append(json.loads(answer.read())["digit"])
        time.sleep(0.2)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(
            urllib.request.Request(URL, sample, {"Content-Type": "application/json"}), context=context
        )

    assert set(answers) == {2}
    assert refused.value.code == 401
    assert len(served_by()) == 2
