"""The registry over the layout: everything that a puller asks for, nothing that it should not get."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.images.loopback import serve
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull

if TYPE_CHECKING:
    from tests.images.conftest import Kit, World


@pytest.fixture
def address(world: "World", kit: "Kit") -> Iterator[str]:
    yield from kit.running(serve(world.layout))


def ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def test_an_image_is_pulled_by_digest_under_any_name(world: "World", address: str, tmp_path: Path) -> None:
    lock = world.build()
    other = world.elsewhere(tmp_path / "other").layout

    pull(lock, other, Registry(address, "whatever/digits"))

    assert all(other.has(blob) for blob in lock.blobs)


def test_a_tag_leads_to_the_named_image(world: "World", address: str) -> None:
    lock = world.build()
    world.layout.name("digits:1", lock.index)

    status, headers, data = ask(address, "/v2/digits/manifests/1")

    assert status == 200
    assert headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"
    assert headers["Docker-Content-Digest"] == lock.index.digest
    assert data == world.layout.document(lock.index.digest)


def test_only_the_head_of_an_answer_comes_when_only_that_is_asked_for(world: "World", address: str) -> None:
    lock = world.build()
    layer = lock.platforms["linux/amd64"].layers[0]

    for path, size_bytes in (
        (f"/v2/d/blobs/{layer.digest}", layer.size_bytes),
        (f"/v2/d/manifests/{lock.index.digest}", lock.index.size_bytes),
    ):
        status, headers, data = ask(address, path, "HEAD")
        assert (status, headers["Content-Length"], data) == (200, str(size_bytes), b"")


def test_a_puller_finds_that_this_is_a_registry(address: str) -> None:
    status, headers, _ = ask(address, "/v2/")

    assert status == 200
    assert headers["Docker-Distribution-API-Version"] == "registry/2.0"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/d/blobs/sha256:" + "0" * 64,
        "/v2/d/manifests/none",
        "/v2/d/blobs/latest",
        "/v2/d/blobs/..",
        "/v2/d/blobs/../../oci-layout",
        "/v2/d/blobs/sha256:../../oci-layout",
        "/v2/d/blobs/%2e%2e%2foci-layout",
        "/v2/../manifests/x",
        "/v2/d/tags/list",
        "/",
        "/oci-layout",
    ],
)
def test_what_is_no_blob_and_no_manifest_is_not_found(address: str, path: str) -> None:
    status, _, data = ask(address, path)

    assert status == 404
    assert json.loads(data)["errors"][0]["code"].endswith("UNKNOWN")


def test_a_layer_is_no_manifest(world: "World", address: str) -> None:
    layer = world.build().platforms["linux/amd64"].layers[0]

    assert ask(address, f"/v2/d/manifests/{layer.digest}")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(address: str, method: str) -> None:
    assert ask(address, "/v2/d/blobs/uploads/", method)[0] == 501


def test_a_page_in_a_browser_that_rebinds_its_name_to_us_gets_nothing(world: "World", address: str) -> None:
    lock = world.build()

    status, _, _ = ask(address, f"/v2/d/manifests/{lock.index.digest}", Host="evil.example:80")

    assert status == 421


def test_the_server_listens_on_this_machine_only(world: "World") -> None:
    with serve(world.layout) as server:
        assert server.server_address[0] == "127.0.0.1"
