"""`mmgit model push` and `mmgit model pull`, with a registry that is small and one that is real."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.images.registry import Registry
from mmgit.lock import MANIFEST_MEDIA_TYPE
from tests.images.conftest import FakeRegistry, fake_registry_running

Mmgit = Callable[..., Any]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    yield from fake_registry_running()


def test_a_version_is_pushed_and_pulled_and_registered_from_there(
    project: Path, mmgit: Mmgit, registry: FakeRegistry, tmp_path: Path
) -> None:
    pushed = mmgit("model", "push", "churn", f"{registry.host}/models/churn")
    address = pushed.out.split()[3]
    pulled = mmgit("model", "pull", f"{registry.host}/models/churn:1", "--to", str(tmp_path / "pulled"))
    registered = mmgit("model", "register", "other", address)

    assert (pushed.code, pulled.code, registered.code) == (0, 0, 0), pushed.err + pulled.err + registered.err
    assert pushed.out.startswith(f"model churn/1 is oci://{registry.host}/models/churn@sha256:")
    assert pushed.out.splitlines()[1] == f"next: mmgit model pull {address}"
    assert (tmp_path / "pulled/model.bin").read_bytes() == b"weights"
    (row,) = yaml.safe_load((project / "models/other/versions/1/version.yaml").read_text())["files"]
    assert (row["path"], row["size"], row["uri"]) == ("model.bin", 7, address)
    assert mmgit("check").code == 0


@pytest.mark.usefixtures("project")
def test_the_same_version_has_the_same_digest_in_every_registry(mmgit: Mmgit, registry: FakeRegistry) -> None:
    digests = [
        mmgit("model", "push", "churn/1", f"{registry.host}/{name}").out.split()[3].partition("@")[2]
        for name in ("models/churn", "elsewhere:v1")
    ]

    assert digests[0] == digests[1]
    assert {"1", "v1"} <= registry.manifests.keys()


@pytest.mark.usefixtures("project")
def test_what_cannot_be_pushed_is_refused(mmgit: Mmgit, registry: FakeRegistry) -> None:
    digest = f"{registry.host}/churn@sha256:{'a' * 64}"

    assert "follows from the model" in mmgit("model", "push", "churn", digest).err
    assert mmgit("model", "push", "churn/9", f"{registry.host}/churn").code == 2
    assert mmgit("model", "push", "none", f"{registry.host}/churn").code == 2
    assert not registry.manifests


@pytest.mark.registry
def test_hundreds_of_megabytes_go_to_a_real_registry_and_back_through_bounded_memory(
    project: Path, mmgit: Mmgit, tmp_path: Path
) -> None:
    (tmp_path / "big.bin").write_bytes(os.urandom(2**20) * 300)
    settings = project / "mmgit.yaml"
    settings.write_text(f"{settings.read_text()}store: {{uri: 'file://{tmp_path}/store'}}\n")
    assert mmgit("model", "register", "big", str(tmp_path / "big.bin")).code == 0
    name = f"mmgit-test/{uuid.uuid4().hex}"
    reference = f"{os.environ['MMGIT_TEST_REGISTRY']}/{name}"

    peaks = [
        peak_bytes(project, "model", way, *arguments)
        for way, *arguments in (
            ("push", "big", reference),
            ("pull", f"{reference}:1", "--to", str(tmp_path / "pulled")),
        )
    ]

    assert (tmp_path / "pulled/big.bin").read_bytes() == (tmp_path / "big.bin").read_bytes()
    assert max(peaks) < 150 * 2**20
    manifest = Registry(os.environ["MMGIT_TEST_REGISTRY"], name).manifest("1", MANIFEST_MEDIA_TYPE)
    assert json.loads(manifest or b"")["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"


def peak_bytes(folder: Path, *arguments: str) -> int:
    """The most memory that a command took, in a process of its own."""
    code = "import sys; from mmgit.cli.main import run; code = run(sys.argv[1:]); "
    code += "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]); sys.exit(code)"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.splitlines()[-1]) * 1024
