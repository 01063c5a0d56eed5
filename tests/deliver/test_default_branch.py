"""A change cannot choose what it is compared with."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.default_branch import default_branch
from mmgit.deliver.git import Repository, find
from mmgit.errors import GitError

Git = Callable[..., str]
PROJECT = "apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: ==0.1.0\n"


@pytest.fixture
def cloned(top: Path, tmp_path: Path, git: Git) -> Path:
    """A clone of a repository whose default branch is `main`."""
    declare(top, git, "main")
    git("clone", "-q", str(top), str(tmp_path / "clone"))
    return tmp_path / "clone"


def declare(folder: Path, git: Git, branch: str) -> None:
    """Commit a project whose default branch is `branch`."""
    (folder / "mmgit.yaml").write_text(f"{PROJECT}branch: {branch}\n")
    git("-C", str(folder), "commit", "-qam", f"Call {branch} the default branch")


def found(folder: Path) -> Repository:
    repository = find(folder)
    assert repository
    return repository


def without_origin_head(folder: Path, git: Git) -> None:
    """Make a clone one that a CI makes: fetched, not cloned."""
    git("-C", str(folder), "remote", "set-head", "origin", "--delete")


def test_what_the_ci_says_the_change_is_for_counts_most(cloned: Path, git: Git) -> None:
    declare(cloned, git, "evil")

    assert default_branch(found(cloned), "evil", "release") == "release"


def test_what_is_merged_says_the_default_branch_and_not_the_change(cloned: Path, git: Git) -> None:
    git("-C", str(cloned), "switch", "-qc", "evil")
    declare(cloned, git, "evil")
    git("-C", str(cloned), "push", "-q", "origin", "evil")

    assert default_branch(found(cloned), "evil") == "main"


def test_what_is_merged_may_name_another_branch_than_the_one_that_git_clones(top: Path, cloned: Path, git: Git) -> None:
    declare(top, git, "production")
    git("-C", str(cloned), "pull", "-q")

    assert default_branch(found(cloned), "production") == "production"


@pytest.mark.parametrize("merged", ["branch: [", "", None])
def test_where_nothing_readable_is_merged_the_branch_that_git_clones_counts(
    top: Path, cloned: Path, git: Git, merged: str | None
) -> None:
    if merged is None:
        git("rm", "-q", "mmgit.yaml")
    else:
        (top / "mmgit.yaml").write_text(merged)
    git("commit", "-qam", "Break it")
    git("-C", str(cloned), "fetch", "-q")

    assert default_branch(found(cloned), "evil") == "main"


def test_a_clone_that_knows_no_default_takes_what_was_always_declared(cloned: Path, git: Git) -> None:
    without_origin_head(cloned, git)

    assert default_branch(found(cloned), "main") == "main"


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_clone_that_knows_no_default_is_told_how_to_know_when_the_declared_one_changed(
    cloned: Path, git: Git, *, is_hidden: bool
) -> None:
    here = ("-C", str(cloned))
    if is_hidden:  # by a merge that takes the file from a history of its own
        git(*here, "switch", "-q", "--orphan", "evil")
        (cloned / "mmgit.yaml").write_text(f"{PROJECT}branch: evil\n")
        git(*here, "add", "-A")
        git(*here, "commit", "-qm", "Begin")
        git(*here, "merge", "-q", "-s", "ours", "--allow-unrelated-histories", "-m", "Hide", "main")
    else:
        git(*here, "switch", "-qc", "evil")
        declare(cloned, git, "evil")
    git(*here, "push", "-q", "origin", "evil")
    without_origin_head(cloned, git)

    with pytest.raises(GitError, match="calls `evil` the default branch, and called `main` that before") as caught:
        default_branch(found(cloned), "evil")

    git(*here, *shlex.split(caught.value.hint.partition("   ")[0])[1:])
    assert default_branch(found(cloned), "evil") == "main"


def test_a_repository_in_a_subfolder_is_known_by_its_own_project(top: Path, tmp_path: Path, git: Git) -> None:
    (top / "models").mkdir()
    declare(top, git, "other")
    (top / "models/mmgit.yaml").write_text(f"{PROJECT}branch: production\n")
    git("add", "-A")
    git("commit", "-qm", "Begin a project below")
    git("clone", "-q", str(top), str(tmp_path / "clone"))

    assert default_branch(found(tmp_path / "clone/models"), "evil") == "production"


def test_without_a_remote_what_is_declared_counts(top: Path, git: Git) -> None:
    declare(top, git, "one")
    declare(top, git, "another")

    assert default_branch(found(top), "another") == "another"


def test_before_the_first_commit_what_is_declared_counts(cloned: Path, git: Git) -> None:
    without_origin_head(cloned, git)
    git("-C", str(cloned), "switch", "-q", "--orphan", "new")

    assert default_branch(found(cloned), "new") == "new"


@pytest.mark.parametrize(
    "name",
    [
        *("-x", "--upload-pack=touch", "refs/heads/..", "main\nHEAD", "main@{u}", ":/b", "a b", "a..b", "a//b", "a/.b"),
        *("a.lock", "a/", "a.", "a~1", "a^", "a?", "a*", "a[b", "a\\b", "a\x7f", "a" * 5000),
    ],
)
def test_what_is_no_name_of_a_branch_is_refused(cloned: Path, name: str) -> None:
    with pytest.raises(GitError, match="is no name of a branch"):
        default_branch(found(cloned), "main", target=name)


@pytest.mark.parametrize("name", ["main", "release/1.2", "dependabot/npm_and_yarn/@x/y", "größer", "a-b", "a.b", "a@b"])
def test_whatever_git_takes_for_a_branch_is_taken(cloned: Path, git: Git, name: str) -> None:
    git("check-ref-format", "--branch", name)

    assert default_branch(found(cloned), "main", target=name) == name
