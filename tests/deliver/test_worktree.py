"""A journal is carried out, once or again, and nobody's work is lost."""

import os
from pathlib import Path

import pytest

from mmgit.deliver.journal import pending, record
from mmgit.deliver.worktree import finish
from mmgit.repository.files import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    folder = tmp_path / "root"
    (folder / "deep/er").mkdir(parents=True)
    for path in ("a", "b", "deep/er/c"):
        (folder / path).write_text("1")
    return Root(folder)


def test_files_come_change_and_go(root: Root) -> None:
    recorded = record(root, {"a": b"2", "deep/er/c": None, "new/d": b"2"})

    kept = finish(root, recorded)

    assert kept == ()
    assert {path: root.read(path) for path in root.walk("") if not path.startswith(".mmgit")} == {
        "a": b"2",
        "b": b"1",
        "new/d": b"2",
    }
    assert pending(root) is None
    assert not root.exists("deep")


def test_what_is_half_done_is_finished(root: Root) -> None:
    recorded = record(root, {"a": b"2", "b": None, "deep/er/c": b"2"})
    (root.path / ".mmgit/journal/0").replace(root.path / "a")
    (root.path / "b").unlink()

    finish(root, recorded)

    assert (root.read("a"), root.exists("b"), root.read("deep/er/c")) == (b"2", False, b"2")


def test_a_file_that_somebody_changed_or_removed_since_is_kept(root: Root) -> None:
    recorded = record(root, {"a": b"2", "b": None, "deep/er/c": b"2", "new": b"2"})
    (root.path / "a").write_text("theirs")
    (root.path / "b").write_text("theirs")
    (root.path / "deep/er/c").unlink()
    (root.path / "new").symlink_to("a")

    kept = finish(root, recorded)

    assert kept == ("a", "b", "deep/er/c", "new")
    assert (root.read("a"), root.read("b"), root.exists("deep/er/c")) == (b"theirs", b"theirs", False)
    assert (root.path / "new").is_symlink()
    assert pending(root) is None


@pytest.mark.parametrize("only", [(), ("b",)])
def test_only_the_named_paths_are_done(root: Root, only: tuple[str, ...]) -> None:
    recorded = record(root, {"a": b"2", "b": b"2"}, base="c" * 40)

    finish(root, recorded, only)

    assert root.read("a") == b"1"
    assert root.read("b") == (b"2" if only else b"1")
    assert pending(root) is None


def test_an_executable_file_stays_executable(root: Root) -> None:
    (root.path / "a").chmod(0o755)

    finish(root, record(root, {"a": b"2", "b": b"2"}))

    assert os.access(root.path / "a", os.X_OK)
    assert not os.access(root.path / "b", os.X_OK)


def test_many_files_in_many_folders_are_done(root: Root) -> None:
    changes = {f"many/{number}/file": b"%d" % number for number in range(50)}

    finish(root, record(root, changes))

    assert {f"many/{path}": root.read(f"many/{path}") for path in root.walk("many")} == changes
