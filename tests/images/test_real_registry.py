"""Push and pull with a real registry."""

import os
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import RegistryError
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull, push, verify

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
