"""Deterministic archives: another reader understands them, order does not matter, unsafe paths are refused."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.errors import BuildError
from mmgit.images.tar import Entry, _header, blocks_of, file, folder, link, stream, tar

LONG = "a" * 90 + "/" + "ü" * 60
UNSAFE = ["/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", "", ".", "a/.wh.b", ".wh..wh..opq/x", "a\0b", "a\nb"]


def members(entries: Iterable[Entry]) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(tar(entries)))) as archive:
        return archive.getmembers()


def test_another_reader_gets_files_folders_and_links_back() -> None:
    entries = [file("a/run", b"#!x", is_executable=True), folder("t", 0o1777), link("a/l", "../t"), file("b", b"")]

    found = members(entries)

    assert [(each.name, oct(each.mode), each.size, each.linkname) for each in found] == [
        ("a", "0o755", 0, ""),
        ("a/l", "0o777", 0, "../t"),
        ("a/run", "0o755", 3, ""),
        ("b", "0o644", 0, ""),
        ("t", "0o1777", 0, ""),
    ]


def test_what_is_gone_is_said_by_a_whiteout_and_owners_are_kept() -> None:
    found = members([Entry("a/b", "gone", 0o644), Entry("c", "folder", 0o2750, owner=(42, 65534))])

    assert [(each.name, each.size, each.uid, each.gid) for each in found] == [
        ("a", 0, 0, 0),
        ("a/.wh.b", 0, 0, 0),
        ("c", 0, 42, 65534),
    ]
    assert oct(found[2].mode) == "0o2750"


def test_nothing_of_the_machine_is_in_an_archive() -> None:
    found = members([file("a/b", b"x"), file(LONG, b"y")])

    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in found} == {(0, 0, 0, "", "")}
    assert all(set(each.pax_headers) <= {"path"} for each in found)


def test_long_and_foreign_names_and_targets_survive() -> None:
    target = "../" * 40 + "target"

    found = members([file(LONG, b"x"), link("l", target)])

    assert [(each.name, each.linkname) for each in found if not each.isdir()] == [(LONG, ""), ("l", target)]


def test_a_file_of_more_than_eight_gibibytes_has_its_size_in_a_pax_record() -> None:
    header = _header(stream("big", 9 * 2**30, tuple))

    assert tarfile.TarInfo.frombuf(header[:512], "utf-8", "strict").type == b"x"
    assert b" size=%d\n" % (9 * 2**30) in header


def test_folders_come_before_what_they_hold_even_beside_names_that_sort_between() -> None:
    found = [each.name for each in members([file("a/b", b""), file("a-c", b""), file("a.d/e", b"")])]

    assert found == ["a", "a/b", "a-c", "a.d", "a.d/e"]


@given(st.permutations([file("a/b", b"1"), file("a/c", b"2"), link("l", "a"), folder("a"), file("z", b"3")]))
def test_the_order_of_entries_is_irrelevant(entries: list[Entry]) -> None:
    assert b"".join(tar(entries)) == b"".join(tar(sorted(entries, key=lambda entry: entry.path)))


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=120), min_size=1, unique=True))
def test_any_plain_name_comes_back_as_it_was(names: list[str]) -> None:
    found = members([file(name, name.encode()) for name in names])

    assert sorted(each.name for each in found) == sorted(names)


@pytest.mark.parametrize("path", UNSAFE)
def test_a_path_that_could_leave_the_image_is_refused(path: str) -> None:
    with pytest.raises(BuildError, match="unsafe path"):
        list(tar([file(path, b"")]))


def test_two_files_of_one_path_are_refused() -> None:
    with pytest.raises(BuildError, match="two files"):
        list(tar([file("a", b"1"), file("a", b"1")]))


def test_a_file_below_a_link_is_refused() -> None:
    with pytest.raises(BuildError, match="'lib/x' lies below 'lib', which is a link"):
        list(tar([link("lib", "/etc"), file("lib/x", b"")]))


@pytest.mark.parametrize("data", [b"short", b"much too long"])
def test_a_file_whose_size_changed_while_it_was_read_is_refused(data: bytes) -> None:
    with pytest.raises(BuildError, match="other than its 8 bytes"):
        list(tar([stream("a", 8, lambda: [data])]))


def test_an_open_file_is_read_in_blocks_and_closed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * (2**20 + 1))
    source = (tmp_path / "f").open("rb")

    sizes = [len(block) for block in blocks_of(source)]

    assert sizes == [2**20, 1]
    assert source.closed
