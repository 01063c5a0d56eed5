"""The image store: whole blobs only, many writers at once, and a collection that keeps what locks name."""

import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmgit.errors import BuildError
from mmgit.images.layout import Layout
from mmgit.lock import TAR, Blob, Layer, digest_of


def layer_of(blob: Blob, key: str = "k" * 64) -> Layer:
    return Layer(blob.digest, blob.size_bytes, blob.digest, key, TAR)


def test_a_new_layout_is_what_oci_says(layout: Layout) -> None:
    layout.name("digits:1", layout.put_document(b"{}"))

    assert json.loads((layout.root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout.root / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    assert index["manifests"][0]["annotations"] == {"org.opencontainers.image.ref.name": "digits:1"}


def test_a_blob_is_found_under_its_digest(layout: Layout) -> None:
    blob = layout.put([b"ab", b"c"])

    assert blob == Blob(digest_of(b"abc"), 3)
    assert layout.path(blob.digest).read_bytes() == b"abc"
    assert layout.has(blob)


def test_a_blob_of_another_size_does_not_count_as_there(layout: Layout) -> None:
    blob = layout.put([b"abc"])
    layout.path(blob.digest).write_bytes(b"")

    assert not layout.has(blob)


@pytest.mark.parametrize("data", [b"abd", b"ab", b"abcd"])
def test_other_bytes_than_expected_leave_nothing_behind(layout: Layout, data: bytes) -> None:
    expected = Blob(digest_of(b"abc"), 3)

    with pytest.raises(BuildError, match="expected 3 bytes"):
        layout.put([data], expected=expected)
    assert list((layout.root / "blobs" / "sha256").iterdir()) == []


def test_a_stream_that_never_ends_is_cut_at_the_expected_size(layout: Layout) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1024

    with pytest.raises(BuildError, match="got other bytes"):
        layout.put(endless(), expected=Blob(digest_of(b""), 4096))


def test_a_write_that_breaks_off_leaves_nothing_behind(layout: Layout) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        layout.put(broken())
    assert list((layout.root / "blobs" / "sha256").iterdir()) == []


def test_a_damaged_document_is_as_good_as_absent_and_is_written_again(layout: Layout) -> None:
    blob = layout.put_document(b'{"a":1}')
    layout.path(blob.digest).write_bytes(b'{"a":2}')

    assert layout.document(blob.digest) is None
    layout.put_document(b'{"a":1}')
    assert layout.document(blob.digest) == b'{"a":1}'


def test_a_layer_is_recalled_by_key_as_long_as_its_blob_is_there(layout: Layout) -> None:
    layer = layer_of(layout.put([b"abc"]))
    layout.remember(layer)

    assert layout.recall(layer.key) == layer
    layout.path(layer.digest).unlink()
    assert layout.recall(layer.key) is None


def test_a_damaged_memo_is_forgotten(layout: Layout) -> None:
    layer = layer_of(layout.put([b"abc"]))
    layout.remember(layer)
    (layout.root / "memo" / layer.key).write_bytes(b"{")

    assert layout.recall(layer.key) is None


def test_a_name_stands_for_the_last_image_that_got_it(layout: Layout) -> None:
    first, second = layout.put_document(b"1"), layout.put_document(b"2")
    layout.name("digits:1", first)
    layout.name("churn:1", first)

    layout.name("digits:1", second)

    assert layout.names() == {"churn:1": first, "digits:1": second}


def test_the_index_is_on_disk_before_it_takes_the_place_of_the_one_before(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        flushed.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", noted)

    layout.name("digits:1", layout.put_document(b"1"))

    assert flushed == [(layout.root / "index.json").stat().st_ino]


def test_collecting_keeps_what_locks_name_and_frees_the_rest(layout: Layout) -> None:
    kept, lost = layout.put([b"kept"]), layout.put([b"lost!"])
    for blob, key in ((kept, "a" * 64), (lost, "b" * 64)):
        layout.remember(layer_of(blob, key))
        layout.name(f"name:{key[0]}", blob)
    (layout.root / "blobs" / "sha256" / ".interrupted").write_bytes(b"x" * 10)

    freed = layout.collect([kept.digest])

    assert freed == len(b"lost!") + 10
    assert layout.names() == {"name:a": kept}
    assert layout.recall("a" * 64)
    assert [path.name for path in (layout.root / "memo").iterdir()] == ["a" * 64]


def _write_names(root: Path, number: int) -> None:
    layout = Layout(root)
    for count in range(5):
        layout.name(f"m{number}:{count}", layout.put_document(b"%d" % count))


def test_many_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_names, args=(tmp_path / "oci", number)) for number in range(4)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    layout = Layout(tmp_path / "oci")
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(layout.names()) == 20
    assert all(layout.has(blob) for blob in layout.names().values())


def _collect(root: Path) -> None:
    Layout(root).collect([])


def test_collecting_waits_while_images_are_built(layout: Layout) -> None:
    blob = layout.put([b"in use"])
    process = multiprocessing.get_context("spawn").Process(target=_collect, args=(layout.root,))

    with layout.in_use():
        process.start()
        process.join(1.0)
        assert process.is_alive()
        assert layout.has(blob)

    process.join(60)
    assert not layout.has(blob)
