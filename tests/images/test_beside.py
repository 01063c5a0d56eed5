"""Locks beside their images: one that was left is found; what none can be is an error that says what to do."""

from typing import TYPE_CHECKING

import pytest

from mmgit.errors import RegistryError
from mmgit.images import beside
from mmgit.images.registry import Registry

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, World


def test_a_lock_that_was_left_is_found(world: "World", fake_registry: "FakeRegistry") -> None:
    lock, registry = world.build(), Registry(fake_registry.host, "ml/digits")

    beside.leave(lock, registry)

    assert beside.found(lock.recipe, registry) == lock
    assert beside.found("0" * 64, registry) is None


def test_what_is_too_long_for_a_lock_is_named_by_its_tag(fake_registry: "FakeRegistry") -> None:
    tag, registry = beside.tag_of("0" * 64), Registry(fake_registry.host, "ml/digits")
    fake_registry.manifests[tag] = bytes(5 * 2**20)

    with pytest.raises(RegistryError, match=f"/ml/digits:{tag} is no lock: an answer is longer") as raised:
        beside.found("0" * 64, registry)
    assert raised.value.hint.startswith(f"crane delete {fake_registry.host}/ml/digits:{tag} ")
