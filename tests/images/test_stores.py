"""Objects of fsspec's own store in memory: ranges, tries and refusals. `cli/test_model_stores.py` has real servers."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from mmgit.errors import UsageError
from mmgit.images import stores
from mmgit.images.download import UnavailableError
from mmgit.images.stores import RANGE_BYTES, Objects, objects_at

DATA = bytes(range(256)) * (RANGE_BYTES // 128) + b"the rest"


class Flaky(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Breaks off as often as it is told to, and remembers which ranges it was asked for."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]
        self.breaks: list[Exception] = []
        self.ranges: list[tuple[int, int]] = []

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: object) -> bytes:
        self.ranges.append((start or 0, end or 0))
        if self.breaks:
            raise self.breaks.pop(0)
        data: bytes = super().cat_file(path, start, end)
        return data


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Flaky:
    monkeypatch.setattr(stores, "PAUSES_SECONDS", (0.0, 0.0))
    files = Flaky()
    files.pipe_file("/bucket/model.bin", DATA)
    return files


def test_an_object_is_read_range_by_range(files: Flaky) -> None:
    blocks = list(Objects("s3://bucket/model.bin", files, "/bucket/model.bin").blocks(len(DATA)))

    assert b"".join(blocks) == DATA
    assert max(map(len, blocks)) == RANGE_BYTES
    assert len(blocks) == 3


def test_what_breaks_off_goes_on_with_the_range_that_it_was_at(files: Flaky) -> None:
    reading = Objects("s3://bucket/model.bin", files, "/bucket/model.bin").blocks(len(DATA))
    first = next(reading)
    files.breaks = [ConnectionResetError(), TimeoutError()]

    rest = b"".join(reading)

    assert first + rest == DATA
    assert [start // RANGE_BYTES for start, _ in files.ranges] == [0, 1, 1, 1, 2]


def test_tries_have_a_bound_and_the_message_says_how_many(files: Flaky) -> None:
    files.breaks = [OSError("https://store.example/x?X-Amz-Signature=hunter2 broke off")] * 9

    with pytest.raises(UnavailableError, match=r"s3://bucket/model\.bin: OSError: .*\(tried 3 times\)") as raised:
        list(Objects("s3://bucket/model.bin", files, "/bucket/model.bin").blocks(7))

    assert len(files.ranges) == 3
    assert "hunter2" not in str(raised.value)


def test_what_is_forbidden_is_not_asked_for_again(files: Flaky) -> None:
    files.breaks = [PermissionError("Access Denied")] * 9

    with pytest.raises(UnavailableError, match="Access Denied"):
        list(Objects("s3://bucket/model.bin", files, "/bucket/model.bin").blocks(7))

    assert len(files.ranges) == 1


def test_a_folder_or_nothing_has_no_size(files: Flaky) -> None:
    sizes = [Objects("", files, path).size_bytes() for path in ("/bucket/model.bin", "/bucket", "/bucket/none")]

    assert sizes == [len(DATA), None, None]


def test_more_objects_than_a_model_has_are_refused(files: Flaky, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "OBJECTS_MAX", 1)
    files.pipe_file("/bucket/other.bin", b"")

    with pytest.raises(UnavailableError, match="more than 1 objects"):
        Objects("s3://bucket/", files, "/bucket").below()


@pytest.mark.parametrize(("size_bytes", "part_bytes"), [(1, RANGE_BYTES), (10**12, 424 * 2**18)])
def test_an_upload_has_fewer_parts_than_stores_take(
    size_bytes: int, part_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, given = tmp_path / "model.bin", {}
    with source.open("wb") as file:
        file.truncate(size_bytes)
    files = Flaky()
    monkeypatch.setattr(files, "put_file", lambda *_, **options: given.update(options))

    Objects("s3://bucket/x", files, "/bucket/x").put(source)

    assert given["chunksize"] == part_bytes
    assert size_bytes / part_bytes < 10_000


@pytest.mark.parametrize(("uri", "package"), [("s3://b/m", "s3fs"), ("gs://b/m", "gcsfs"), ("abfs://b/m", "adlfs")])
def test_a_store_whose_package_is_not_installed_names_the_extra(
    uri: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else there(name))

    with pytest.raises(UsageError, match=f"{package}, which reads it, is not installed") as raised:
        objects_at(uri)

    assert "uv tool install --force '.[stores]'" in raised.value.hint


def test_credentials_that_cannot_be_understood_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CREDENTIALS", '"hunter2"')

    with pytest.raises(UnavailableError, match="GOOGLE_CREDENTIALS is no JSON object") as raised:
        objects_at("gs://bucket/model.bin")

    assert "hunter2" not in str(raised.value)
