"""Locks: what they bind, what they say about a recipe, and that they survive being written."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmgit.lock import (
    TAR,
    Blob,
    Layer,
    Lock,
    PlatformImage,
    Volume,
    blob_of,
    canonical,
    faults,
    index_of,
    layers_by_key,
    lock_of,
    manifest_of,
    missing,
    spec_of,
    standing,
)
from mmgit.recipe import Foundation, Inputs, Recipe, RecipeFile, key_of
from mmgit.repository.reading import parse
from mmgit.spec.image import ImageSpec

INPUTS = Inputs("python", "3.11", "score.py", (RecipeFile("score.py", "a" * 64, 1),), ())
FOUNDATION = Foundation({"linux/amd64": "b" * 64}, "c" * 64, "gzip", {"openapi.json": "d" * 64})
RECIPE = Recipe(INPUTS, FOUNDATION)


def digest(digit: str) -> str:
    return f"sha256:{digit * 64}"


def image_of(*layers: Layer) -> PlatformImage:
    config = Blob(digest("5"), 5)
    return PlatformImage(blob_of(manifest_of(config, layers)), config, layers)


def lock_over(**platforms: PlatformImage) -> Lock:
    """As a builder writes it; a name is an architecture."""
    images = {f"linux/{name}": image for name, image in platforms.items()}
    return Lock(RECIPE.key, INPUTS.key, FOUNDATION, blob_of(index_of(images)), images)


BASE_KEY = key_of({"layer": "base", "codec": "gzip", "base": "b" * 64})
BASE = Layer(digest("1"), 10, digest("2"), BASE_KEY, f"{TAR}+gzip")
MODEL = Layer(digest("3"), 30, digest("3"), "f" * 64, TAR)
IMAGE = image_of(BASE, MODEL)
LOCK = lock_over(amd64=IMAGE)
MOUNTED = {"linux/amd64": image_of(MODEL)}
VOLUME = Volume(blob_of(index_of(MOUNTED)), MOUNTED)


def test_recipes_without_a_lock_are_missing_each_once_in_order() -> None:
    other = Recipe(replace(INPUTS, python="3.13"), FOUNDATION)
    third = Recipe(replace(INPUTS, python="3.12"), FOUNDATION)

    assert missing([other, RECIPE, third, other], {RECIPE.key: LOCK}) == [other, third]


def test_a_lock_of_the_same_recipe_is_current() -> None:
    assert standing(LOCK, RECIPE) == "current"


@pytest.mark.parametrize(
    "today",
    [
        replace(FOUNDATION, base={"linux/amd64": "0" * 64}),
        replace(FOUNDATION, base={**FOUNDATION.base, "linux/arm64": "0" * 64}),
        replace(FOUNDATION, serving="0" * 64),
        replace(FOUNDATION, codec="gzip 2"),
        replace(FOUNDATION, documents={}),
    ],
)
def test_whatever_mmgit_brings_newer_is_a_rebuild_available_and_no_error(today: Foundation) -> None:
    assert standing(LOCK, Recipe(INPUTS, today)) == "rebuild available"


def test_an_image_of_other_inputs_was_never_one_of_this_manifest() -> None:
    assert standing(LOCK, Recipe(replace(INPUTS, scoring="other.py"), FOUNDATION)) == "of other inputs"


def test_a_lock_that_a_builder_wrote_has_no_faults() -> None:
    assert list(faults(LOCK)) == []


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        (replace(LOCK, recipe="0" * 64), "recipe 000000000000 is not the key"),
        (replace(LOCK, inputs="0" * 64), "is not the key"),
        (replace(LOCK, foundation=replace(FOUNDATION, serving="0" * 64)), "is not the key"),
        (lock_over(arm64=IMAGE), "platforms linux/arm64, but a base for linux/amd64"),
        (lock_over(amd64=image_of(replace(BASE, key="0" * 64), MODEL)), "lowest layer is not of the base"),
        (lock_over(amd64=image_of(MODEL, BASE)), "lowest layer is not of the base"),
        (lock_over(amd64=image_of(BASE, replace(MODEL, diff_id=digest("9")))), "so its diff_id must be the same"),
        (lock_over(amd64=replace(IMAGE, config=Blob(digest("9"), 5))), "is not the one of this config"),
        (lock_over(amd64=replace(IMAGE, layers=(BASE,))), "is not the one of this config and these layers"),
        (lock_over(amd64=replace(IMAGE, layers=(replace(BASE, size_bytes=9), MODEL))), "and these layers"),
        (lock_over(amd64=replace(IMAGE, manifest=replace(IMAGE.manifest, size_bytes=9))), "and these layers"),
        (replace(LOCK, index=Blob(digest("6"), LOCK.index.size_bytes)), "is not the index of these manifests"),
        (replace(LOCK, platforms={"linux/amd64": image_of(BASE)}), "is not the index of these manifests"),
    ],
)
def test_a_lock_that_was_edited_by_hand_contradicts_itself(lock: Lock, fault: str) -> None:
    assert any(fault in found for found in faults(lock))


@pytest.mark.parametrize(
    ("volume", "fault"),
    [
        (replace(VOLUME, index=Blob(digest("9"), 9)), "is not the index of these manifests"),
        (replace(VOLUME, platforms={}), "a volume for , but platforms linux/amd64"),
        (replace(VOLUME, platforms={"linux/amd64": replace(IMAGE, config=Blob(digest("9"), 5))}), "is not the one of"),
    ],
)
def test_a_volume_that_was_edited_by_hand_contradicts_itself(volume: Volume, fault: str) -> None:
    assert any(fault in each for each in faults(replace(LOCK, volume=volume)))
    assert not list(faults(replace(LOCK, volume=VOLUME)))


def test_a_volume_is_in_a_lock_file_where_there_is_one_alone() -> None:
    mounted = replace(LOCK, volume=VOLUME)

    assert lock_of(spec_of(mounted)) == mounted
    assert "volume" not in spec_of(LOCK).plain(without_none=True)
    assert mounted.blobs[-2:] == (VOLUME.index, LOCK.index)
    assert MODEL.digest in {blob.digest for blob in mounted.blobs}


def test_canonical_json_has_one_form() -> None:
    assert canonical({"b": [1], "a": "ü"}) == '{"a":"ü","b":[1]}'.encode()


def test_the_locks_of_this_project_were_written_by_its_builder() -> None:
    paths = list(Path(__file__).parents[1].glob("models/*/manifests/*/images/*.yaml"))

    found = [fault for path in paths for fault in faults(lock_of(ImageSpec.read(parse(path.read_bytes()))))]

    assert paths
    assert found == []


def test_the_name_of_a_lock_file_is_the_start_of_its_key() -> None:
    assert LOCK.file_name == f"{RECIPE.key[:12]}.yaml"


def test_blobs_are_listed_once_with_the_index_last() -> None:
    twice = replace(LOCK, platforms={"linux/amd64": IMAGE, "linux/arm64": IMAGE})

    digests = [blob.digest for blob in twice.blobs]

    assert digests == [digest("1"), digest("3"), digest("5"), IMAGE.manifest.digest, LOCK.index.digest]


def test_layers_are_found_by_key_over_all_locks() -> None:
    newer = replace(MODEL, digest=digest("7"), key="0" * 64)
    other = replace(LOCK, platforms={"linux/amd64": replace(IMAGE, layers=(BASE, newer))})

    assert layers_by_key([LOCK, other]) == {BASE_KEY: BASE, "f" * 64: MODEL, "0" * 64: newer}


def test_a_lock_comes_back_from_its_file_as_it_was() -> None:
    spec = spec_of(LOCK)

    assert lock_of(spec) == LOCK
    assert lock_of(ImageSpec.read(spec.plain())) == LOCK


def test_no_number_name_environment_or_registry_is_in_a_lock_file() -> None:
    assert set(spec_of(LOCK).plain(without_none=True)) == {
        "apiVersion", "kind", "digest", "size", "recipe", "inputs", "foundation", "platforms",
    }  # fmt: skip
