"""One process of git answers for trees and files, however many are asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.git import Repository, find
from mmgit.deliver.history import Entry
from mmgit.deliver.stored import Store
from mmgit.errors import GitError

Git = Callable[..., str]


def found(top: Path) -> Repository:
    repository = find(top)
    assert repository
    return repository


def test_a_tree_names_what_is_in_it(top: Path, git: Git) -> None:
    odd = "a name\nwith ünïcode and \udcff"
    (top / odd).write_text("odd\n")
    (top / "link").symlink_to("notes")
    git("add", "--all")
    git("commit", "-qm", "More")

    tree = Store(found(top)).tree("HEAD^{tree}")

    assert tree.names(are_trees=True) == ["notes", "rendered"]
    assert tree.names(are_trees=False) == sorted([".gitignore", odd, "link", "mmgit.yaml", "service.yaml"])
    assert tree.get("service.yaml") == Entry("100644", git("rev-parse", "HEAD:service.yaml").strip())
    assert tree.get("notes") == Entry("40000", git("rev-parse", "HEAD:notes").strip())
    assert tree.get("nothing") is None


def test_more_files_than_fit_into_a_pipe_are_read_byte_for_byte(top: Path, git: Git) -> None:
    wanted = {f"many/{number}": bytes([number % 256, 0, 10]) * number for number in range(1200)}
    (top / "many").mkdir()
    for path, data in wanted.items():
        (top / path).write_bytes(data)
    git("add", "--all")
    git("commit", "-qm", "More")
    store = Store(found(top))
    tree = store.tree(git("rev-parse", "HEAD:many").strip())
    ids = {path: entry.id for path in wanted if (entry := tree.get(path.removeprefix("many/")))}

    blobs = store.blobs(ids.values())

    assert {path: blobs[blob] for path, blob in ids.items()} == wanted


def test_what_is_not_here_is_an_error_and_the_next_question_is_answered(top: Path, git: Git) -> None:
    store = Store(found(top))
    blob = git("rev-parse", "HEAD:service.yaml").strip()

    with pytest.raises(GitError, match="are not in"):
        store.blobs(["1" * 40, blob])
    with pytest.raises(GitError, match="are not in"):
        store.tree(blob)

    assert store.blobs([blob]) == {blob: b"replicas: 1\n"}


def test_a_repository_with_sha256_ids_is_read_too(tmp_path: Path, git: Git) -> None:
    top = tmp_path / "other"
    git("init", "-q", "--object-format=sha256", str(top))
    (top / "file").write_text("1\n")
    git("-C", str(top), "add", "--all")
    git("-C", str(top), "commit", "-qm", "Begin")
    store = Store(found(top))

    entry = store.tree("HEAD^{tree}").get("file")

    assert entry
    assert store.blobs([entry.id]) == {entry.id: b"1\n"}
