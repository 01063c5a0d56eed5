"""What a declared file was when its branch began, whatever state the work tree and the index are in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.former import former
from mmgit.deliver.git import find
from mmgit.deliver.history import merge_base

Git = Callable[..., str]


def formerly(folder: Path, paths: list[str]) -> dict[str, bytes | None]:
    repository = find(folder)
    assert repository
    return former(repository, merge_base(repository, "main"), paths)


@pytest.fixture
def branch(top: Path, git: Git) -> Path:
    """A repository on a branch that changed nothing yet."""
    git("switch", "-qc", "feature")
    return top


def test_where_nothing_changed_there_is_nothing(branch: Path) -> None:
    assert formerly(branch, ["service.yaml", "notes"]) == {}


@pytest.mark.parametrize("how", ["edited", "staged", "committed"])
def test_a_changed_file_is_given_as_it_was(branch: Path, git: Git, how: str) -> None:
    (branch / "service.yaml").write_text("autoscale: {}\n")
    if how != "edited":
        git("add", "-A")
    if how == "committed":
        git("commit", "-qm", "Autoscale")

    assert formerly(branch, ["service.yaml"]) == {"service.yaml": b"replicas: 1\n"}


@pytest.mark.parametrize("is_added", [False, True])
def test_a_new_file_was_nothing(branch: Path, git: Git, is_added: bool) -> None:  # noqa: FBT001 - a parameter
    (branch / "notes/é four").write_text("4\n")
    if is_added:
        git("add", "-A")

    assert formerly(branch, ["notes"]) == {"notes/é four": None}


def test_what_lies_elsewhere_is_not_asked_for(branch: Path) -> None:
    (branch / "rendered/a.yaml").write_text("a: 2\n")

    assert formerly(branch, ["service.yaml", "notes", "there/is/none"]) == {}


def test_changes_of_the_default_branch_since_then_are_not_this_branchs(branch: Path, git: Git) -> None:
    git("switch", "-q", "main")
    (branch / "service.yaml").write_text("replicas: 9\n")
    git("commit", "-qam", "More")
    git("switch", "-q", "feature")

    assert formerly(branch, ["service.yaml"]) == {}


def test_paths_are_those_of_the_root_below_the_top(branch: Path) -> None:
    (branch / "rendered/deep/b.yaml").write_text("b: 2\n")

    assert formerly(branch / "rendered", ["deep"]) == {"deep/b.yaml": b"b: 1\n"}


def test_before_the_first_commit_there_was_nothing(tmp_path: Path, git: Git) -> None:
    folder = tmp_path / "new"
    git("init", "-q", str(folder))
    (folder / "service.yaml").write_text("replicas: 1\n")

    assert formerly(folder, ["service.yaml"]) == {}
