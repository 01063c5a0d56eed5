"""Locks: what they bind, what they say about a recipe, and that they survive being written."""

from dataclasses import replace

import pytest

from mmgit.lock import (
    TAR,
    Blob,
    Layer,
    Lock,
    PlatformImage,
    faults,
    layers_by_key,
    lock_of,
    missing,
    spec_of,
    standing,
)
from mmgit.recipe import Foundation, Inputs, Recipe, RecipeFile
from mmgit.spec.image import ImageSpec

INPUTS = Inputs("python", "3.11", "score.py", (RecipeFile("score.py", "a" * 64, 1),), ())
FOUNDATION = Foundation({"linux/amd64": "b" * 64}, "c" * 64, "gzip", {"openapi.json": "d" * 64})
RECIPE = Recipe(INPUTS, FOUNDATION)


def digest(digit: str) -> str:
    return f"sha256:{digit * 64}"


BASE = Layer(digest("1"), 10, digest("2"), "e" * 64, f"{TAR}+gzip")
MODEL = Layer(digest("3"), 30, digest("3"), "f" * 64, TAR)
IMAGE = PlatformImage(Blob(digest("4"), 4), Blob(digest("5"), 5), (BASE, MODEL))
LOCK = Lock(RECIPE.key, INPUTS.key, FOUNDATION, Blob(digest("6"), 6), {"linux/amd64": IMAGE})


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
    assert faults(LOCK) == ()


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        (replace(LOCK, recipe="0" * 64), "recipe 000000000000 is not the key"),
        (replace(LOCK, inputs="0" * 64), "is not the key"),
        (replace(LOCK, foundation=replace(FOUNDATION, serving="0" * 64)), "is not the key"),
        (replace(LOCK, platforms={"linux/arm64": IMAGE}), "platforms linux/arm64, but a base for linux/amd64"),
        (
            replace(LOCK, platforms={"linux/amd64": replace(IMAGE, layers=(replace(MODEL, diff_id=digest("9")),))}),
            "is uncompressed, so its diff_id must be the same",
        ),
    ],
)
def test_a_lock_that_was_edited_by_hand_contradicts_itself(lock: Lock, fault: str) -> None:
    assert any(fault in found for found in faults(lock))


def test_the_name_of_a_lock_file_is_the_start_of_its_key() -> None:
    assert LOCK.file_name == f"{RECIPE.key[:12]}.yaml"


def test_blobs_are_listed_once_with_the_index_last() -> None:
    twice = replace(LOCK, platforms={"linux/amd64": IMAGE, "linux/arm64": IMAGE})

    digests = [blob.digest for blob in twice.blobs]

    assert digests == [digest(each) for each in "13546"]


def test_layers_are_found_by_key_over_all_locks() -> None:
    newer = replace(MODEL, digest=digest("7"), key="0" * 64)
    other = replace(LOCK, platforms={"linux/amd64": replace(IMAGE, layers=(BASE, newer))})

    assert layers_by_key([LOCK, other]) == {"e" * 64: BASE, "f" * 64: MODEL, "0" * 64: newer}


def test_a_lock_comes_back_from_its_file_as_it_was() -> None:
    spec = spec_of(LOCK)

    assert lock_of(spec) == LOCK
    assert lock_of(ImageSpec.model_validate(spec.model_dump(mode="json"))) == LOCK


def test_no_number_name_environment_or_registry_is_in_a_lock_file() -> None:
    assert set(spec_of(LOCK).model_dump()) == {
        "apiVersion", "kind", "digest", "size", "recipe", "inputs", "foundation", "platforms",
    }  # fmt: skip
