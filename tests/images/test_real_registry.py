"""Push and pull with a real registry."""

import json
import os
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import RegistryError
from mmgit.images.credentials import docker_credentials
from mmgit.images.origins import DEBIAN
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull, push, verify
from mmgit.images.upstream import ImageRequest
from mmgit.images.workshop import Workshop
from mmgit.lock import Blob
from mmgit.repository.files import Root
from tests.images.conftest import FakeRegistry, tar_of
from tests.images.foreign import Foreign, sha256, system
from tests.private_registry import log_in, private_registry

if TYPE_CHECKING:
    from tests.images.conftest import World

pytestmark = pytest.mark.registry


@pytest.fixture
def name() -> str:
    return f"mmgit-test/{uuid.uuid4().hex}"


@pytest.fixture
def registry(name: str) -> Registry:
    return Registry(os.environ["MMGIT_TEST_REGISTRY"], name)


def test_a_registry_answers(registry: Registry) -> None:
    registry.ping()


def test_an_image_goes_there_and_back(world: "World", registry: Registry, tmp_path: Path) -> None:
    lock = world.build()
    other = world.elsewhere(tmp_path / "other").layout

    sent = push(lock, world.layout, registry, tag="v1")
    pull(lock, other, registry)

    assert sent > 0
    assert push(lock, world.layout, registry) == 0
    assert all(other.has(blob) for blob in lock.blobs)


def test_a_layer_is_mounted_from_another_repository(world: "World", registry: Registry, name: str) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    other = Registry(registry.host, f"{name}-other")
    layer = lock.platforms["linux/amd64"].layers[0]

    is_mounted = other.mount(layer, name)

    assert is_mounted
    assert other.has(layer)


def test_an_image_goes_on_to_another_repository_without_its_bytes(
    world: "World", registry: Registry, name: str, tmp_path: Path
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    other = Registry(registry.host, f"{name}-other")

    sent = push(lock, world.elsewhere(tmp_path / "other").layout, other, origin=registry)

    assert sent == 0
    verify(lock, other)


def test_a_damaged_layer_is_refused_by_the_registry(world: "World", registry: Registry) -> None:
    lock = world.build()
    path = world.layout.path(lock.platforms["linux/amd64"].layers[0].digest)
    path.write_bytes(bytes(path.stat().st_size))

    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        push(lock, world.layout, registry)


def test_an_index_without_its_manifests_is_refused_by_the_registry(world: "World", registry: Registry) -> None:
    lock = world.build()
    data = world.layout.document(lock.index.digest)
    assert data is not None

    with pytest.raises(RegistryError, match="MANIFEST_BLOB_UNKNOWN"):
        registry.put_manifest(data, "application/vnd.oci.image.index.v1+json")


def test_what_is_not_there_is_not_verified(world: "World", registry: Registry) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    other = replace(lock, index=replace(lock.index, digest="sha256:" + "0" * 64))

    with pytest.raises(RegistryError, match=r"does not have sha256:0{64}"):
        verify(other, registry)


def test_a_base_in_a_registry_that_wants_a_login_is_locked_built_on_and_mounted(world: "World", tmp_path: Path) -> None:
    with private_registry(tmp_path) as host:
        docker = log_in(host, tmp_path / "docker").parent
        base_registry = Registry(host, "tools/python", find=docker_credentials(docker))
        foreign = Foreign(FakeRegistry(), packings=("gzip", "zstd"))
        foreign.layers[0] = tar_of(*system(minor="3.11"))
        offer(foreign, base_registry, tmp_path, "3.11")
        (tmp_path / "repository").mkdir()
        workshop = Workshop(Root(tmp_path / "repository"), DEBIAN, tmp_path, docker)

        base = workshop.resolve_image(ImageRequest(f"{host}/tools/python:3.11", ("linux/amd64", "linux/arm64")))
        on_image = replace(world, base=base, layout=workshop.layout)
        lock = replace(on_image.assembler, bring=workshop.bring_layer).build(on_image.recipe, on_image.sources)
        sent = workshop.push(lock, f"{host}/ml", "digits", [base])

        own = {sha256(data) for data in foreign.packed}
        blobs = {blob.digest: blob for blob in lock.blobs}
        documents = {lock.index.digest, *(image.manifest.digest for image in lock.platforms.values())}
        assert own <= blobs.keys()
        assert sent == sum(blob.size_bytes for blob in blobs.values() if blob.digest not in own | documents)
        with pytest.raises(RegistryError, match="wants a login"):
            replace(workshop, docker_config=tmp_path).resolve_image(
                ImageRequest(f"{host}/tools/python:3.11", ("linux/amd64",))
            )


def offer(foreign: Foreign, registry: Registry, folder: Path, tag: str) -> None:
    """Send an image of others to a real registry."""
    foreign.change = lambda what, it: it["manifests"].pop() if what == "index" else None  # its signature is not there
    foreign.push(tag)
    for digest, data in foreign.registry.blobs.items():
        (folder / "blob").write_bytes(data)
        registry.upload(Blob(digest, len(data)), folder / "blob")
    index = foreign.registry.manifests.pop(tag)
    for data in foreign.registry.manifests.values():
        if data != index:
            registry.put_manifest(data, json.loads(data)["mediaType"])
    registry.put_manifest(index, json.loads(index)["mediaType"], tag)
