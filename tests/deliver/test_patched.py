"""An index that was patched is what git would have written, or is left to git."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.history import PLAIN, Entry
from mmgit.deliver.patched import Renewal, patch

Git = Callable[..., str]
PATHS = ("rendered/a.yaml", "rendered/deep/b.yaml", "service.yaml")


def renewal(git: Git, paths: tuple[str, ...] = PATHS) -> Renewal:
    """A commit that changes these files, made by git."""
    before = git("rev-parse", "HEAD").strip()
    for path in paths:
        mode = git("ls-tree", "HEAD", path).split()[0]
        blob = git("hash-object", "-w", "--stdin", stdin=f"new {path}").strip()
        git("update-index", "--cacheinfo", f"{mode},{blob},{path}")
    git("commit", "-qm", "Change")
    after = git("rev-parse", "HEAD").strip()
    git("reset", "-q", "--hard", before)

    def id_of(commit: str, path: str) -> str:
        return git("rev-parse", f"{commit}:{path}").strip()

    folders = {"", *(str(above) for path in paths for above in list(Path(path).parents)[:-1])}
    return Renewal(
        {path: (Entry(PLAIN, id_of(before, path)), Entry(PLAIN, id_of(after, path))) for path in paths},
        {folder: (id_of(before, folder), id_of(after, folder)) for folder in folders},
    )


def index_of(top: Path) -> bytearray:
    return bytearray((top / ".git/index").read_bytes())


def by_git(top: Path, wanted: Renewal, path: Path) -> None:
    path.write_bytes((top / ".git/index").read_bytes())
    lines = "".join(f"{after.mode} {after.id}\t{name}\n" for name, (_, after) in wanted.files.items())
    asked_with(path, top, "update-index", "--index-info", stdin=lines)


def asked_with(index: Path, top: Path, *arguments: str, stdin: str = "") -> str:
    variables = {**os.environ, "GIT_INDEX_FILE": str(index)}
    command = ["git", "-C", str(top), *arguments]
    return subprocess.run(command, env=variables, input=stdin, capture_output=True, text=True, check=True).stdout


def test_entries_are_as_git_renews_them(top: Path, tmp_path: Path, git: Git) -> None:
    wanted = renewal(git)
    git("status")
    by_git(top, wanted, tmp_path / "theirs")
    data = index_of(top)

    assert patch(data, wanted)

    (tmp_path / "ours").write_bytes(data)
    for question in (["ls-files", "--stage", "--debug"], ["write-tree"], ["diff-files"]):
        assert asked_with(tmp_path / "ours", top, *question) == asked_with(tmp_path / "theirs", top, *question)
    assert data[-20:] == hashlib.sha1(data[:-20], usedforsecurity=False).digest()


def test_the_trees_of_the_commit_are_kept(top: Path, tmp_path: Path, git: Git) -> None:
    wanted = renewal(git)
    data = index_of(top)

    assert patch(data, wanted)

    for _, after in wanted.trees.values():
        assert data.count(bytes.fromhex(after)) == 1
    (tmp_path / "ours").write_bytes(data)
    assert asked_with(tmp_path / "ours", top, "write-tree").strip() == wanted.trees[""][1]
    assert asked_with(tmp_path / "ours", top, "fsck", "--no-dangling", "--cache") == ""


def test_what_is_staged_beside_it_stays(top: Path, tmp_path: Path, git: Git) -> None:
    wanted = renewal(git)
    (top / "rendered/other").write_text("staged\n")
    git("add", "rendered/other")
    git("rm", "-q", "notes/one")
    by_git(top, wanted, tmp_path / "theirs")
    data = index_of(top)

    assert patch(data, wanted)

    (tmp_path / "ours").write_bytes(data)
    for question in (["ls-files", "--stage"], ["write-tree"]):
        assert asked_with(tmp_path / "ours", top, *question) == asked_with(tmp_path / "theirs", top, *question)


def test_an_index_without_a_checksum_stays_without_one(top: Path, git: Git) -> None:
    wanted = renewal(git)
    data = index_of(top)
    data[-20:] = bytes(20)

    assert patch(data, wanted)

    assert not any(data[-20:])


def test_an_index_of_sha256_is_patched_too(tmp_path: Path) -> None:
    top = tmp_path / "sha256"
    (top / "folder").mkdir(parents=True)
    (top / "folder/one").write_text("1\n")

    def there(*arguments: str, stdin: str = "") -> str:
        return asked_with(top / ".git/index", top, *arguments, stdin=stdin)

    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(top)], check=True)
    there("add", "--all")
    there("commit", "-qm", "Begin")
    wanted = renewal(there, ("folder/one",))
    data = index_of(top)

    assert patch(data, wanted)

    (top / ".git/index").write_bytes(data)
    assert there("write-tree").strip() == wanted.trees[""][1]


OTHERWISE: dict[str, tuple[str, ...]] = {
    "another version": ("update-index", "--index-version", "4"),
    "other bytes": ("update-index", "--cacheinfo", "100644,e69de29bb2d1d6434b8b29ae775ad8c2e48c5391,service.yaml"),
    "another mode": ("update-index", "--chmod=+x", "service.yaml"),
    "a flag": ("update-index", "--assume-unchanged", "service.yaml"),
    "untracked files": ("update-index", "--force-untracked-cache"),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_what_is_not_plain_is_left_to_git(top: Path, git: Git, what: str) -> None:
    wanted = renewal(git)
    git(*OTHERWISE[what])

    assert not patch(index_of(top), wanted)


@pytest.mark.parametrize(
    "data", [b"", b"DIRC", b"DIRC" + bytes(40), b"DIRC\0\0\0\2" + bytes(60) + b"TREE\0\0\0\4" + bytes(24)]
)
def test_bytes_that_are_no_index_are_left_to_git(git: Git, data: bytes) -> None:
    assert not patch(bytearray(data), renewal(git))


def test_an_index_that_was_cut_is_left_to_git(top: Path, git: Git) -> None:
    wanted, whole = renewal(git), index_of(top)

    for size in range(0, len(whole) - 21, 7):
        assert not patch(whole[:size], wanted)


def test_a_tree_of_another_id_is_left_to_git(top: Path, git: Git) -> None:
    wanted = renewal(git)
    others = {**wanted.trees, "rendered": ("1" * 40, "2" * 40)}

    assert not patch(index_of(top), Renewal(wanted.files, others))
