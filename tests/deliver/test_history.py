"""History is read without touching work tree, index or network."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.git import Repository, find
from mmgit.deliver.history import (
    Entry,
    candidates,
    changed_paths,
    changes_since,
    contents,
    dirty,
    entries,
    last_written,
    listing,
    merge_base,
)
from mmgit.errors import GitError

Git = Callable[..., str]
Executable = Callable[[Path, str], Path]


def found(folder: Path) -> Repository:
    repository = find(folder)
    assert repository
    return repository


def head(folder: Path) -> str:
    commit = found(folder).head
    assert commit
    return commit


def save(top: Path, git: Git, path: str) -> str:
    (top / path).parent.mkdir(parents=True, exist_ok=True)
    (top / path).write_text(path)
    git("add", "-A")
    git("commit", "-qm", path)
    return git("rev-parse", "HEAD").strip()


def test_on_the_default_branch_itself_everything_committed_is_released(top: Path, git: Git) -> None:
    tip = save(top, git, "x")

    assert merge_base(found(top), "main") == tip


def test_a_branch_was_made_from_where_it_left_the_default_branch(top: Path, git: Git) -> None:
    left = save(top, git, "x")
    git("switch", "-qc", "feature")
    save(top, git, "y")
    git("switch", "-q", "main")
    save(top, git, "z")
    git("switch", "-q", "feature")

    assert merge_base(found(top), "main") == left


def test_what_the_remote_has_counts_more_than_the_local_branch(top: Path, tmp_path: Path, git: Git) -> None:
    git("clone", "-q", "--bare", str(top), str(tmp_path / "remote"))
    git("remote", "add", "origin", str(tmp_path / "remote"))
    git("fetch", "-q", "origin")
    pushed = head(top)

    save(top, git, "not pushed")

    assert merge_base(found(top), "main") == pushed


def test_before_the_first_commit_there_is_no_baseline(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "new"))

    assert merge_base(found(tmp_path / "new"), "main") is None


@pytest.mark.parametrize("is_detached", [False, True])
def test_a_shallow_clone_is_told_the_command_that_mends_it(
    top: Path, tmp_path: Path, git: Git, *, is_detached: bool
) -> None:
    left = head(top)
    git("switch", "-qc", "feature")
    save(top, git, "y")
    save(top, git, "z")
    git("clone", "-q", "--depth=1", "--branch=feature", f"file://{top}", str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    if is_detached:
        git("-C", str(clone), "checkout", "-q", "--detach")
        git("-C", str(clone), "branch", "-qD", "feature")

    with pytest.raises(GitError, match="default branch `main`") as caught:
        merge_base(found(clone), "main")

    git("-C", str(clone), *shlex.split(caught.value.hint)[1:])
    assert merge_base(found(clone), "main") == left


def test_a_clone_of_one_branch_is_told_to_fetch_the_default_branch(top: Path, tmp_path: Path, git: Git) -> None:
    left = head(top)
    git("switch", "-qc", "feature")
    save(top, git, "y")
    git("clone", "-q", "--single-branch", "--branch=feature", f"file://{top}", str(tmp_path / "clone"))

    with pytest.raises(GitError) as caught:
        merge_base(found(tmp_path / "clone"), "main")

    assert caught.value.hint == "git fetch origin main:refs/remotes/origin/main"
    git("-C", str(tmp_path / "clone"), *shlex.split(caught.value.hint)[1:])
    assert merge_base(found(tmp_path / "clone"), "main") == left


def test_a_default_branch_that_is_nowhere_is_named(top: Path) -> None:
    with pytest.raises(GitError, match="`trunk`") as caught:
        merge_base(found(top), "trunk")

    assert caught.value.hint == "git branch -m trunk   if `main` is it; else: git branch trunk COMMIT"


def test_where_no_branch_is_checked_out_none_is_offered_for_the_default_one(top: Path, git: Git) -> None:
    git("switch", "-q", "--detach")

    with pytest.raises(GitError, match="`trunk`") as caught:
        merge_base(found(top), "trunk")

    assert caught.value.hint == "git branch trunk COMMIT"


def test_a_branch_with_a_history_of_its_own_is_refused(top: Path, git: Git) -> None:
    git("switch", "-q", "--orphan", "other")
    save(top, git, "x")

    with pytest.raises(GitError, match="no commit in common") as caught:
        merge_base(found(top), "main")

    assert "`branch:`" in caught.value.hint


def test_a_folder_is_listed_with_what_is_below(top: Path, git: Git) -> None:
    listed = listing(found(top), head(top), ["rendered"])

    blob = git("rev-parse", "HEAD:rendered/deep/b.yaml").strip()
    assert sorted(listed) == ["rendered/a.yaml", "rendered/deep/b.yaml"]
    assert listed["rendered/deep/b.yaml"] == Entry("100644", blob)


def test_the_root_in_a_subfolder_sees_only_its_own_files(top: Path) -> None:
    repository, commit = found(top / "rendered"), head(top)

    assert sorted(listing(repository, commit, [""])) == ["a.yaml", "deep/b.yaml"]
    assert sorted(entries(repository, commit, ["deep/b.yaml", "mmgit.yaml"])) == ["deep/b.yaml"]


def test_folders_and_missing_paths_are_no_entries(top: Path) -> None:
    assert list(entries(found(top), head(top), ["rendered/deep", "nothing", "mmgit.yaml"])) == ["mmgit.yaml"]


def test_more_paths_than_a_command_line_holds_are_found(top: Path) -> None:
    paths = [f"{'long' * 50}/{number}" for number in range(20_000)]

    assert list(entries(found(top), head(top), [*paths, "mmgit.yaml"])) == ["mmgit.yaml"]


def test_names_are_what_they_are(top: Path, git: Git) -> None:
    names = ["über", "a b", "*", "'q'\"", "-x", ":(glob)x"]
    for name in names:
        save(top, git, f"odd/{name}")

    assert sorted(entries(found(top), head(top), [f"odd/{name}" for name in names])) == sorted(
        f"odd/{name}" for name in names
    )


def test_many_files_are_read_at_once_and_byte_for_byte(top: Path, git: Git) -> None:
    files = {"empty": b"", "crlf": b"a\r\nb\r\n", "binary": bytes(range(256)), "lines": b"\n\n\n"}
    for name, data in files.items():
        (top / name).write_bytes(data)
    git("-c", "core.autocrlf=false", "add", "-A")
    git("commit", "-qm", "Files")
    listed = entries(found(top), head(top), files)

    read = contents(found(top), {entry.id for entry in listed.values()})

    assert {name: read[listed[name].id] for name in files} == files


def test_bytes_that_are_not_here_are_an_error(top: Path) -> None:
    with pytest.raises(GitError, match="b" * 40):
        contents(found(top), ["b" * 40])


def test_changes_since_a_commit_are_what_makes_it_the_tree(top: Path) -> None:
    tree = {"rendered/a.yaml": b"a: 1\n", "rendered/new.yaml": b"new\n", "rendered/deep/c.yaml": b""}

    changes = changes_since(found(top), head(top), tree, ["rendered"])

    assert changes == {"rendered/new.yaml": b"new\n", "rendered/deep/c.yaml": b"", "rendered/deep/b.yaml": None}


def test_before_the_first_commit_the_whole_tree_is_new(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "new"))

    assert changes_since(found(tmp_path / "new"), None, {"a": b""}, ["rendered"]) == {"a": b""}


def test_what_is_rolled_back_was_last_written_by_the_later_commit(top: Path, git: Git) -> None:
    save(top, git, "sub/first")
    (top / "sub/first").write_text("other")
    git("commit", "-qam", "Change it")
    git("revert", "--no-edit", "HEAD")
    reverted = git("rev-parse", "HEAD").strip()
    save(top, git, "sub/second")

    assert last_written(found(top / "sub"), "first") == reverted


def test_a_work_tree_with_other_line_ends_is_not_dirty(top: Path) -> None:
    files = {"rendered/a.yaml": b"a: 1\r\n", "rendered/deep/b.yaml": b"b: 1\n"}

    assert dirty(found(top), files) == ()


def test_changed_new_and_missing_files_are_dirty(top: Path) -> None:
    files = {"rendered/a.yaml": b"a: 2\r\n", "rendered/deep/b.yaml": None, "rendered/new": b"\r\n", "rendered/no": None}

    assert dirty(found(top), files) == ("rendered/a.yaml", "rendered/deep/b.yaml", "rendered/new")


def test_what_differs_in_the_work_tree_is_named_and_what_was_only_touched_is_not(top: Path, git: Git) -> None:
    save(top, git, "link")
    (top / "link").unlink()
    (top / "link").symlink_to("service.yaml")
    (top / "rendered/a.yaml").write_text("a: 2\n")
    (top / "rendered/deep/b.yaml").unlink()
    (top / "rendered/new\nline").write_text("")
    (top / "rendered/ignored").write_text("")
    (top / "rendered/.gitignore").write_text("ignored\n")
    os.utime(top / "service.yaml", (1, 1))
    (top / "notes/two").chmod(0o755)

    changed = changed_paths(found(top), head(top), None)

    rendered = ("rendered/.gitignore", "rendered/a.yaml", "rendered/deep/b.yaml", "rendered/new\nline")
    assert changed == ("link", "notes/two", *rendered)
    assert candidates(found(top), head(top), ["rendered"]) == {*rendered, "rendered/ignored"}
    assert "service.yaml" in candidates(found(top), head(top), ["service.yaml"])


def test_no_filter_is_run_even_over_files_as_new_as_the_index(top: Path, git: Git, executable: Executable) -> None:
    trap = executable(top.parent / "trap", f"touch {top}/pwned; cat")
    save(top, git, ".gitattributes")
    (top / ".gitattributes").write_text("* filter=a.b\n")
    git("config", "filter.a.b.clean", str(trap))
    git("config", "filter.a.b.required", "true")
    os.utime(top / ".git/index", (1, 1))

    assert changed_paths(found(top), head(top), None) == (".gitattributes",)
    assert candidates(found(top), head(top), ["rendered"]) == set()

    assert not (top / "pwned").exists()


def test_a_repository_with_sha256_ids_works_the_same(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "--object-format=sha256", str(tmp_path / "new"))
    (tmp_path / "new/a").write_text("1")
    git("-C", str(tmp_path / "new"), "add", "-A")
    git("-C", str(tmp_path / "new"), "commit", "-qm", "Begin")

    assert changes_since(found(tmp_path / "new"), head(tmp_path / "new"), {"a": b"1", "b": b""}, [""]) == {"b": b""}
