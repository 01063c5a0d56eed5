"""Where model files are found: git, Git LFS, a folder, a web server; each failure with the way out."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images import download
from mmgit.images.layout import Layout
from mmgit.images.models import ModelStore
from mmgit.recipe import RecipeFile

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

DATA = b"weights"


@pytest.fixture
def store(layout: Layout, tmp_path: Path) -> ModelStore:
    return ModelStore(layout, tmp_path / "lfs")


@pytest.fixture
def expected(kit: "Kit") -> RecipeFile:
    return RecipeFile("model.bin", kit.sha256(DATA), len(DATA))


def pointer(oid: str) -> bytes:
    """Source: git-lfs, docs/spec.md."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 7\n".encode()


def test_a_file_in_git_is_opened_from_its_start(store: ModelStore) -> None:
    with store.open_in_git(lambda: io.BytesIO(DATA), "models/x/model.bin") as source:
        assert source.read() == DATA


def test_a_pointer_is_followed_to_the_object_that_git_lfs_fetched(store: ModelStore, kit: "Kit") -> None:
    oid = kit.sha256(DATA)
    path = store.lfs / oid[:2] / oid[2:4] / oid
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)

    with store.open_in_git(lambda: io.BytesIO(pointer(oid)), "models/x/model.bin") as source:
        assert source.read() == DATA


def test_a_pointer_to_what_was_not_fetched_names_the_command(store: ModelStore, kit: "Kit") -> None:
    with pytest.raises(BuildError, match=r"models/x/model\.bin is in Git LFS and was not fetched") as raised:
        store.open_in_git(lambda: io.BytesIO(pointer(kit.sha256(DATA))), "models/x/model.bin")
    assert raised.value.hint == "git lfs pull --include 'models/x/model.bin'"


@pytest.mark.parametrize("data", [b"", b"version https://git-lfs", b"x" + pointer("0" * 64)])
def test_what_only_looks_like_a_pointer_is_the_file(store: ModelStore, data: bytes) -> None:
    with store.open_in_git(lambda: io.BytesIO(data), "m") as source:
        assert source.read() == data


@pytest.mark.parametrize(("written", "name"), [("a%20b", "a b"), ("für", "für"), ("f%C3%BCr", "für"), ("5%25", "5%")])
def test_a_file_in_a_folder_of_this_machine_is_opened(
    store: ModelStore, expected: RecipeFile, tmp_path: Path, written: str, name: str
) -> None:
    (tmp_path / name).write_bytes(DATA)

    with store.open_at(f"file://{tmp_path}/{written}", expected) as source:
        assert source.read() == DATA


def test_a_file_that_is_not_in_the_folder_is_an_error(store: ModelStore, expected: RecipeFile, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"model\.bin is not at file:///.*No such file"):
        store.open_at(f"file://{tmp_path}/none", expected)


def test_a_pipe_or_folder_is_refused_and_never_waited_for(
    store: ModelStore, expected: RecipeFile, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name in ("pipe", ""):
        with pytest.raises(BuildError, match="is no plain file"):
            store.open_at(f"file://{tmp_path}/{name}", expected)


@pytest.mark.parametrize("uri", ["ftp://b/m", "http://x.example/m", "file://other.host/m"])
def test_a_store_that_mmgit_does_not_read_is_an_error_with_those_that_it_does(
    store: ModelStore, expected: RecipeFile, uri: str
) -> None:
    with pytest.raises(BuildError, match=r"model\.bin is at a") as raised:
        store.open_at(uri, expected)
    assert "file://, https://, s3://" in raised.value.hint


def test_a_download_is_kept_and_not_repeated(
    store: ModelStore, expected: RecipeFile, site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/m"] = DATA
    _speak_http_for_https(monkeypatch)

    for _ in range(2):
        with store.open_at(site.url.replace("http", "https") + "/m", expected) as source:
            assert source.read() == DATA
    assert site.asked == ["/m"]


def test_a_download_of_other_bytes_is_refused(
    store: ModelStore, expected: RecipeFile, site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/m"] = b"WEIGHTS"
    _speak_http_for_https(monkeypatch)

    with pytest.raises(BuildError, match="got other bytes"):
        store.open_at(site.url.replace("http", "https") + "/m", expected)


def test_a_download_that_is_not_there_is_an_error(
    store: ModelStore, expected: RecipeFile, site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    _speak_http_for_https(monkeypatch)

    with pytest.raises(BuildError, match=r"model\.bin cannot be downloaded: .*404"):
        store.open_at(site.url.replace("http", "https") + "/m", expected)


def _speak_http_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of the tests has no certificate."""
    original = download._open  # noqa: SLF001 - the one step before the network
    monkeypatch.setattr(download, "_open", lambda url, proxy: original(url.replace("https:", "http:"), proxy))
