"""The index is renewed under git's own lock, entry by entry."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mmgit.deliver import index
from mmgit.deliver.git import Repository, find
from mmgit.deliver.history import Entry, entries
from mmgit.deliver.objects import UNMERGED
from mmgit.errors import GitError

Git = Callable[..., str]
EMPTY = Entry("100644", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")


@pytest.fixture
def repository(top: Path) -> Repository:
    found = find(top)
    assert found
    return found


def test_only_the_named_entries_are_renewed(repository: Repository, git: Git) -> None:
    before = set(git("ls-files", "-s").splitlines())

    with index.locked(repository, "me") as held:
        held.prepare({"notes/one": EMPTY, "new/file": EMPTY, "notes/two": None})
        held.replace()

    after = set(git("ls-files", "-s").splitlines())
    assert {line.partition("\t")[2] for line in before ^ after} == {"notes/one", "new/file", "notes/two"}


def test_what_is_prepared_does_not_count_before_it_replaces(repository: Repository) -> None:
    before = repository.index.read_bytes()

    with index.locked(repository, "me") as held:
        held.prepare({"notes/one": EMPTY})

    assert repository.index.read_bytes() == before
    assert sorted(path.name for path in repository.git_dir.glob("index*")) == ["index"]


def test_git_waits_while_the_index_is_locked(repository: Repository, git: Git) -> None:
    with index.locked(repository, "me"), pytest.raises(AssertionError, match=r"index\.lock"):
        git("add", "-A")

    git("add", "-A")


def test_the_lock_of_somebody_else_is_named_and_left(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "WAIT_SECONDS", 0.1)
    lock = repository.git_dir / "index.lock"
    lock.write_bytes(b"")
    os.utime(lock, (0, lock.stat().st_mtime - 3600))

    with (
        pytest.raises(GitError, match=r"index\.lock has been there for 36\d\d seconds"),
        index.locked(repository, "me"),
    ):
        pass

    assert lock.exists()


def test_the_lock_of_another_root_in_the_same_repository_is_left(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "WAIT_SECONDS", 0.1)

    with index.locked(repository, "other"), pytest.raises(GitError, match="in use"), index.locked(repository, "me"):
        pass


def test_our_own_lock_from_before_a_crash_is_taken_over(repository: Repository) -> None:
    (repository.git_dir / "index.lock").write_text("mmgit me\n")

    with index.locked(repository, "me"):
        pass

    assert not (repository.git_dir / "index.lock").exists()


def test_a_lock_that_is_released_soon_is_waited_for(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = repository.git_dir / "index.lock"
    lock.touch()
    monkeypatch.setattr("time.sleep", lambda _: lock.unlink())

    with index.locked(repository, "me"):
        assert lock.read_text() == "mmgit me\n"


def test_a_change_in_the_same_instant_as_the_index_stays_visible(repository: Repository, top: Path, git: Git) -> None:
    git("config", "core.trustCtime", "false")
    git("config", "core.checkStat", "minimal")
    git("update-index", "--refresh")
    file, now = top / "notes/two", (top / "notes/two").stat().st_mtime_ns
    os.utime(repository.index, ns=(now, now))
    file.write_text("X\n")
    os.utime(file, ns=(now, now))
    assert git("--no-optional-locks", "status", "--porcelain") == " M notes/two\n"

    with index.locked(repository, "me") as held:
        held.prepare({"new/file": EMPTY})
        held.replace()

    assert " M notes/two\n" in git("--no-optional-locks", "status", "--porcelain")


def test_no_filter_is_run_on_files_of_the_work_tree(repository: Repository, top: Path, git: Git) -> None:
    (top / ".gitattributes").write_text("* filter=x\n")
    (top / "notes/one").write_text("changed\n")
    git("config", "filter.x.clean", f"touch {top}/pwned; cat")
    later = repository.index.stat().st_mtime_ns
    for path in top.rglob("*"):
        if ".git" not in path.parts:
            os.utime(path, ns=(later, later))

    with index.locked(repository, "me") as held:
        held.staged(repository.head or "")
        held.prepare({"new/file": EMPTY})
        held.replace()

    assert not (top / "pwned").exists()


def test_staged_changes_are_seen_with_what_they_are(repository: Repository, top: Path, git: Git) -> None:
    (top / "new").touch()
    git("add", "new")
    git("rm", "-q", "notes/one")
    git("update-index", "--chmod=+x", "notes/two")

    with index.locked(repository, "me") as held:
        staged = held.staged(repository.head or "")

    assert {path: change.after and change.after.mode for path, change in staged.items()} == {
        "new": "100644",
        "notes/one": None,
        "notes/two": "100755",
    }


def test_a_conflict_is_seen(repository: Repository, top: Path, git: Git) -> None:
    (top / "notes/one").write_text("stashed\n")
    git("stash", "-q")
    (top / "notes/one").write_text("committed\n")
    git("commit", "-qam", "Other")
    with pytest.raises(AssertionError):
        git("stash", "pop")

    with index.locked(repository, "me") as held:
        staged = held.staged("HEAD")

    assert staged["notes/one"].after == UNMERGED


def held_entries(repository: Repository, paths: Iterable[str]) -> bool:
    wanted = entries(repository, repository.head or "", list(paths))
    with index.locked(repository, "me") as held:
        return held.holds(wanted)


ALL = ("mmgit.yaml", "service.yaml", "rendered/a.yaml", "rendered/deep/b.yaml", "notes/one")


@pytest.mark.parametrize("version", ["2", "3"])
def test_what_is_committed_is_plainly_in_the_index(repository: Repository, git: Git, version: str) -> None:
    git("update-index", "--index-version", version)
    if version == "3":
        git("update-index", "--skip-worktree", "notes/two")

    assert held_entries(repository, ALL)
    assert held_entries(repository, [])


STAGED: dict[str, tuple[str, ...]] = {
    "other bytes": ("update-index", "--cacheinfo", f"100644,{EMPTY.id},notes/one"),
    "another mode": ("update-index", "--chmod=+x", "notes/one"),
    "nothing": ("rm", "--cached", "--quiet", "notes/one"),
    "a flag": ("update-index", "--assume-unchanged", "notes/one"),
    "another version": ("update-index", "--index-version", "4"),
    "another file": ("update-index", "--split-index"),
}


@pytest.mark.parametrize("what", STAGED)
def test_what_is_not_plain_is_left_to_git(repository: Repository, git: Git, what: str) -> None:
    git(*STAGED[what])

    assert not held_entries(repository, ALL)


def test_without_an_index_nothing_is_in_it(repository: Repository) -> None:
    repository.index.unlink()

    assert not held_entries(repository, ALL)
