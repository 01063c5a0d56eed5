"""What a watch hears of builds, downloads and uploads adds up to what was there to do, whatever went wrong between."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.images.bases import packages_of
from mmgit.images.download import download
from mmgit.images.models import ModelStore
from mmgit.images.packages import base_entries
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull, push
from mmgit.lock import Blob, blob_of
from mmgit.recipe import RecipeFile

if TYPE_CHECKING:
    from mmgit.images.layout import Layout
    from tests.images.conftest import FakeRegistry, Site, World

DATA = bytes(3_000_000)
BLOB = blob_of(DATA)


class Watched:
    """Remembers what it heard: name of the work -> total, and how much was done."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    @contextmanager
    def __call__(self, what: str, total: int | None = None, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
        assert unit == "bytes"
        self.totals[what] += total or 0
        yield lambda more: self.done.update({what: more})


@pytest.fixture
def heard() -> list[int]:
    return []


def registry_of(fake_registry: "FakeRegistry", heard: list[int]) -> Registry:
    return Registry(fake_registry.host, "models/digits", advance=heard.append)


def contents(world: "World") -> int:
    """The bytes of layers and configs of an image, each once."""
    lock = world.build()
    documents = {lock.index.digest, *(image.manifest.digest for image in lock.platforms.values())}
    return sum(blob.size_bytes for blob in lock.blobs if blob.digest not in documents)


def test_a_cold_build_says_what_it_fetches_and_writes(world: "World") -> None:
    watch = Watched()

    replace(world.assembler, watch=watch).build(world.recipe, world.sources)

    packages = sum(package.size for name in world.base.platforms for package in packages_of(world.base, name))
    assert watch.totals["fetching Debian packages"] == watch.done["fetching Debian packages"] == packages
    assert {f"laying out Python packages for {platform}" for platform in world.base.platforms} <= watch.totals.keys()
    written = {what for what in watch.done if what.startswith("writing layer ")}
    assert {"writing layer base", "writing layer dependencies", "writing layer scoring"} <= written


def test_a_build_of_what_is_there_says_nothing(world: "World") -> None:
    world.build()
    watch = Watched()

    replace(world.assembler, watch=watch).build(world.recipe, world.sources)

    assert not watch.totals


def test_packages_that_are_there_count_as_fetched(world: "World") -> None:
    world.build()
    watch, packages = Watched(), packages_of(world.base, "linux/amd64")

    base_entries(packages, "bookworm", world.layout, world.assembler.mirror, watch=watch)

    assert watch.done == watch.totals == Counter({"fetching Debian packages": packages[0].size})


@pytest.mark.parametrize("faults", [[], ["reset"], [503, 503], ["reset", 500, "reset"]])
def test_an_upload_counts_once_however_often_it_breaks_off(
    fake_registry: "FakeRegistry", heard: list[int], tmp_path: Path, faults: list[int | str]
) -> None:
    (tmp_path / "blob").write_bytes(DATA)
    fake_registry.faults = [("PUT", "uploads", fault) for fault in faults]

    registry_of(fake_registry, heard).upload(BLOB, tmp_path / "blob")

    assert sum(heard) == len(DATA)
    assert len(heard) > 2


def test_a_mounted_blob_counts_as_sent(fake_registry: "FakeRegistry", heard: list[int]) -> None:
    fake_registry.blobs[BLOB.digest] = DATA

    registry_of(fake_registry, heard).mount(BLOB, "models/churn")

    assert heard == [len(DATA)]


def test_a_push_counts_what_the_registry_has_already(
    world: "World", fake_registry: "FakeRegistry", heard: list[int]
) -> None:
    total = contents(world)
    lock = world.build()
    push(lock, world.layout, registry_of(fake_registry, heard))
    first = sum(heard)

    push(lock, world.layout, registry_of(fake_registry, heard))

    assert (first, sum(heard)) == (total, 2 * total)


def test_a_pull_counts_once_however_often_it_breaks_off(
    world: "World", fake_registry: "FakeRegistry", heard: list[int], tmp_path: Path
) -> None:
    total = contents(world)
    lock = world.build()
    push(lock, world.layout, Registry(fake_registry.host, "models/digits"))
    fake_registry.faults = [("GET", "/blobs/", "short")] * 2

    pull(lock, world.elsewhere(tmp_path / "other").layout, registry_of(fake_registry, heard))

    assert sum(heard) == total


def test_a_download_counts_once_however_often_it_breaks_off(
    site: "Site", layout: "Layout", heard: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmgit.images.download.PAUSES_SECONDS", (0.0, 0.0))
    site.files["/model.bin"], site.cut["/model.bin"] = DATA, [2_500_000, 1_500_000]

    download(f"{site.url}/model.bin", BLOB, layout, advance=heard.append)

    assert min(heard) < 0
    assert sum(heard) == len(DATA)
    assert len(heard) > 2
    assert layout.has(BLOB)


def test_a_download_that_is_refused_counts_nothing(site: "Site", layout: "Layout", heard: list[int]) -> None:
    site.files["/model.bin"] = DATA
    other = Blob(BLOB.digest, 10)

    with pytest.raises(Exception, match="other bytes"):
        download(f"{site.url}/model.bin", other, layout, advance=heard.append)

    assert sum(heard) == 0


def test_a_model_of_a_store_that_is_here_already_is_not_downloaded(layout: "Layout", tmp_path: Path) -> None:
    layout.put([DATA])
    watch = Watched()
    file = RecipeFile("model.bin", BLOB.digest.removeprefix("sha256:"), len(DATA))

    with ModelStore(layout, tmp_path, watch).open_at("https://store.example/model.bin", file) as source:
        assert len(source.read()) == len(DATA)

    assert not watch.totals
