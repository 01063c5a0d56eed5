"""What layers make together: links, whiteouts and hard links as a runtime would have them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mmgit.errors import BuildError
from mmgit.images import tree as trees
from mmgit.images.tree import Tree, tree_of
from mmgit.lock import TAR, Layer
from tests.images.conftest import member, tar_of
from tests.images.test_untar import sha256

Make = Callable[..., Tree]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def call(*layers: Iterable[tuple[Any, bytes]]) -> Tree:
        found = []
        for number, members in enumerate(layers):
            data = tar_of(*members)
            (tmp_path / str(number)).write_bytes(data)
            found.append((tmp_path / str(number), Layer(sha256(data), len(data), sha256(data), "", TAR)))
        return tree_of(found)

    return call


def symlink(name: str, target: str) -> tuple[Any, bytes]:
    return member(name, type=b"2", linkname=target)


def test_links_are_followed_below_the_root(make: Make) -> None:
    tree = make(
        [
            member("usr/lib/libc.so.6", b"libc"),
            symlink("lib", "usr/lib"),
            symlink("out", "../../../usr/lib/libc.so.6"),
            symlink("absolute", "/lib/libc.so.6"),
            symlink("a", "b"),
            symlink("b", "a"),
            symlink("dangling", "nowhere"),
        ]
    )

    assert tree.real("lib/libc.so.6") == "usr/lib/libc.so.6"
    assert tree.real("/out") == tree.real("absolute") == "usr/lib/libc.so.6"
    assert tree.real("a") is None
    assert tree.real("dangling") is None
    assert tree.nodes["usr/lib/libc.so.6"].data == b"libc"


def test_a_file_below_a_link_of_a_lower_layer_lies_where_the_link_leads(make: Make) -> None:
    tree = make([member("usr/lib/a"), symlink("lib", "usr/lib")], [member("lib/b")])

    assert {"usr/lib/a", "usr/lib/b"} <= tree.nodes.keys()
    assert tree.nodes["lib"].kind == "link"


def test_whiteouts_take_away_what_lower_layers_have_and_nothing_of_their_own(make: Make) -> None:
    tree = make(
        [member("a/one"), member("a/two"), member("b/x"), member("c/deep/y"), member("cd")],
        [member("a/.wh.one"), member("b/.wh..wh..opq"), member("b/new"), member(".wh.c")],
    )

    assert sorted(tree.nodes) == ["a", "a/two", "b", "b/new", "cd"]


def test_a_file_in_the_place_of_a_folder_hides_what_was_in_it(make: Make) -> None:
    tree = make([member("a/b/c")], [symlink("a", "x")], [member("x/y")])

    assert sorted(tree.nodes) == ["a", "x", "x/y"]
    assert tree.real("a/y") == "x/y"


def test_a_hard_link_is_the_file_that_it_names(make: Make) -> None:
    tree = make([member("bin/python3.12", b"x", mode=0o755)], [member("bin/p", type=b"1", linkname="bin/python3.12")])

    assert tree.may_run("bin/p")
    with pytest.raises(BuildError, match="hard link to 'gone', which is not there"):
        make([member("a", type=b"1", linkname="gone")])


@pytest.mark.parametrize(
    ("file", "folder", "runs"),
    [(0o755, 0o755, True), (0o744, 0o755, False), (0o755, 0o750, False), (0o111, 0o755, False)],
)
def test_what_everybody_may_run_can_be_reached_and_read(make: Make, file: int, folder: int, *, runs: bool) -> None:
    tree = make([member("opt", type=b"5", mode=folder), member("opt/p", b"x", mode=file)])

    assert tree.may_run("opt/p") is runs
    assert not tree.may_run("opt/q")


def test_names_are_those_of_files_and_links(make: Make) -> None:
    tree = make([member("usr/lib/libx.so.1.2"), symlink("usr/lib/libx.so.1", "libx.so.1.2")])

    assert sorted(tree.names()) == ["libx.so.1", "libx.so.1.2"]


def test_files_are_bounded_over_all_layers(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MEMBERS_LIMIT", 5)

    with pytest.raises(BuildError, match="more than 5 files"):
        make([member("a"), member("b"), member("c")], [member("d"), member("e"), member("f")])


def test_only_so_much_of_a_layer_is_kept(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "_KEPT_ALL_LIMIT_BYTES", 5)

    tree = make([member("lib/libc.so.6", b"libc"), member("lib/libm.so.6", b"libm"), member("lib/other", b"x")])

    assert {path: node.data for path, node in tree.nodes.items() if node.data} == {"lib/libc.so.6": b"libc"}
