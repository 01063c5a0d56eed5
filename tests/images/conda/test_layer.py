"""The layer of an image with packages of conda's own."""

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.conda.asked import conda_file
from mmgit.images.conda.layer import CondaSource
from mmgit.images.conda.solving import solve
from mmgit.images.origins import Machine
from mmgit.recipe import Recipe
from tests.conda_channel import Channel

if TYPE_CHECKING:
    from tests.images.conftest import Kit, World

PLATFORMS = {"linux/amd64": b"linux-64", "linux/arm64": b"linux-aarch64"}
PLACE = "opt/dependencies"


@pytest.fixture
def source(channel: Channel) -> CondaSource:
    machines = [Machine(platform, "3.11", "/usr/bin/python3", "2.36") for platform in PLATFORMS]
    asked = conda_file({"channels": ["./channels/acme"], "dependencies": ["forest"]})
    root = channel.folder.parents[1]
    return CondaSource(solve(asked, machines, root), lambda path: (root / path).open("rb"))


def test_an_image_has_the_environment_of_its_platform_and_other_packages_in_it(
    world: "World", kit: "Kit", source: CondaSource
) -> None:
    recipe = Recipe(replace(world.inputs, conda=kit.sha256(source.lock)), world.recipe.foundation)

    lock = world.assembler.build(recipe, replace(world.sources, conda=source))

    for platform, subdir in PLATFORMS.items():
        path = world.layout.path(lock.platforms[platform].layers[1].digest)
        with tarfile.open(path) as archive:
            names = set(archive.getnames())
            library = archive.extractfile(f"{PLACE}/lib/libtree.so")
            assert library is not None
            assert library.read() == subdir
        assert {f"{PLACE}/bin/python3.11", f"{PLACE}/lib/python3.11/site-packages/tiny.py"} <= names
    assert lock.recipe != world.recipe.key


def test_a_recipe_of_another_lock_is_not_built(world: "World", source: CondaSource) -> None:
    with pytest.raises(BuildError, match="another conda"):
        world.assembler.build(world.recipe, replace(world.sources, conda=source))


def test_a_package_that_nobody_has_is_named(world: "World", kit: "Kit", source: CondaSource) -> None:
    lock = source.lock.replace(b"./channels/acme/noarch", f"{world.site.url}/acme/noarch".encode())
    recipe = Recipe(replace(world.inputs, conda=kit.sha256(lock)), world.recipe.foundation)

    with pytest.raises(BuildError, match=r"conda package forest-2\.0-0\.conda cannot be had"):
        world.assembler.build(recipe, replace(world.sources, conda=replace(source, lock=lock)))
