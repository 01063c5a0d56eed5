"""What shall change is recorded before anything changes."""

from pathlib import Path

import pytest

from mmgit.deliver.journal import Entry, Journal, by_folder, discard, hash_of, pending, record
from mmgit.errors import UnsafePath
from mmgit.repository.blobs import blob_id
from mmgit.repository.files import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "b").write_text("1")
    return Root(folder)


def test_a_record_says_what_is_there_and_what_shall_be(root: Root) -> None:
    recorded = record(root, {"c": b"3", "b": None, "a": b"2"})

    assert recorded == Journal(
        (
            Entry("a", hash_of(b"1"), hash_of(b"2"), None, "0"),
            Entry("b", hash_of(b"1"), None, None),
            Entry("c", None, hash_of(b"3"), None, "2"),
        ),
        None,
    )
    assert (root.read("a"), root.read("b"), root.exists("c")) == (b"1", b"1", False)


def test_a_record_is_pending_until_it_is_discarded(root: Root) -> None:
    recorded = record(root, {"a": b"2"})

    assert pending(root) == recorded
    discard(root)
    assert pending(root) is None
    assert root.walk(".mmgit") == (".gitignore",)


@pytest.mark.parametrize("files", [1, 1000, 2001])
def test_a_record_of_any_length_is_read_as_it_was_written(root: Root, files: int) -> None:
    recorded = record(root, {f"many/{number}": b"%d" % number for number in range(files)}, base="1" * 40)

    assert pending(root) == recorded
    assert len(recorded.entries) == files


def test_a_record_that_a_crash_left_unfinished_does_not_count(root: Root) -> None:
    root.write(".mmgit/journal/0", b"2")
    root.write(".mmgit/journal/entries.json.new", b"{")

    assert pending(root) is None
    assert record(root, {"a": b"2"}) == pending(root)


def test_what_is_there_already_is_not_recorded(root: Root) -> None:
    assert record(root, {"a": b"1", "x": None}) == Journal((), None)
    assert pending(root) is None


def test_what_waits_for_a_commit_is_recorded_even_if_it_is_there(root: Root) -> None:
    base = "a" * 64

    recorded = record(root, {"a": b"1", "x": None}, base=base)

    assert recorded.base == base
    assert recorded.entries == (
        Entry("a", hash_of(b"1"), hash_of(b"1"), blob_id(b"1", base), "0"),
        Entry("x", None, None, None),
    )
    assert pending(root) == recorded


def test_asking_for_a_record_writes_nothing(root: Root) -> None:
    assert pending(root) is None
    assert root.walk("") == ("a", "b")


def test_a_link_where_a_file_shall_be_stops_all(root: Root, tmp_path: Path) -> None:
    (root.path / "link").symlink_to(tmp_path)

    with pytest.raises(UnsafePath, match="link"):
        record(root, {"a": b"2", "link": b"2"})

    assert pending(root) is None


def test_paths_are_grouped_by_folder_in_order() -> None:
    assert list(by_folder(["b/y", "a", "b/x", "b/c/z"])) == [("", ["a"]), ("b", ["x", "y"]), ("b/c", ["z"])]
