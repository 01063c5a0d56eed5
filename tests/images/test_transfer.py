"""Images to a registry and back: only what is missing, the index last, and no byte unverified."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError, RegistryError
from mmgit.images.layout import Layout
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull, pull_blob, push, verify
from mmgit.lock import INDEX_MEDIA_TYPE, Lock

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


def test_a_volume_goes_and_comes_with_its_image(world: "World", registry: Registry, tmp_path: Path) -> None:
    world.volume = True
    lock, other = world.build(), world.elsewhere(tmp_path / "other").layout

    push(lock, world.layout, registry)
    pull(lock, other, registry)

    assert lock.volume is not None
    assert all(other.has(blob) for blob in lock.blobs)
    assert registry.manifest(lock.volume.index.digest, INDEX_MEDIA_TYPE) == other.document(lock.volume.index.digest)


def test_an_image_whose_volume_is_not_there_is_not_verified(
    world: "World", registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    world.volume = True
    lock = world.build()
    push(lock, world.layout, registry)
    assert lock.volume is not None
    del fake_registry.manifests[lock.volume.index.digest]

    with pytest.raises(RegistryError, match=lock.volume.index.digest):
        verify(lock, registry)


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

    push(lock, world.layout, other, origin=registry)

    assert any(f"mount=sha256%3A{base.digest[7:]}" in asked for asked in fake_registry.asked)
    assert fake_registry.blobs == hidden


@dataclass(frozen=True)
class Copying:
    """An image that is in one registry, and neither in another one nor here."""

    lock: Lock
    layout: Layout
    origin: Registry
    there: "FakeRegistry"
    target: Registry
    at_target: "FakeRegistry"

    def copy(self) -> int:
        return push(self.lock, self.layout, self.target, origin=self.origin)


@pytest.fixture
def copying(
    world: "World", registry: Registry, fake_registry: "FakeRegistry", other_registry: "FakeRegistry"
) -> Copying:
    lock = world.build()
    origin = Registry(other_registry.host, "dev/digits")
    push(lock, world.layout, origin)
    for blob in lock.blobs:
        world.layout.path(blob.digest).unlink(missing_ok=True)
    other_registry.asked.clear()
    return Copying(lock, world.layout, origin, other_registry, registry, fake_registry)


def test_an_image_goes_from_one_registry_to_another(copying: Copying) -> None:
    sent = copying.copy()

    assert copying.at_target.blobs == copying.there.blobs
    assert sent == sum(map(len, copying.there.blobs.values()))
    verify(copying.lock, copying.target)


def test_only_what_is_missing_is_copied_and_only_what_is_not_here_is_fetched(copying: Copying) -> None:
    layers = {layer.digest: layer for layer in copying.lock.platforms["linux/amd64"].layers}
    at_target, here, *others = layers
    copying.at_target.blobs[at_target] = copying.there.blobs[at_target]
    copying.layout.put([copying.there.blobs[here]], expected=layers[here])

    copying.copy()

    fetched = {asked.rpartition("/")[2] for asked in copying.there.asked}
    assert not fetched & {at_target, here}
    assert {*others} < fetched
    assert not any(at_target[7:] in asked for asked in copying.at_target.asked if asked.startswith("PUT"))


@pytest.mark.parametrize("fault", ["reset", "short", 503])
def test_a_copy_survives_two_registries_that_break_off_now_and_then(copying: Copying, fault: int | str) -> None:
    copying.there.faults = [("GET", "manifests", fault), ("GET", "blobs", fault), ("GET", "blobs", fault)]
    copying.at_target.faults = [("POST", "uploads", 503), ("PUT", "uploads", "reset"), ("PUT", "manifests", 429)]

    copying.copy()

    verify(copying.lock, copying.target)
    assert (copying.there.faults, copying.at_target.faults) == ([], [])


def test_a_copy_that_stopped_goes_on_where_it_was(copying: Copying) -> None:
    copying.at_target.faults = [("PUT", copying.lock.index.digest, 403)]
    with pytest.raises(RegistryError, match="403"):
        copying.copy()
    copying.there.asked.clear()

    sent = copying.copy()

    assert (sent, copying.there.asked) == (0, [])
    verify(copying.lock, copying.target)


@pytest.mark.parametrize("lie", [b"{}", b"x" * 10**6])
def test_what_is_not_what_was_locked_goes_nowhere(copying: Copying, lie: bytes) -> None:
    copying.there.lies = lie

    with pytest.raises(RegistryError, match="other bytes"):
        copying.copy()
    for data in copying.there.manifests.values():
        copying.layout.put_document(data)
    with pytest.raises(RegistryError, match="other bytes"):
        copying.copy()

    assert (copying.at_target.blobs, copying.at_target.manifests) == ({}, {})


def test_what_is_neither_there_nor_here_is_named(copying: Copying) -> None:
    lost = copying.lock.platforms["linux/amd64"].layers[0]
    del copying.there.blobs[lost.digest]

    with pytest.raises(BuildError, match=f"dev/digits does not have {lost.digest}, nor does the layout"):
        copying.copy()


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
