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

from tests.archive.conftest import archived

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


def containers(service: str) -> list[str]:
    """The containers of a service, by name."""
    listing = ["docker", "ps", "--filter", f"label=com.docker.compose.service={service}", "--format", "{{.Names}}"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()


def served_by() -> list[str]:
    """The replicas that have answered a score."""
    logs = {
        name: subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True).stdout
        for name in containers("digits")
    }
    return [name for name, log in logs.items() if '"status":200' in log]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder that what runs in containers may write; what is recorded is archived in it."""
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def root(request: pytest.FixtureRequest, tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> Iterator[Path]:
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
    if "store" in request.fixturenames:
        mmgit(root, "base", "update", "uploader", "--platform", "linux/amd64")
        environment, service = (root / f"environments/dev/{name}.yaml" for name in ("environment", "services/digits"))
        telemetry = f"telemetry: {{store: 'file://{tmp_path}/store', upload_every: 2s}}\n"
        environment.write_text(environment.read_text() + telemetry)
        service.write_text(f"{service.read_text()}telemetry: {{inputs: true}}\n")
    key_file = str(tmp_path / "key")
    mmgit(root, "service", "keys", "digits", "--env", "dev", "--regen", "primary", "--key-file", key_file)
    mmgit(root, "compile")
    mmgit(root, "up", "dev")
    yield root
    mmgit(root, "down", "dev")


def called_as_by_the_reference(root: Path, key: str, sample: str) -> str:
    """What the client of the reference's documentation prints."""
    authorities = {"REQUESTS_CA_BUNDLE": str(root / ".mmgit/compose/dev/tls.pem")}
    own = {"URL": URL, "KEY": key, "SAMPLE": sample, **authorities}
    client = Path(__file__).with_name("consume.py")
    done = subprocess.run([sys.executable, client], env=own, capture_output=True, text=True, check=True)
    return done.stdout


def test_two_replicas_answer_over_tls_with_a_key_and_refuse_without(store: Path, root: Path, tmp_path: Path) -> None:
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

    key = (tmp_path / "key").read_text().strip()
    answers.append(json.loads(called_as_by_the_reference(root, key, sample.decode()))["digit"])

    assert set(answers) == {2}
    assert refused.value.code == 401
    assert len(served_by()) == 2
    (proxy,) = containers("mmgit_proxy")
    subprocess.run(["docker", "kill", "--signal", "SIGUSR1", proxy], check=True)
    ended = subprocess.run(["docker", "wait", proxy], capture_output=True, text=True, check=True, timeout=30)
    assert ended.stdout == "0\n"  # its workers went, long before it would be killed
    mmgit(root, "down", "dev")
    assert len(archived(store)) == len(answers)


def test_keys_are_renewed_and_revoked_without_a_restart(root: Path, tmp_path: Path) -> None:
    keys = {name: tmp_path / name for name in ("key", "secondary", "own")}
    keys["own"].write_text("3f9c1d7e5b2a48069e1f7c3d5a8b6402")
    before = started()
    opened: list[dict[str, bool]] = []

    def changed(*arguments: str) -> None:
        mmgit(root, "service", "keys", "digits", "--env", "dev", *arguments)
        mmgit(root, "compile")
        time.sleep(3)  # what is promised is 2 s
        opened.append({name: file.exists() and opens(root, file.read_text().strip()) for name, file in keys.items()})

    changed("--regen", "secondary", "--key-file", str(keys["secondary"]), "--expires", "90d")
    changed("--revoke", "primary")
    changed("--regen", "primary", "--own", str(keys["own"]))

    assert opened == [
        {"key": True, "secondary": True, "own": False},
        {"key": False, "secondary": True, "own": False},
        {"key": False, "secondary": True, "own": True},
    ]
    assert started() == before
    logged = mmgit(root, "service", "logs", "digits", "--env", "dev", "--since", "10m").splitlines()
    request_id = next(line["request_id"] for line in map(json.loads, logged) if line.get("status") == 401)
    found = mmgit(root, "service", "logs", "digits", "--env", "dev", "--request-id", request_id)
    assert [json.loads(line)["status"] for line in found.splitlines()] == [401]


def opens(root: Path, key: str) -> bool:
    """Whether both replicas score for this key; they take turns."""
    context = ssl.create_default_context(cafile=str(root / ".mmgit/compose/dev/tls.pem"))
    sample = (root / "models/digits/scoring/sample.json").read_bytes()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    statuses = set()
    for _ in range(4):
        try:
            asked = urllib.request.Request(URL, sample, headers)
            statuses.add(urllib.request.urlopen(asked, timeout=30, context=context).status)
        except urllib.error.HTTPError as error:
            statuses.add(error.code)
    assert statuses in ({200}, {401})
    return statuses == {200}


def started() -> list[str]:
    """Which containers run, and since when."""
    listing = ["docker", "ps", "--filter", "label=com.docker.compose.project", "--format", "{{.ID}} {{.CreatedAt}}"]
    return sorted(subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines())
