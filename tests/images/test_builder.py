"""Builders around builders: a locked image is its locked bytes, and one failure leaves the others."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.builder import Builder, Locked, Recorded, Sources, build_all, gather
from mmgit.lock import Lock
from mmgit.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.images.conftest import World


class Refusing:
    """A builder that must not be asked."""

    def build(self, recipe: Recipe, sources: Sources) -> Lock:
        raise AssertionError((recipe, sources))


def test_an_image_already_locked_and_there_is_not_built_again(world: "World") -> None:
    lock = world.build()

    built = Locked(Refusing(), {lock.recipe: lock}, world.layout).build(world.recipe, world.sources)

    assert built == lock


def test_a_recipe_without_a_lock_is_built(world: "World") -> None:
    built = Locked(world.assembler, {}, world.layout).build(world.recipe, world.sources)

    assert built.recipe == world.recipe.key
    assert all(world.layout.has(blob) for blob in built.blobs)


def test_a_locked_image_that_is_gone_is_built_to_the_locked_bytes(world: "World") -> None:
    lock = world.build()
    for blob in lock.blobs:
        world.layout.path(blob.digest).unlink()

    built = Locked(world.assembler, {lock.recipe: lock}, world.layout).build(world.recipe, world.sources)

    assert built == lock
    assert all(world.layout.has(blob) for blob in lock.blobs)


def test_a_build_that_gives_other_bytes_than_locked_is_an_error_that_says_where(world: "World") -> None:
    lock = world.build()
    image = lock.platforms["linux/arm64"]
    layers = (replace(image.layers[0], digest="sha256:" + "0" * 64), *image.layers[1:])
    other = replace(
        lock,
        index=replace(lock.index, digest="sha256:" + "1" * 64),
        platforms={**lock.platforms, "linux/arm64": replace(image, layers=layers)},
    )

    with pytest.raises(BuildError, match=r"locks sha256:1+: layer 1 of linux/arm64 differs") as raised:
        Locked(world.assembler, {lock.recipe: other}, world.layout).build(world.recipe, world.sources)
    assert "mmgit image rebuild" in raised.value.hint


def test_equal_layers_under_another_index_are_told_apart(world: "World") -> None:
    lock = world.build()
    other = replace(lock, index=replace(lock.index, digest="sha256:" + "1" * 64))

    with pytest.raises(BuildError, match="their configuration differs"):
        Locked(world.assembler, {lock.recipe: other}, world.layout).build(world.recipe, world.sources)


def test_a_recorder_has_what_was_built_in_order(world: "World") -> None:
    recorder = Recorded(world.assembler)

    first = recorder.build(world.recipe, world.sources)
    world.model = b"better"
    second = recorder.build(world.recipe, world.sources)

    assert recorder.built == [first, second]


def test_one_failed_build_leaves_the_others(world: "World") -> None:
    def broken() -> Sources:
        raise BuildError("the file of b is gone")

    jobs: list[tuple[str, Recipe, Callable[[], Sources]]] = [
        ("a/1", world.recipe, lambda: world.sources),
        ("b/1", world.recipe, broken),
        ("c/1", world.recipe, lambda: world.sources),
    ]

    built = build_all(jobs, world.assembler)

    assert sorted(built.locks) == ["a/1", "c/1"]
    assert {name: str(error) for name, error in built.failures.items()} == {"b/1": "the file of b is gone"}


def test_images_are_made_beside_each_other_and_come_in_their_order(world: "World") -> None:
    lock, both = world.build(), threading.Barrier(2)

    def job() -> Lock:
        both.wait(10)
        return lock

    built = gather([("b/1", job), ("a/1", job)])

    assert [*built.locks] == ["b/1", "a/1"]


def test_a_bug_is_not_taken_for_a_failed_build(world: "World") -> None:
    builder: Builder = Refusing()

    with pytest.raises(AssertionError):
        build_all([("a/1", world.recipe, lambda: world.sources)], builder)
