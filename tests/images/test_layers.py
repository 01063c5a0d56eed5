"""Layers: a key before any byte is read, and digests that say what is in the file."""

import gzip
import hashlib
from pathlib import Path

import pytest

from mmgit.images.elf import MAGIC
from mmgit.images.layers import holds_no_binary, plan, write
from mmgit.images.layout import Layout
from mmgit.images.tar import Entry, file, link, stream


def test_a_compressed_layer_has_the_digest_of_its_uncompressed_bytes_as_diff_id(layout: Layout) -> None:
    layer = write(plan("scoring", {"x": 1}, lambda _: [file("a", b"a" * 9999)]), layout)

    data = layout.path(layer.digest).read_bytes()
    assert layer.media_type.endswith("tar+gzip")
    assert layer.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(data)).hexdigest()}"
    assert layer.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert layer.size_bytes == len(data)


def test_an_uncompressed_layer_is_its_own_diff_id(layout: Layout) -> None:
    layer = write(plan("model", {"x": 1}, lambda _: [file("a", b"a")], is_compressed=False), layout)

    assert layer.media_type.endswith("v1.tar")
    assert layer.diff_id == layer.digest


def test_a_written_layer_is_recalled_by_its_key(layout: Layout) -> None:
    planned = plan("model", {"x": 1}, lambda _: [file("a", b"a")])

    layer = write(planned, layout)

    assert layout.recall(planned.key) == layer


def test_a_key_changes_with_the_content_and_the_name_only() -> None:
    key = plan("model", {"x": 1}, lambda _: []).key

    assert plan("model", {"x": 1}, lambda _: [file("a", b"")]).key == key
    assert len({key, plan("model", {"x": 2}, lambda _: []).key, plan("base", {"x": 1}, lambda _: []).key}) == 3


def test_what_lies_in_the_scratch_folder_is_there_until_the_layer_is_written(layout: Layout) -> None:
    seen: list[Path] = []

    def entries(scratch: Path) -> list[object]:
        seen.append(scratch)
        (scratch / "f").write_bytes(b"abc")
        return [stream("f", 3, lambda: [(scratch / "f").read_bytes()])]

    layer = write(plan("dependencies", {}, entries, is_compressed=False), layout)  # type: ignore[arg-type]

    assert b"abc" in layout.path(layer.digest).read_bytes()
    assert not seen[0].exists()


@pytest.mark.parametrize(
    ("entry", "is_plain"),
    [
        (file("model.bin", b"weights"), True),
        (file("empty", b""), True),
        (file("short", MAGIC[:3]), True),
        (link("model", "model.bin"), True),
        (file("model.bin", MAGIC + b"..."), False),
        (stream("model.bin", 6, lambda: (MAGIC[:2], MAGIC[2:], b"..")), False),
        (stream("model.bin", 6, lambda: (b"", MAGIC, b"..")), False),
        (link("libx.so.1", "libx.so"), False),
    ],
)
def test_a_layer_of_files_that_lie_somewhere_is_read_again_only_if_it_may_hold_a_binary(
    layout: Layout, entry: Entry, *, is_plain: bool
) -> None:
    planned = plan("model", {"x": 1}, lambda _: [file("a", b"a"), entry], is_assembled=False)

    write(planned, layout)

    assert holds_no_binary(planned.key, layout) == is_plain


def test_an_assembled_layer_says_nothing_of_binaries(layout: Layout) -> None:
    planned = plan("dependencies", {}, lambda _: [file("a", b"a")])

    write(planned, layout)

    assert not holds_no_binary(planned.key, layout)
