"""Files below a root are reached without leaving it, and change all at once."""

import os
import socket
from pathlib import Path

import pytest

from mmgit.errors import MmgitError, UnsafePath, UsageError
from mmgit.repository.files import Files, Root, near
from mmgit.repository.paths import MAX_DEPTH


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("canary")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Root:
    folder = tmp_path / "root"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/file").write_text("text")
    return Root(folder)


def test_a_file_is_read(root: Root) -> None:
    assert root.read("a/b/file") == b"text"


def test_folders_lie_in_each_other_up_to_a_limit(root: Root) -> None:
    (root.path / "deep" / "/".join("d" * MAX_DEPTH)).mkdir(parents=True)

    with pytest.raises(UnsafePath, match=f"folders lie more than {MAX_DEPTH} deep"):
        root.walk("")
    with pytest.raises(UnsafePath, match=f"lies more than {MAX_DEPTH} folders deep"):
        root.read("/".join("d" * (MAX_DEPTH + 1)))


def test_a_missing_file_is_named(root: Root) -> None:
    with pytest.raises(UsageError, match="a/nothing/file"):
        root.read("a/nothing/file")


@pytest.mark.parametrize("path", ["nothing", "nothing/file", "a/b/file/below"])
def test_what_is_missing_reads_as_none_and_lists_as_empty(root: Root, path: str) -> None:
    assert root.read_if_there(path) is None
    assert root.read_folder(path) == {}
    assert root.walk(path) == root.files(path) == root.folders(path) == ()
    assert not root.exists(path)


def test_a_file_larger_than_the_bound_is_refused(root: Root) -> None:
    assert root.read("a/b/file", 4) == b"text"
    with pytest.raises(UsageError, match="a/b/file is larger than 3 bytes"):
        root.read("a/b/file", 3)


def test_a_root_behind_a_symbolic_link_is_fine(root: Root, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root.path)

    assert Root(tmp_path / "link").read("a/b/file") == b"text"


def test_a_root_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        Root(tmp_path / "nowhere").read("a")


@pytest.mark.parametrize("link", ["link", "a/link"])
def test_no_link_to_a_file_is_followed(root: Root, outside: Path, link: str) -> None:
    (root.path / link).symlink_to(outside / "secret")

    for action in (root.read, root.read_if_there, root.exists):
        with pytest.raises(UnsafePath, match=link):
            action(link)
    with pytest.raises(UnsafePath, match=link):
        root.read_folder(link.rpartition("/")[0])


@pytest.mark.parametrize("link", ["link", "a/link"])
def test_no_link_to_a_folder_is_followed(root: Root, outside: Path, link: str) -> None:
    (root.path / link).symlink_to(outside)

    for action in (root.read, root.exists, root.remove, root.files, root.folders, root.walk, root.read_folder):
        with pytest.raises(UnsafePath, match=link):
            action(f"{link}/secret")
    with pytest.raises(UnsafePath, match=link):
        root.write(f"{link}/new", b"")
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_no_link_inside_the_root_is_followed_either(root: Root) -> None:
    (root.path / "alias").symlink_to("a")

    with pytest.raises(UnsafePath):
        root.read("alias/b/file")


def test_a_link_is_listed_but_not_entered(root: Root, outside: Path) -> None:
    (root.path / "a/link").symlink_to(outside)

    assert root.walk("") == ("a/b/file", "a/link")
    assert root.folders("a") == ("b",)


def test_special_files_are_refused_without_waiting_for_them(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root.path / "fifo")
    monkeypatch.chdir(root.path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

    for name in ("fifo", "socket"):
        with pytest.raises(UnsafePath, match=name):
            root.read(name)
        with pytest.raises(UnsafePath, match=name):
            root.exists(name)


def test_a_folder_is_not_read_as_a_file(root: Root) -> None:
    with pytest.raises(UnsafePath, match="a/b is not a plain file"):
        root.read("a/b")


def test_a_folder_is_read_whole_and_in_order(root: Root) -> None:
    for name in ("z", "é", "B", "a1"):
        (root.path / "a/b" / name).write_text(name)

    found = root.read_folder("a/b")

    assert list(found) == ["B", "a1", "file", "z", "é"]
    assert found["é"] == "é".encode()


def test_of_a_folder_only_the_named_files_that_are_there_are_read(root: Root) -> None:
    (root.path / "a/b/z").write_text("z")

    assert root.read_folder("a/b", names=["z", "nothing"]) == {"z": b"z"}


def test_walk_gives_paths_below_the_folder_in_order(root: Root) -> None:
    root.write("a/b/c/x", b"")
    root.write("a/b.yaml", b"")

    assert root.walk("a") == ("b.yaml", "b/c/x", "b/file")
    assert root.files("a") == ("b.yaml",)
    assert root.folders("a") == ("b",)


def test_folders_without_end_are_refused(root: Root) -> None:
    (root.path / "/".join("d" * 70)).mkdir(parents=True)

    with pytest.raises(UnsafePath, match="deep"):
        root.walk("")


def test_a_written_file_is_there_with_its_folders_and_nothing_else_is(root: Root) -> None:
    root.write("new/folder/file", b"data")

    assert root.read("new/folder/file") == b"data"
    assert root.walk("new") == ("folder/file",)
    assert root.walk(".mmgit") == (".gitignore",)


def test_writing_replaces_the_file_and_not_what_it_was_linked_to(root: Root, outside: Path) -> None:
    (root.path / "hard").hardlink_to(outside / "secret")
    (root.path / "soft").symlink_to(outside / "secret")

    root.write("hard", b"new")
    root.write("soft", b"new")

    assert root.read("hard") == root.read("soft") == b"new"
    assert (outside / "secret").read_text() == "canary"


def test_a_reader_of_the_old_file_keeps_it_whole(root: Root) -> None:
    with (root.path / "a/b/file").open() as reader:
        root.write("a/b/file", b"new")

        assert reader.read() == "text"
    assert root.read("a/b/file") == b"new"


@pytest.mark.parametrize(("mode", "expected"), [(0o755, True), (0o644, False)])
def test_an_executable_file_stays_executable(root: Root, mode: int, *, expected: bool) -> None:
    (root.path / "a/b/file").chmod(mode)

    root.write("a/b/file", b"new")

    assert os.access(root.path / "a/b/file", os.X_OK) is expected


def test_what_a_crash_left_in_staging_does_not_stop_the_next_write(root: Root) -> None:
    root.write("x", b"1")
    (root.path / f".mmgit/staging/{os.getpid()}-x").write_text("left")

    root.write("x", b"2")

    assert root.read("x") == b"2"


def test_a_file_in_the_way_of_a_folder_is_named(root: Root) -> None:
    with pytest.raises(MmgitError, match="a/b/file: Not a directory"):
        root.write("a/b/file/below", b"")


def test_a_folder_with_files_in_the_way_of_a_file_is_named(root: Root) -> None:
    with pytest.raises(MmgitError, match="a/b: Directory not empty"):
        root.write("a/b", b"")


def test_removing_a_file_removes_the_folders_that_it_leaves_empty(root: Root) -> None:
    root.write("a/b/c/d/x", b"")
    root.write("a/b/c/y", b"")

    root.remove("a/b/c/d/x")
    root.remove("a/b/file")
    root.remove("a/b/none")

    assert root.walk("") == (".mmgit/.gitignore", "a/b/c/y")
    assert root.folders("a/b/c") == ()


def test_removing_the_last_file_keeps_the_root(root: Root) -> None:
    root.remove("a/b/file")

    assert list(root.path.iterdir()) == []


def test_mmgits_own_file_with_a_second_name_is_refused(root: Root, outside: Path) -> None:
    root.write(".mmgit/x", b"")
    (root.path / ".mmgit/lock").hardlink_to(outside / "secret")

    with root.make(".mmgit") as own, pytest.raises(UnsafePath, match="lock"):
        own.open_own("lock")


def test_a_full_disk_leaves_the_old_file(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)

    with pytest.raises(MmgitError, match="No space left on device"):
        root.write("a/b/file", b"new")

    assert root.read("a/b/file") == b"text"


def everything(files: Files) -> object:
    """What each way of reading says, from one place to the next and back."""
    paths = ("a/b/file", "a/b/gone", "other/x", "a/gone/file", "a/b/file/below", "top", "a/b", "a", "")
    asked = (
        files.exists,
        files.files,
        files.folders,
        files.walk,
        lambda path: sorted(files.read_folder(path)),
        files.read,
    )
    said: list[object] = []
    for path in (*paths, *reversed(paths)):
        for ask in asked:
            try:
                said.append(ask(path))
            except (MmgitError, UsageError) as error:
                said.append(str(error))
    return said


def test_files_that_are_near_are_read_as_any(root: Root) -> None:
    (root.path / "other").mkdir()
    (root.path / "other/x").write_text("x")
    (root.path / "top").write_text("top")

    with near(root) as files:
        assert everything(files) == everything(root)


def test_no_link_is_followed_near_other_files(root: Root, outside: Path) -> None:
    with near(root) as files:
        files.read("a/b/file")
        (root.path / "a/link").symlink_to(outside)
        for _ in range(2):
            with pytest.raises(UnsafePath, match="a/link is a link"):
                files.read("a/link/secret")
        assert files.read("a/b/file") == b"text"


def test_folders_are_given_back_when_a_block_ends(root: Root) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with near(root) as files:
        files.read("a/b/file")
        assert len(list(Path("/proc/self/fd").iterdir())) > before

    assert len(list(Path("/proc/self/fd").iterdir())) == before
