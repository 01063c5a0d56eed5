"""A commit is read as the folder was that was committed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.committed import Committed
from mmgit.deliver.git import find
from mmgit.errors import UnsafePath, UsageError
from mmgit.repository.files import MAX_BYTES, Root
from mmgit.repository.load import load

Git = Callable[..., str]
FOLDERS = (
    "",
    "models",
    "models/digits",
    "models/digits/versions/2",
    "environments/staging/services",
    "bases",
    "no/such",
)


@pytest.fixture
def project(tmp_path: Path, git: Git) -> Path:
    git("-C", str(tmp_path), "init", "-q")
    (tmp_path / "short").write_text("1")
    return tmp_path


def head_of(root: Path) -> Committed:
    repository = find(root)
    assert repository
    assert repository.head
    return Committed(repository, repository.head)


def test_a_commit_and_its_work_tree_hold_the_same(tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> None:
    top = copy_of_ours(tmp_path / "copy")
    root, commit = Root(top), head_of(top)

    for folder in FOLDERS:
        assert [name for name in root.folders(folder) if name != ".git"] == list(commit.folders(folder))
        assert root.files(folder) == commit.files(folder)
        assert root.read_folder(folder) == commit.read_folder(folder)
        named = [*root.files(folder)[1:], "nothing"]
        assert root.read_folder(folder, names=named) == commit.read_folder(folder, names=named)
        assert root.exists(folder) == commit.exists(folder)
    assert root.walk("models") == commit.walk("models")
    assert load(root).source == load(commit).source


def test_of_a_long_file_only_the_first_bytes_are_read(project: Path, git: Git) -> None:
    (project / "long").write_bytes(b"begin" + bytes(MAX_BYTES))
    (project / "link").symlink_to("long")
    git("-C", str(project), "add", "-A")
    git("-C", str(project), "commit", "-qm", "Long")
    commit = head_of(project)

    assert commit.head("long", 7) == Root(project).head("long", 7) == b"begin\0\0"
    assert commit.head("short", 7) == b"1"
    for name, error in (("link", UnsafePath), ("nothing", UsageError)):
        with pytest.raises(error):
            commit.head(name, 7)


def test_a_root_below_the_top_sees_its_own_files_only(tmp_path: Path, git: Git) -> None:
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml/mmgit.yaml").write_text("a: 1\n")
    (tmp_path / "outside.yaml").write_text("b: 1\n")
    git("-C", str(tmp_path), "init", "-q")
    git("-C", str(tmp_path), "add", "-A")
    git("-C", str(tmp_path), "commit", "-qm", "Begin")

    commit = head_of(tmp_path / "ml")

    assert commit.walk("") == ("mmgit.yaml",)
    assert commit.read("mmgit.yaml") == b"a: 1\n"


def test_what_is_missing_large_or_a_link_is_refused(tmp_path: Path, git: Git) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100)
    (tmp_path / "link").symlink_to("/etc/passwd")
    git("-C", str(tmp_path), "init", "-q")
    git("-C", str(tmp_path), "add", "-A")
    git("-C", str(tmp_path), "commit", "-qm", "Begin")
    commit = head_of(tmp_path)

    with pytest.raises(UsageError, match="larger than 99 bytes"):
        commit.read("large", 99)
    with pytest.raises(UsageError, match="there is no file missing"):
        commit.read("missing")
    with pytest.raises(UnsafePath, match="link is a link"):
        commit.read("link")
    with pytest.raises(UnsafePath, match="link is a link"):
        commit.exists("link")


@pytest.mark.parametrize("look", ["exists", "files", "folders", "walk", "read", "read_folder"])
@pytest.mark.parametrize("path", ["folder", "folder/below", "module", "module/below/it"])
def test_nothing_is_seen_through_a_link_or_in_a_module(project: Path, git: Git, path: str, look: str) -> None:
    (project / "folder").symlink_to("/etc")
    git("-C", str(project), "add", "-A")
    git("-C", str(project), "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git("-C", str(project), "commit", "-qm", "Begin")

    with pytest.raises(UnsafePath, match=f"{path.partition('/')[0]} is a link or a module"):
        getattr(head_of(project), look)(path)
