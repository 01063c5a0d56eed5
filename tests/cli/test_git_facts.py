from collections.abc import Callable
from pathlib import Path

from mmgit.cli.git_facts import ignored, is_in_lfs
from mmgit.deliver import git as git_door

Git = Callable[..., str]


def test_lfs_is_what_gitattributes_says(project: Path) -> None:
    (project / ".gitattributes").write_text("*.onnx filter=lfs\n")
    repository = git_door.find(project)

    assert is_in_lfs(repository, "models/churn/versions/1/model.onnx")
    assert not is_in_lfs(repository, "models/churn/versions/1/model.bin")


def test_ignored_paths_are_found_also_in_a_subfolder_of_a_work_tree(project: Path, git: Git) -> None:
    (project / ".gitignore").write_text("*.onnx\n")
    git("add", "-A")
    paths = ["a.onnx", "a.bin", "folder with ä/b.onnx"]

    assert ignored(git_door.find(project), paths) == ["a.onnx", "folder with ä/b.onnx"]
    assert ignored(git_door.find(project / "models"), ["churn/x.onnx"]) == ["churn/x.onnx"]
    assert ignored(git_door.find(project), ["a.bin"]) == []


def test_outside_of_git_nothing_is_tracked_or_ignored() -> None:
    assert not is_in_lfs(None, "model.onnx")
    assert ignored(None, ["model.onnx"]) == []
