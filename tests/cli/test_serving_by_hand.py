"""`mmgit serve` with its own environment and the front's own packages, as people start it."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.sdk import generate_schema
from tests.archive.conftest import archived
from tests.serving.conftest import until

SCORE_FILE = Path(__file__).parents[1] / "shim" / "score_files" / "notes.py"
NOTE = {"note": {"author": "Ada", "text": "on engines"}, "scan": "iVBORw=="}
TERMINATED = 143


def run(note: Any, scan: Any) -> None:
    """What the score file takes."""


@pytest.mark.network
def test_a_score_file_of_the_reference_is_served_as_it_is(here: Callable[..., Path], mmgit: Callable[..., Any]) -> None:
    schema = json.dumps(generate_schema(run, {"note": {"author": "Ada", "text": "x"}, "scan": b"x"}))
    root = here({"models/churn/scoring/score.py": SCORE_FILE.read_text(), "models/churn/scoring/schema.json": schema})
    (root / "models/churn/scoring/tags").write_text('["engines", "looms"]')
    assert mmgit("manifest", "create", "churn").code == 0

    command = [sys.executable, "-m", "mmgit", "serve", "churn", "--port", "0"]
    with (root / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            [port] = until(lambda: told(root, "ready") and [line["port"] for line in told(root, "listening")])
            address = f"http://127.0.0.1:{port}/api/v1/service/churn/score"
            request = urllib.request.Request(address, json.dumps(NOTE).encode(), {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                document = json.load(answer)
        finally:
            server.terminate()

    assert document == {"tags": ["engines"], "scan": "bytes", "size": 4}
    assert [line["identifier"] for line in told(root, "collected")] == ["default"]
    assert told(root, "stopped")[-1]["status"] == 0


@pytest.mark.network
def test_what_is_recorded_here_is_uploaded_beside_the_server(here: Callable[..., Path], tmp_path: Path) -> None:
    kind = "apiVersion: mmgit.dev/v1\nkind: "
    environment = f"{kind}Environment\ntarget: process\ntelemetry: {{store: 'file://{tmp_path}/store'}}\n"
    service = (
        f"{kind}Service\nnext: churn/1\nmanifest: churn/1\nimage: sha256:{'0' * 64}\ntelemetry: {{inputs: true}}\n"
    )
    root = here({"environments/dev/environment.yaml": environment, "environments/dev/services/churn.yaml": service})

    command = [sys.executable, "-m", "mmgit", "serve", "churn", "--env", "dev", "--port", "0"]
    with (root / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            [port] = until(lambda: told(root, "ready") and [line["port"] for line in told(root, "listening")])
            address = f"http://127.0.0.1:{port}/api/v1/service/churn/score"
            urllib.request.urlopen(urllib.request.Request(address, b'{"x": 1}'), timeout=60).close()
        finally:
            server.send_signal(signal.SIGINT)

    assert told(root, "uploaded")[-1]["records"] == 1
    assert len(archived(tmp_path / "store")) == 1


def told(root: Path, event: str) -> list[dict[str, Any]]:
    """The lines of the log about one event."""
    lines = [json.loads(line) for line in (root / "log").read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]
