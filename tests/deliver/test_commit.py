"""A commit holds exactly the changes, and everything else stays as the user had it."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mmgit.deliver import index
from mmgit.deliver.commit import commit
from mmgit.deliver.git import find
from mmgit.deliver.writer import writing
from mmgit.errors import GitError, UnsafePath
from mmgit.repository.files import Root

Git = Callable[..., str]
Save = Callable[..., str | None]

CHANGES: Mapping[str, bytes | None] = {
    "service.yaml": b"replicas: 2\n",
    "rendered/a.yaml": b"a: 2\n",
    "rendered/deep/b.yaml": None,
    "rendered/new/c.yaml": b"c: 1\n",
}


def test_the_commit_holds_exactly_the_changes(git: Git, save: Save) -> None:
    base = git("rev-parse", "HEAD").strip()

    made = save(CHANGES, "Two replicas\n\nBecause.\n")

    assert made == git("rev-parse", "main").strip()
    assert git("rev-parse", "main^").strip() == base
    assert git("log", "-1", "--format=%B").strip() == "Two replicas\n\nBecause."
    assert git("diff", "--name-status", "--no-renames", "HEAD^", "HEAD").split() == [
        *("M", "rendered/a.yaml"),
        *("D", "rendered/deep/b.yaml"),
        *("A", "rendered/new/c.yaml"),
        *("M", "service.yaml"),
    ]
    assert git("show", "HEAD:rendered/a.yaml") == "a: 2\n"


def test_work_tree_and_index_follow(top: Path, git: Git, save: Save) -> None:
    save(CHANGES)

    assert git("status", "--porcelain", "--ignored") == "!! .mmgit/\n"
    assert (top / "rendered/new/c.yaml").read_bytes() == b"c: 1\n"
    assert not (top / "rendered/deep").exists()
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_nothing_but_the_commit_is_left_behind(top: Path, git: Git, save: Save) -> None:
    before = {path.name for path in (top / ".git").iterdir()}

    save(CHANGES)

    assert {path.name for path in (top / ".git").iterdir()} == before
    assert git("for-each-ref", "--format=%(refname)") == "refs/heads/main\n"
    assert {path.name for path in (top / ".mmgit").iterdir()} == {"lock", "children", ".gitignore"}


def test_the_reference_log_says_what_happened(git: Git, save: Save) -> None:
    save(CHANGES, "Two replicas\n")

    assert git("reflog", "-1", "--format=%gs") == "commit: Two replicas\n"
    assert git("reflog", "-1", "--format=%gs", "main") == "commit: Two replicas\n"


def test_what_is_committed_already_makes_no_commit(git: Git, save: Save) -> None:
    made = save(CHANGES)

    assert save(CHANGES) is None
    assert save({}) is None
    assert git("rev-parse", "HEAD").strip() == made


def test_a_work_tree_that_lags_behind_follows_without_a_commit(top: Path, git: Git, save: Save) -> None:
    (top / "service.yaml").unlink()

    assert save({"service.yaml": b"replicas: 1\n"}) is None

    assert git("status", "--porcelain") == ""


def test_files_that_are_written_already_are_committed(top: Path, git: Git, save: Save) -> None:
    (top / "rendered/a.yaml").write_text("a: 2\n")
    (top / "rendered/new").mkdir()
    (top / "rendered/new/c.yaml").write_text("c: 1\n")
    (top / "rendered/deep/b.yaml").unlink()

    save(CHANGES)

    assert git("status", "--porcelain") == ""


def test_a_file_that_is_staged_as_it_is_committed_is_fine(top: Path, git: Git, save: Save) -> None:
    (top / "rendered/a.yaml").write_text("a: 2\n")
    git("add", "-A")

    save(CHANGES)

    assert git("status", "--porcelain") == ""


def test_an_executable_file_stays_executable(top: Path, git: Git, save: Save) -> None:
    (top / "service.yaml").chmod(0o755)
    git("commit", "-qam", "Executable")

    save(CHANGES)

    assert git("ls-tree", "HEAD", "service.yaml").startswith("100755 ")
    assert git("status", "--porcelain") == ""


def test_line_ends_are_committed_as_they_are(top: Path, git: Git, save: Save) -> None:
    (top / ".gitattributes").write_text("rendered/** -text\nservice.yaml text\n")
    git("add", "-A")
    git("commit", "-qm", "Attributes")
    git("config", "core.autocrlf", "true")

    save({"rendered/a.yaml": b"lf\n", "rendered/crlf": b"crlf\r\n"})

    assert git("cat-file", "-s", "HEAD:rendered/a.yaml") == "3\n"
    assert git("cat-file", "-s", "HEAD:rendered/crlf") == "6\n"
    assert (top / "rendered/a.yaml").read_bytes() == b"lf\n"
    assert git("status", "--porcelain") == ""


def test_a_root_in_a_subfolder_commits_below_it(top: Path, git: Git) -> None:
    root = Root(top / "rendered")
    with writing(root, command="test") as writer:
        repository = find(root.path)
        assert repository
        commit(writer, repository, {"a.yaml": b"a: 2\n", "deep/b.yaml": None}, "Change")

    assert git("diff", "--name-only", "HEAD^", "HEAD").split() == ["rendered/a.yaml", "rendered/deep/b.yaml"]
    assert git("status", "--porcelain") == ""


def test_a_linked_work_tree_commits_to_its_own_branch(top: Path, tmp_path: Path, git: Git) -> None:
    git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    root = Root(tmp_path / "linked")
    with writing(root, command="test") as writer:
        repository = find(root.path)
        assert repository
        made = commit(writer, repository, CHANGES, "Change")

    assert git("rev-parse", "other").strip() == made
    assert git("rev-parse", "main").strip() != made
    assert git("-C", str(root.path), "status", "--porcelain") == git("status", "--porcelain") == ""
    assert not (top / "rendered/new").exists()


@pytest.mark.parametrize(
    ("path", "staged"),
    [
        ("service.yaml", "other\n"),
        ("service.yaml", None),
        ("rendered/deep/b.yaml", "other\n"),
        ("rendered/new/c.yaml", "other\n"),
        ("rendered/new", "a file where a folder comes\n"),
        ("rendered/new/c.yaml/below", "a folder where a file comes\n"),
    ],
)
def test_other_staged_changes_of_the_same_files_stop_it(
    top: Path, git: Git, save: Save, path: str, staged: str | None
) -> None:
    if staged is None:
        git("rm", "-q", path)
    else:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(staged)
        git("add", path)
    before = state(top, git)

    with pytest.raises(GitError, match=f"staged changes: {path}") as caught:
        save(CHANGES)

    assert f"git restore --staged {path}" in caught.value.hint
    assert state(top, git) == before


def test_a_detached_head_stops_it_before_anything_is_written(top: Path, git: Git, save: Save) -> None:
    git("checkout", "-q", "--detach")
    before = state(top, git)

    with pytest.raises(GitError, match="detached"):
        save(CHANGES)

    assert state(top, git) == before


def test_an_unknown_author_stops_it_before_anything_is_written(top: Path, git: Git, save: Save) -> None:
    git("config", "--global", "--unset", "user.email")
    before = state(top, git)

    with pytest.raises(GitError, match="who commits"):
        save(CHANGES)

    assert state(top, git) == before


def test_a_branch_that_moved_meanwhile_stops_it(top: Path, root: Root, git: Git) -> None:
    repository = find(top)
    assert repository
    git("commit", "-q", "--allow-empty", "-m", "Meanwhile")
    before = state(top, git)

    with writing(root, command="test") as writer, pytest.raises(GitError, match="refs/heads/main got other commits"):
        commit(writer, repository, CHANGES, "Change")

    assert state(top, git) == before


def test_a_lock_on_the_branch_stops_it(top: Path, git: Git, save: Save) -> None:
    before = state(top, git)
    lock = top / ".git/refs/heads/main.lock"
    lock.touch()

    with pytest.raises(GitError, match=r"main\.lock"):
        save(CHANGES)

    assert lock.exists()
    lock.unlink()
    assert state(top, git) == before


def test_an_index_in_use_stops_it(top: Path, git: Git, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "WAIT_SECONDS", 0.1)
    before = state(top, git)
    (top / ".git/index.lock").touch()

    with pytest.raises(GitError, match=r"index\.lock"):
        save(CHANGES)

    (top / ".git/index.lock").unlink()
    assert state(top, git) == before


@pytest.mark.parametrize("path", ["../out", ".git/config", "/etc/x", "a/../b"])
def test_a_path_that_leaves_the_root_is_refused(top: Path, git: Git, save: Save, path: str) -> None:
    before = state(top, git)

    with pytest.raises(UnsafePath):
        save({path: b""})

    assert state(top, git) == before


def test_the_first_commit_after_a_clone_without_checkout_keeps_the_index(top: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "-n", str(top), str(tmp_path / "clone")], check=True)
    root = Root(tmp_path / "clone")
    repository = find(root.path)
    assert repository

    with writing(root, command="test") as writer, pytest.raises(GitError, match="staged changes"):
        commit(writer, repository, CHANGES, "Change")

    assert not (root.path / "service.yaml").exists()


def state(top: Path, git: Git) -> tuple[object, ...]:
    """Everything that a failed commit must leave as it was."""
    files = {path: path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file() and ".git" not in path.parts}
    ours = {path for path in files if ".mmgit" in path.parts}
    kept = {path: data for path, data in files.items() if path not in ours}
    index_files = sorted(path.name for path in (top / ".git").glob("index*"))
    return kept, (top / ".git/index").read_bytes(), index_files, git("for-each-ref"), git("rev-parse", "HEAD")
