"""Artifacts go to a registry and come back, also those that other tools made; whatever is wrong with one is refused."""

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from mmgit.errors import RegistryError, UsageError
from mmgit.images import artifacts
from mmgit.images.credentials import Access
from mmgit.images.layout import Layout
from mmgit.images.modelpack import About, documents
from mmgit.images.models import ModelStore
from mmgit.images.registry import Registry
from mmgit.lock import Blob, digest_of
from mmgit.recipe import RecipeFile

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, Kit

DATA = {"churn/model.onnx": b"weights" * 1000, "config.json": b"{}"}


def nobody(_: str) -> None:
    """No login."""


@pytest.fixture
def files(kit: "Kit") -> dict[RecipeFile, Callable[[], IO[bytes]]]:
    return {
        RecipeFile(path, kit.sha256(data), len(data)): partial(io.BytesIO, data) for path, data in sorted(DATA.items())
    }


@pytest.fixture
def pushed(fake_registry: "FakeRegistry", files: dict[RecipeFile, Callable[[], IO[bytes]]]) -> str:
    """The address of an artifact that mmgit pushed."""
    made = documents(About("churn", "3"), [*files])
    artifacts.push(made, files, Registry(fake_registry.host, "models/churn"), "3")
    return f"oci://{fake_registry.host}/models/churn@{digest_of(made[1])}"


def put(registry: "FakeRegistry", media_type: str, data: bytes, **annotations: str) -> str:
    """An artifact of one layer, as others push one; its address."""
    registry.blobs[digest_of(data)] = data
    layer = {"mediaType": media_type, "digest": digest_of(data), "size": len(data), "annotations": annotations}
    manifest = json.dumps({"layers": [layer]}).encode()
    registry.manifests[digest_of(manifest)] = registry.manifests["latest"] = manifest
    return f"oci://{registry.host}/other/model@{digest_of(manifest)}"


def test_what_is_pushed_comes_back_by_tag_and_by_digest(
    pushed: str, fake_registry: "FakeRegistry", tmp_path: Path
) -> None:
    for number, reference in enumerate((pushed, f"{fake_registry.host}/models/churn:3")):
        artifact = artifacts.find(reference, nobody)
        paths = artifacts.pull(artifact, tmp_path / str(number))

        assert artifact.address == pushed
        assert paths == sorted(DATA)
        assert {path: (tmp_path / str(number) / path).read_bytes() for path in paths} == DATA


def test_what_the_registry_has_is_not_sent_again(
    pushed: str, fake_registry: "FakeRegistry", files: dict[RecipeFile, Callable[[], IO[bytes]]]
) -> None:
    fake_registry.asked.clear()
    registry = Registry(fake_registry.host, "models/churn")

    sent_bytes = artifacts.push(documents(About("churn", "3"), [*files]), files, registry, "other")

    assert sent_bytes == 0
    assert not any(asked.startswith("POST") for asked in fake_registry.asked)
    assert fake_registry.manifests["other"] == fake_registry.manifests[pushed.partition("@")[2]]


def test_a_file_that_is_not_what_its_version_says_is_refused(fake_registry: "FakeRegistry") -> None:
    files = {RecipeFile("m", "a" * 64, 7): partial(io.BytesIO, b"weights")}

    with pytest.raises(RegistryError, match="400"):
        artifacts.push(documents(About("churn", "3"), [*files]), files, Registry(fake_registry.host, "churn"), "3")

    assert not fake_registry.manifests


def test_a_build_reads_a_layer_by_its_digest_alone(
    pushed: str, fake_registry: "FakeRegistry", kit: "Kit", layout: Layout, tmp_path: Path
) -> None:
    file = RecipeFile("model.onnx", kit.sha256(DATA["churn/model.onnx"]), 7000)
    fake_registry.asked.clear()

    with ModelStore(layout, tmp_path).open_at(pushed, file) as opened:
        assert opened.read() == DATA["churn/model.onnx"]

    assert fake_registry.asked == [f"GET /v2/models/churn/blobs/sha256:{file.sha256}"]


@pytest.mark.parametrize("compression", ["", "gz"])
def test_files_in_archives_of_other_tools_are_pulled_and_built(
    compression: str, fake_registry: "FakeRegistry", kit: "Kit", layout: Layout, tmp_path: Path
) -> None:
    archive = kit.tar_of(
        kit.member("./model", type=b"5"),
        kit.member("./model/other.bin", b"w" * 7),
        kit.member("./model/big.bin", b"weights"),
        compression=compression,
    )
    address = put(fake_registry, f"application/vnd.kitops.modelkit.model.v1.tar{'+gzip' * bool(compression)}", archive)

    paths = artifacts.pull(artifacts.find(f"{fake_registry.host}/other/model", nobody), tmp_path / "pulled")
    with ModelStore(layout, tmp_path).open_at(address, RecipeFile("x", kit.sha256(b"weights"), 7)) as opened:
        built = opened.read()

    assert paths == ["model/big.bin", "model/other.bin"]
    assert (tmp_path / "pulled/model/big.bin").read_bytes() == built == b"weights"


@pytest.mark.parametrize(
    "member", [("../x", {}), ("/x", {}), ("link", {"type": b"2", "linkname": "/etc/passwd"}), ("pipe", {"type": b"6"})]
)
def test_an_archive_of_an_enemy_writes_nothing_outside(
    member: tuple[str, dict[str, Any]], fake_registry: "FakeRegistry", kit: "Kit", tmp_path: Path
) -> None:
    put(fake_registry, "x.tar", kit.tar_of(kit.member(member[0], b"", **member[1])))

    with pytest.raises(RegistryError, match="no plain file of a model"):
        artifacts.pull(artifacts.find(f"{fake_registry.host}/other/model", nobody), tmp_path / "a" / "b")

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_no_archive_is_refused(fake_registry: "FakeRegistry", tmp_path: Path) -> None:
    put(fake_registry, "x.tar", b"no archive at all")

    with pytest.raises(RegistryError, match="no archive that can be read"):
        artifacts.pull(artifacts.find(f"{fake_registry.host}/other/model", nobody), tmp_path / "pulled")


def test_other_bytes_than_the_digest_says_are_never_a_file(
    pushed: str, fake_registry: "FakeRegistry", tmp_path: Path
) -> None:
    for digest, data in fake_registry.blobs.items():
        fake_registry.blobs[digest] = data[::-1] + b"!"

    with pytest.raises(RegistryError, match="gave other bytes than sha256:"):
        artifacts.pull(artifacts.find(pushed, nobody), tmp_path / "pulled")

    assert [path for path in (tmp_path / "pulled").rglob("*") if path.is_file()] == []


def test_a_pull_that_breaks_off_is_tried_again(pushed: str, fake_registry: "FakeRegistry", tmp_path: Path) -> None:
    fake_registry.faults += [("GET", "/blobs/", "short"), ("GET", "/blobs/", "reset"), ("GET", "/blobs/", 503)]

    assert artifacts.pull(artifacts.find(pushed, nobody), tmp_path / "pulled") == sorted(DATA)


def test_a_folder_that_holds_something_is_left_alone(pushed: str, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()

    with pytest.raises(UsageError, match="is there already"):
        artifacts.pull(artifacts.find(pushed, nobody), tmp_path)


def test_what_the_registry_does_not_have_is_said(fake_registry: "FakeRegistry", layout: Layout, pushed: str) -> None:
    with pytest.raises(RegistryError, match="does not have none"):
        artifacts.find(f"{fake_registry.host}/models/churn:none", nobody)
    with pytest.raises(RegistryError, match="does not hold sha256:bbb"):
        artifacts.fetch(pushed, Blob(f"sha256:{'b' * 64}", 1), layout, find_login=nobody)


def test_a_build_that_needs_a_login_uses_it_and_says_it_nowhere(
    pushed: str, fake_registry: "FakeRegistry", layout: Layout, tmp_path: Path
) -> None:
    from mmgit.images.credentials import Credentials  # noqa: PLC0415 - of this test alone

    login = Credentials("tester", "hunter2canary")
    fake_registry.wants, fake_registry.challenge = login.basic, 'Basic realm="x"'
    blob = next(RecipeFile("m", digest[7:], len(data)) for digest, data in fake_registry.blobs.items())

    with pytest.raises(RegistryError) as refused:
        ModelStore(layout, tmp_path).open_at(pushed, blob)
    ModelStore(layout, tmp_path, access=Access(lambda _: login)).open_at(pushed, blob).close()

    assert "hunter2canary" not in refused.value.message + refused.value.hint
    assert refused.value.hint == f"docker login {fake_registry.host}"


@pytest.mark.parametrize(
    "text",
    [
        "churn",
        "models/churn",
        "oci://",
        "oci://x.example",
        "x.example/Churn",
        "x.example/a/../b",
        "x.example/a@sha256:1",
        "u:p@x.example/a",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no artifact"):
        artifacts.parse(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("registry.example.com/models/churn:3", ("registry.example.com", "models/churn", "3", "")),
        ("oci://127.0.0.1:5000/churn", ("127.0.0.1:5000", "churn", "", "")),
        (f"oci://localhost/a/b@sha256:{'a' * 64}", ("localhost", "a/b", "", f"sha256:{'a' * 64}")),
    ],
)
def test_a_reference_has_host_name_tag_and_digest(text: str, parts: tuple[str, ...]) -> None:
    found = artifacts.parse(text)

    assert (found.host, found.name, found.tag, found.digest) == parts
