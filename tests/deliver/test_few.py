"""A commit of few files is the very one that git's fast-import makes."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver import few
from mmgit.deliver.git import Repository, find
from mmgit.deliver.history import Entry, entries
from mmgit.deliver.objects import Change, make_commit
from mmgit.errors import GitError
from mmgit.repository.blobs import blob_id

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "1700000000 +0200")


def opened(top: Path) -> Repository:
    found = find(top)
    assert found
    return found


def made(top: Path, files: dict[str, bytes | None]) -> str:
    repository = opened(top)
    before = entries(repository, str(repository.head), files)
    blobs = {blob_id(data, repository.head): data for data in files.values() if data is not None}
    after = {
        path: None if data is None else Entry("100644", blob_id(data, repository.head)) for path, data in files.items()
    }
    wanted = {path: Change(before.get(path), after[path]) for path in files if before.get(path) != after[path]}
    return make_commit(repository, str(repository.head), wanted, blobs, "Change\n\nBecause.\n")


def both(top: Path, files: dict[str, bytes | None], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    ours = made(top, files)
    with monkeypatch.context() as context:
        context.setattr(few, "MOST_FILES", 0)
        return ours, made(top, files)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_changes(top: Path, git: Git, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - the same each time
    names = ["a", "a.b", "a-b", "a0", "ü", "b c"]
    folders = ["", *(f"{name}.d/" for name in names), "a.d/a.d/", "b c.d/ü.d/a.d/"]
    paths = [f"{folder}{name}" for folder in folders for name in names]
    for path in rng.sample(paths, 30):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(rng.randbytes(rng.randrange(60)))
    git("add", "--all")
    git("commit", "-qm", "More")
    changes = {path: rng.choice([None, b"", rng.randbytes(5000)]) for path in rng.sample(paths, 25)}

    ours, theirs = both(top, changes, monkeypatch)

    assert ours == theirs
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_links_modules_and_modes_beside_stay(top: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    (top / "notes/link").symlink_to("one")
    git("add", "--all")
    git("update-index", "--chmod=+x", "notes/two")
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD').strip()},notes/module")
    git("commit", "-qm", "More")

    ours, theirs = both(top, {"notes/one": b"new"}, monkeypatch)

    assert ours == theirs


@pytest.mark.parametrize(
    "files",
    [
        {"rendered": b""},
        {"rendered": b"", "rendered/a.yaml": None},
        {"mmgit.yaml/below": b""},
        {"mmgit.yaml/below/it": b"", "notes/one": b"x"},
        {"new": b"", "new/below": b""},
    ],
)
def test_both_refuse_a_file_and_a_folder_in_one_place(
    top: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes | None]
) -> None:
    for most in (few.MOST_FILES, 0):
        monkeypatch.setattr(few, "MOST_FILES", most)
        with pytest.raises(GitError, match="a file and a folder want the same place"):
            made(top, files)


def test_a_repository_of_sha256_has_its_own_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "sha256"
    (top / "folder").mkdir(parents=True)
    (top / "folder/one").write_text("1\n")
    for command in ("init -q --object-format=sha256", "add --all", "commit -qm Begin"):
        subprocess.run(["git", "-C", str(top), *command.split()], check=True)

    ours, theirs = both(top, {"folder/one": b"2\n", "folder/two": b"2\n"}, monkeypatch)

    assert ours == theirs
    assert len(ours) == 64


def test_it_is_told_which_folders_have_other_trees(top: Path, git: Git) -> None:
    repository = opened(top)
    base, blob = str(repository.head), blob_id(b"a: 2\n", None)

    making = few.begin_commit(repository, base, {"rendered/a.yaml": Entry("100644", blob)}, {blob: b"a: 2\n"}, "Change")

    commit = making.stored()
    ids = {
        path: tuple(git("rev-parse", f"{each}:{path}").strip() for each in (base, commit)) for path in ("", "rendered")
    }
    assert making.trees == ids


def test_what_exists_already_is_stored_once(top: Path, git: Git) -> None:
    first = made(top, {"new": b"new"})
    count = git("count-objects")

    assert made(top, {"new": b"new"}) == first
    assert git("count-objects") == count
