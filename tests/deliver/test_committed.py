"""A commit is read as the folder was that was committed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.committed import Committed
from mmgit.deliver.git import find
from mmgit.errors import UnsafePath, UsageError
from mmgit.repository.files import Root
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
        assert root.exists(folder) == commit.exists(folder)
    assert root.walk("models") == commit.walk("models")
    assert load(root).source == load(commit).source


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
