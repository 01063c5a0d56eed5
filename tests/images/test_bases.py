"""Images on a base that is an image: its layers come first, byte for byte, and all else as on Debian packages."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError, RegistryError
from mmgit.images.bases import base_key, layers_of
from mmgit.images.layout import Layout
from mmgit.images.oci import serving_config
from mmgit.images.origins import DEBIAN
from mmgit.images.upstream import ImageRequest
from mmgit.images.workshop import Workshop
from mmgit.lock import faults, lock_of, spec_of
from mmgit.repository.files import Root
from tests.images.conftest import tar_of
from tests.images.foreign import Foreign, sha256, system

if TYPE_CHECKING:
    from mmgit.lock import Lock
    from mmgit.spec.base import BaseSpec
    from tests.images.conftest import FakeRegistry, Kit, World


@pytest.fixture
def foreign(fake_registry: "FakeRegistry") -> Foreign:
    found = Foreign(fake_registry, is_of_docker=True)
    found.layers[0] = tar_of(*system(minor="3.11"))
    return found


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    (tmp_path / "repository").mkdir()
    return Workshop(Root(tmp_path / "repository"), DEBIAN, tmp_path, tmp_path)


@pytest.fixture
def on_image(world: "World", foreign: Foreign, workshop: Workshop) -> "World":
    """The small world on an image, whose layers the layout has."""
    reference = foreign.push()
    base = workshop.resolve_image(ImageRequest(reference, ("linux/amd64", "linux/arm64")))
    return replace(world, base=base, layout=workshop.layout)


def built(world: "World", workshop: Workshop) -> "Lock":
    return replace(world.assembler, bring=workshop.bring_layer).build(world.recipe, world.sources)


def of(world: "World", digest: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.layout.document(digest) or b"")
    return found


def test_an_image_begins_with_the_layers_of_its_base_as_they_are(
    on_image: "World", foreign: Foreign, workshop: Workshop
) -> None:
    lock = built(on_image, workshop)

    for image in lock.platforms.values():
        assert [layer.digest for layer in image.layers[:2]] == [sha256(data) for data in foreign.packed]
        assert [layer.media_type.rpartition("+")[2] for layer in image.layers[:2]] == ["gzip", "zstd"]
        assert all("vnd.oci.image" in layer.media_type for layer in image.layers)
        diff_ids = of(on_image, image.config.digest)["rootfs"]["diff_ids"]
        assert diff_ids[:2] == [sha256(layer) for layer in foreign.layers]
        assert len(image.layers) == 6
    assert list(faults(lock)) == []
    assert lock_of(spec_of(lock)) == lock


def test_an_image_starts_our_server_with_the_python_and_the_variables_of_its_base(
    on_image: "World", workshop: Workshop
) -> None:
    lock = built(on_image, workshop)

    config = of(on_image, lock.platforms["linux/amd64"].config.digest)["config"]
    assert config["Entrypoint"][0] == "/usr/local/bin/python3.11"
    assert config["User"] == "65532:65532"
    assert config["Env"] == ["PATH=/usr/local/bin:/bin:/usr/bin:/opt/dependencies/bin", "LANG=C.UTF-8"]
    assert "Cmd" not in config


def test_without_variables_of_a_base_an_image_starts_as_ever() -> None:
    assert serving_config("/usr/bin/python3")["Env"] == ["PATH=/usr/bin:/bin:/opt/dependencies/bin"]


def test_layers_that_are_not_here_come_from_the_registry_of_the_base(
    on_image: "World", workshop: Workshop, tmp_path: Path
) -> None:
    there = built(on_image, workshop)
    elsewhere = replace(workshop, root=Root(tmp_path / "elsewhere"))
    other = replace(on_image, layout=Layout(tmp_path / "elsewhere/.mmgit/oci"))

    here = built(other, elsewhere)

    assert here == there
    assert all(other.layout.has(blob) for blob in here.blobs)


def test_a_layer_that_was_pushed_comes_from_where_it_was_pushed(on_image: "World", workshop: Workshop) -> None:
    lock = built(on_image, workshop)
    layer = lock.platforms["linux/amd64"].layers[0]
    data = on_image.layout.path(layer.digest).read_bytes()
    on_image.layout.path(layer.digest).unlink()
    assembler = replace(
        on_image.assembler,
        known={layer.key: layer},
        pull=lambda wanted: bool(on_image.layout.put([data], expected=wanted)),
        bring=lambda *_: pytest.fail("the registry of the base was asked"),
    )

    assert assembler.build(on_image.recipe, on_image.sources) == lock


def test_a_layer_that_is_gone_says_what_helps(on_image: "World", foreign: Foreign, workshop: Workshop) -> None:
    lost = sha256(foreign.packed[1])
    on_image.layout.path(lost).unlink()
    del foreign.registry.blobs[lost]

    with pytest.raises(BuildError, match=f"does not have {lost}, a layer of the base, any more") as raised:
        built(on_image, workshop)
    assert "mmgit base update" in raised.value.hint


def test_a_layer_with_other_bytes_is_not_kept(on_image: "World", foreign: Foreign, workshop: Workshop) -> None:
    digest = sha256(foreign.packed[1])
    on_image.layout.path(digest).unlink()
    foreign.registry.blobs[digest] = bytes(len(foreign.packed[1]))

    with pytest.raises(RegistryError, match="got other bytes"):
        built(on_image, workshop)
    assert not on_image.layout.path(digest).exists()


def test_a_lock_that_lies_about_what_a_layer_unpacks_to_builds_nothing(
    on_image: "World", foreign: Foreign, workshop: Workshop
) -> None:
    digest = sha256(foreign.packed[1])
    on_image.layout.path(digest).unlink()
    on_image.base = _with_diff_id(on_image.base, "sha256:" + "0" * 64)

    for _ in range(2):  # nothing is left that a second try would take
        with pytest.raises(BuildError, match="unpacks to sha256:"):
            built(on_image, workshop)
    assert not on_image.layout.path(digest).exists()


def _with_diff_id(base: "BaseSpec", diff_id: str) -> "BaseSpec":
    plain = base.plain(only_given=True)
    for platform in plain["platforms"].values():
        platform["layers"][1]["diff_id"] = diff_id
    return base.read(plain)


def test_the_key_of_a_base_covers_what_images_on_it_have_of_it_and_not_where_it_came_from(on_image: "World") -> None:
    base = on_image.base
    assert base.image
    moved = base.replaced(
        image=base.image.replaced(reference="registry.example.com/other:1", digest=f"sha256:{'0' * 64}")
    )
    key = base_key(base, "linux/amd64")

    assert base_key(moved, "linux/amd64") == key
    assert base_key(_with_diff_id(base, "sha256:" + "0" * 64), "linux/amd64") != key
    assert base_key(base.replaced(libc="2.41"), "linux/amd64") != key
    assert len({layer.key for layer in layers_of(base, "linux/amd64")}) == 2


def test_a_platform_that_the_image_is_not_locked_for_is_refused(on_image: "World") -> None:
    base = on_image.base.replaced(platforms={"linux/amd64": on_image.base.platforms["linux/amd64"]})

    with pytest.raises(BuildError, match="locked for linux/amd64, not for linux/arm64"):
        layers_of(base, "linux/arm64")


def test_a_push_to_the_registry_of_the_base_mounts_its_layers(
    on_image: "World", foreign: Foreign, workshop: Workshop
) -> None:
    lock = built(on_image, workshop)
    own = [sha256(data) for data in foreign.packed]
    foreign.registry.asked.clear()
    foreign.registry.faults = [("HEAD", digest, 404) for digest in own]

    workshop.push(lock, f"{foreign.registry.host}/ml", "digits", [on_image.base])

    asked = foreign.registry.asked
    for digest in own:
        assert any(f"mount=sha256%3A{digest[7:]}&from=library%2Fpython" in each for each in asked)
        assert not any(each.startswith("PUT") and digest[7:] in each for each in asked)


def test_a_push_elsewhere_sends_the_layers_of_the_base(
    on_image: "World", foreign: Foreign, workshop: Workshop, other_registry: "FakeRegistry"
) -> None:
    lock = built(on_image, workshop)

    workshop.push(lock, other_registry.host, "digits", [on_image.base])

    assert {sha256(data) for data in foreign.packed} <= other_registry.blobs.keys()
    assert all(f"sha256:{hashlib.sha256(data).hexdigest()}" == name for name, data in other_registry.blobs.items())


def test_a_library_that_an_image_base_lacks_is_an_error_that_asks_for_another_image(
    on_image: "World", workshop: Workshop, kit: "Kit"
) -> None:
    on_image.pylock = kit.pylock_of(on_image.site, kit.wheel_of("view", {"view.so": kit.elf_of("libGL.so.1")}))

    with pytest.raises(
        BuildError, match=r"neither base `NAME` nor a dependency has libGL\.so\.1, which view"
    ) as raised:
        built(on_image, workshop)
    assert raised.value.hint.startswith("mmgit base update NAME --image …   names an image that has it; ")
