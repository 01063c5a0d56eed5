"""Images to a registry and back: only what is missing, the index last, and no byte unverified."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError, RegistryError
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull, pull_blob, push, verify

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, World


@pytest.fixture
def registry(fake_registry: "FakeRegistry") -> Registry:
    return Registry(fake_registry.host, "models/digits")


def test_an_image_that_was_pushed_comes_back_whole(world: "World", registry: Registry, tmp_path: Path) -> None:
    lock = world.build()
    other = world.elsewhere(tmp_path / "other").layout

    push(lock, world.layout, registry)
    pull(lock, other, registry)

    assert all(
        other.path(blob.digest).read_bytes() == world.layout.path(blob.digest).read_bytes() for blob in lock.blobs
    )


def test_a_pulled_layer_is_not_made_again(world: "World", registry: Registry, tmp_path: Path) -> None:
    lock, other = world.build(), world.elsewhere(tmp_path / "other")
    push(lock, world.layout, registry)
    pull(lock, other.layout, registry)
    world.site.files.clear()

    assert other.build() == lock


def test_the_index_is_sent_after_everything_else(
    world: "World", registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    lock = world.build()

    push(lock, world.layout, registry, tag="v1")

    sent = [asked for asked in fake_registry.asked if asked.startswith("PUT")]
    assert sent[-2:] == [
        f"PUT /v2/models/digits/manifests/{lock.index.digest}",
        "PUT /v2/models/digits/manifests/v1",
    ]


def test_a_second_push_sends_no_blob(world: "World", registry: Registry, fake_registry: "FakeRegistry") -> None:
    lock = world.build()

    first = push(lock, world.layout, registry)
    fake_registry.asked.clear()
    second = push(lock, world.layout, registry)

    manifests = {lock.index.size_bytes, *(image.manifest.size_bytes for image in lock.platforms.values())}
    assert first > 0
    assert manifests
    assert second == 0
    assert not any("uploads" in asked for asked in fake_registry.asked)


def test_a_new_version_of_a_model_sends_its_layer_and_two_configs(world: "World", registry: Registry) -> None:
    push(world.build(), world.layout, registry)
    world.model = b"better weights"
    lock = world.build()

    sent = push(lock, world.layout, registry)

    configs = sum(image.config.size_bytes for image in lock.platforms.values())
    assert sent == lock.platforms["linux/amd64"].layers[-1].size_bytes + configs


def test_a_layer_that_another_repository_has_is_mounted(
    world: "World", registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    base = lock.platforms["linux/amd64"].layers[0]
    other = Registry(fake_registry.host, "models/other")
    hidden = fake_registry.blobs
    fake_registry.asked.clear()
    fake_registry.faults = [("HEAD", base.digest, 404)]

    push(lock, world.layout, other, mount_from={base.digest: "models/digits"})

    assert any(f"mount=sha256%3A{base.digest[7:]}" in asked for asked in fake_registry.asked)
    assert fake_registry.blobs == hidden


def test_a_push_survives_a_registry_that_breaks_off_now_and_then(
    world: "World", registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    lock = world.build()
    fake_registry.faults = [
        ("HEAD", "blobs", "reset"),
        ("POST", "uploads", 503),
        ("PUT", "uploads", "reset"),
        ("PUT", "manifests", 429),
        ("GET", "manifests", "short"),
    ]

    push(lock, world.layout, registry)

    verify(lock, registry)
    assert fake_registry.faults == []


def test_what_a_registry_does_not_have_is_not_verified(world: "World", registry: Registry) -> None:
    lock = world.build()

    with pytest.raises(RegistryError, match=r"models/digits does not have sha256"):
        verify(lock, registry)


def test_a_registry_that_lies_about_the_index_is_refused(
    world: "World", registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    fake_registry.lies = b"{}"

    with pytest.raises(RegistryError, match="gave other bytes"):
        verify(lock, registry)


@pytest.mark.parametrize("lie", [b"", b"other bytes", b"x" * 10**6])
def test_a_registry_that_lies_about_a_layer_is_refused_and_nothing_of_it_is_kept(
    world: "World", registry: Registry, fake_registry: "FakeRegistry", tmp_path: Path, lie: bytes
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    layer = lock.platforms["linux/amd64"].layers[0]
    other = world.elsewhere(tmp_path / "other").layout
    fake_registry.lies = lie

    with pytest.raises(RegistryError, match="got other bytes"):
        pull_blob(layer, other, registry)
    assert not other.has(layer)


def test_a_download_that_breaks_off_is_tried_again(
    world: "World", registry: Registry, fake_registry: "FakeRegistry", tmp_path: Path
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    layer = lock.platforms["linux/amd64"].layers[0]
    other = world.elsewhere(tmp_path / "other").layout
    fake_registry.faults = [("GET", "blobs", "short"), ("GET", "blobs", "reset")]

    assert pull_blob(layer, other, registry)
    assert other.has(layer)


def test_a_layer_that_the_registry_does_not_have_is_not_there(
    world: "World", registry: Registry, tmp_path: Path
) -> None:
    lock = world.build()
    other = world.elsewhere(tmp_path / "other").layout

    assert not pull_blob(lock.platforms["linux/amd64"].layers[0], other, registry)
    with pytest.raises(RegistryError, match="does not have"):
        pull(lock, other, registry)


def test_an_image_whose_layer_the_registry_lost_cannot_be_pulled(
    world: "World", registry: Registry, fake_registry: "FakeRegistry", tmp_path: Path
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    del fake_registry.blobs[lock.platforms["linux/arm64"].layers[0].digest]

    with pytest.raises(RegistryError, match="does not have"):
        pull(lock, world.elsewhere(tmp_path / "other").layout, registry)


@pytest.mark.parametrize("part", ["layer", "index"])
def test_what_the_layout_lost_cannot_be_pushed(world: "World", registry: Registry, part: str) -> None:
    lock = world.build()
    lost = lock.index if part == "index" else lock.platforms["linux/amd64"].layers[0]
    world.layout.path(lost.digest).unlink()

    with pytest.raises(BuildError, match="the layout does not hold"):
        push(lock, world.layout, registry)
