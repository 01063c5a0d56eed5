"""Commits reach the remote's branches: the newest tip is built upon, a lost race is run again, nothing is forced."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmgit.deliver import remote as remotes
from mmgit.deliver.git import Repository, find
from mmgit.deliver.remote import ATTEMPTS, Remote, branch_for, deliver
from mmgit.errors import GitError

Run = Callable[..., str]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A bare repository with one commit on main."""
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "-q", "--bare", "--initial-branch=main", str(bare))
    clone(bare, tmp_path / "first")
    (tmp_path / "first/file").write_text("begin\n")
    git(tmp_path / "first", "add", "--all")
    git(tmp_path / "first", "commit", "-qm", "Begin")
    git(tmp_path / "first", "push", "-q", "origin", "HEAD:main")
    return bare


def clone(bare: Path, folder: Path) -> Path:
    git(bare.parent, "clone", "-q", str(bare), str(folder))
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.com")
    return folder


@pytest.fixture
def here(bare: Path, tmp_path: Path) -> Path:
    return clone(bare, tmp_path / "here")


@pytest.fixture
def remote(here: Path) -> Remote:
    repository = find(here)
    assert repository
    return Remote(repository)


def push_elsewhere(bare: Path, folder: Path, name: str) -> None:
    """What somebody else does meanwhile."""
    if not folder.exists():
        clone(bare, folder)
    git(folder, "pull", "-q", "--rebase", "origin", "main")
    (folder / name).write_text("theirs\n")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", f"Theirs {name}")
    git(folder, "push", "-q", "origin", "HEAD:main")


def test_a_commit_is_pushed_and_nothing_here_changes(bare: Path, here: Path, remote: Remote) -> None:
    before = (git(here, "rev-parse", "HEAD"), git(here, "status", "--porcelain"), sorted(here.iterdir()))

    made = deliver(remote, lambda _: {"new": b"1\n"}, "New", base="main", branch="main")

    assert git(bare, "rev-parse", "main") == made
    assert git(bare, "show", "main:new") == "1"
    assert (git(here, "rev-parse", "HEAD"), git(here, "status", "--porcelain"), sorted(here.iterdir())) == before


def test_nothing_to_change_is_no_commit(bare: Path, remote: Remote) -> None:
    before = git(bare, "rev-parse", "main")

    assert deliver(remote, lambda _: {}, "Nothing", base="main", branch="main") is None
    assert git(bare, "rev-parse", "main") == before


def test_a_lost_race_is_run_again_on_the_new_tip(
    bare: Path, tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "_FIRST_WAIT_SECONDS", 0.001)
    tips: list[str | None] = []

    def make(repository: Repository) -> Mapping[str, bytes | None]:
        tips.append(repository.head)
        if len(tips) <= 3:
            push_elsewhere(bare, tmp_path / "other", f"theirs-{len(tips)}")
        return {"ours": b"1\n"}

    made = deliver(remote, make, "Ours", base="main", branch="main")

    assert len(set(tips)) == 4
    assert git(bare, "rev-parse", "main") == made
    assert git(bare, "log", "--format=%s", "main").splitlines() == [
        "Ours",
        *(f"Theirs theirs-{n}" for n in (3, 2, 1)),
        "Begin",
    ]
    assert git(bare, "log", "--merges", "--format=%H", "main") == ""


def test_whoever_loses_to_nineteen_others_gets_through(
    bare: Path, tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each race that is lost is one that somebody else has won, so twenty writers lose nineteen at most."""
    monkeypatch.setattr(remotes, "_LONGEST_WAIT_SECONDS", 0.001)
    others = iter(range(19))

    def make(_: Repository) -> Mapping[str, bytes | None]:
        for number in others:
            push_elsewhere(bare, tmp_path / "other", f"theirs-{number}")
            break
        return {"ours": b"1\n"}

    made = deliver(remote, make, "Ours", base="main", branch="main")

    assert git(bare, "rev-parse", "main") == made
    assert git(bare, "rev-list", "--count", "main") == "21"


def test_races_that_are_always_lost_end(
    bare: Path, tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "_FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(remotes, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(remotes, "ATTEMPTS", 3)
    tries: list[int] = []

    def make(_: Repository) -> Mapping[str, bytes | None]:
        tries.append(1)
        push_elsewhere(bare, tmp_path / "other", f"theirs-{len(tries)}")
        return {"ours": b"1\n"}

    with pytest.raises(GitError, match="others pushed to `main` 3 times"):
        deliver(remote, make, "Ours", base="main", branch="main")

    assert len(tries) == 3
    assert ATTEMPTS > 3
    assert "Ours" not in git(bare, "log", "--format=%s", "main")


def test_what_was_proposed_is_made_anew_on_the_newest_tip(bare: Path, tmp_path: Path, remote: Remote) -> None:
    deliver(remote, lambda _: {"ours": b"1\n", "other": b"1\n"}, "First\n\nBecause.\n", base="main", branch="work")
    push_elsewhere(bare, tmp_path / "other", "theirs")

    second = deliver(remote, lambda _: {"ours": b"2\n"}, "Second", base="main", branch="work")

    assert git(bare, "rev-list", "main..work") == second
    assert git(bare, "show", "work:theirs") == "theirs"
    assert git(bare, "diff", "--name-only", "main", "work") == "ours"


def test_a_branch_that_holds_it_already_gets_no_further_commit(bare: Path, remote: Remote) -> None:
    first = deliver(remote, lambda _: {"ours": b"1\n"}, "First", base="main", branch="work")

    second = deliver(remote, lambda _: {"ours": b"1\n"}, "Again", base="main", branch="work")

    assert second == first
    assert git(bare, "rev-parse", "work") == first


def test_a_branch_that_was_merged_is_begun_again(bare: Path, tmp_path: Path, remote: Remote) -> None:
    deliver(remote, lambda _: {"ours": b"1\n"}, "First", base="main", branch="work")
    other = clone(bare, tmp_path / "other")
    git(other, "merge", "-q", "--no-ff", "--message=Merge", "origin/work")
    git(other, "push", "-q", "origin", "HEAD:main")

    second = deliver(remote, lambda _: {"ours": b"2\n"}, "Second", base="main", branch="work")

    assert git(bare, "rev-list", "main..work") == second


FOREIGN: dict[str, Callable[[Path], Any]] = {
    "their own commit": lambda folder: git(folder, "commit", "-q", "--allow-empty", "-m", "x\n\nAcknowledge: 1"),
    "a commit upon ours": lambda folder: (
        git(folder, "reset", "-q", "--hard", "origin/work"),
        git(folder, "commit", "-q", "--allow-empty", "-m", "x\n\nAcknowledge: 1"),
    ),
    "ours with more in it": lambda folder: (
        git(folder, "reset", "-q", "--hard", "origin/work"),
        (folder / "ours").write_text("evil\n"),
        git(folder, "commit", "-q", "--all", "--amend", "--no-edit"),
    ),
    "ours with another message": lambda folder: (
        git(folder, "reset", "-q", "--hard", "origin/work"),
        git(folder, "commit", "-q", "--amend", "-m", f"Acknowledge: 1\n\n{git(folder, 'log', '-1', '--format=%B')}"),
    ),
    "ours upon theirs": lambda folder: (
        git(folder, "commit", "-q", "--allow-empty", "-m", "x\n\nAcknowledge: 1"),
        git(folder, "cherry-pick", "origin/work"),
    ),
    "a merge": lambda folder: (
        git(folder, "commit", "-q", "--allow-empty", "-m", "x"),
        git(folder, "merge", "-q", "--no-ff", "--no-edit", "origin/work"),
    ),
}


@pytest.mark.parametrize("push", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_branch_with_anything_that_mmgit_did_not_write_is_left_alone_and_never_adopted(
    bare: Path, tmp_path: Path, remote: Remote, push: Callable[[Path], Any]
) -> None:
    deliver(remote, lambda _: {"ours": b"1\n"}, "First", base="main", branch="work")
    other = clone(bare, tmp_path / "other")
    push(other)
    git(other, "push", "-q", "--force", "origin", "HEAD:work")
    theirs = git(bare, "rev-parse", "work")

    with pytest.raises(GitError, match="`work` holds commits that mmgit did not write") as caught:
        deliver(remote, lambda _: {"ours": b"2\n"}, "Second", base="main", branch="work")

    assert caught.value.hint == "look at it, then: git push origin --delete work"
    assert git(bare, "rev-parse", "work") == theirs


def test_what_somebody_pushes_at_the_last_moment_is_not_replaced(bare: Path, tmp_path: Path, remote: Remote) -> None:
    first = deliver(remote, lambda _: {"ours": b"1\n"}, "First", base="main", branch="work")
    other = clone(bare, tmp_path / "other")
    git(other, "commit", "-q", "--allow-empty", "-m", "Theirs")
    git(other, "push", "-q", "--force", "origin", "HEAD:work")

    assert not remote.push(git(other, "rev-parse", "origin/main"), "work", replaced=first)
    assert git(bare, "log", "-1", "--format=%s", "work") == "Theirs"


def test_a_branch_of_many_services_has_a_name_that_a_forge_can_keep(bare: Path, remote: Remote) -> None:
    many = "-".join(["mmgit/promote-staging-production", *(f"service-{number}" for number in range(100))])

    made = deliver(remote, lambda _: {"ours": b"1\n"}, "Many", base="main", branch=branch_for(many))

    assert git(bare, "rev-parse", branch_for(many)) == made
    assert branch_for(f"{many}-1") != branch_for(many)
    assert branch_for("mmgit/promote-staging-production-iris") == "mmgit/promote-staging-production-iris"


def test_a_branch_that_refuses_is_an_error_with_the_way_on(bare: Path, remote: Remote) -> None:
    hook = bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(GitError, match="pre-receive hook declined") as caught:
        deliver(remote, lambda _: {"ours": b"1\n"}, "Ours", base="main", branch="main")

    assert "--pull-request" in caught.value.hint


def test_a_branch_that_the_remote_lacks_is_an_error(remote: Remote) -> None:
    with pytest.raises(GitError, match="the remote has no branch `nothing`"):
        deliver(remote, lambda _: {"ours": b"1\n"}, "Ours", base="nothing", branch="nothing")


def test_the_token_stands_in_no_command_line_and_no_representation(
    bare: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    start = subprocess.Popen
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Grace")

    def noting(argv: list[str], **named: Any) -> object:
        started.append((argv, named["env"]))
        return start(argv, **named)

    monkeypatch.setattr(subprocess, "Popen", noting)
    with_token = replace(remote, url=str(bare), token="c4n4ry")

    with_token.tip("main")

    (argv, seen) = started[0]
    assert "c4n4ry" not in repr(with_token)
    assert "c4n4ry" not in str(argv)
    assert seen["GIT_CONFIG_COUNT"] == "2"
    assert seen["GIT_CONFIG_VALUE_0"] == "Grace"
    assert seen["GIT_CONFIG_KEY_1"] == f"http.{bare}/.extraHeader"
    assert str(bare) in argv, "the token goes to the forge, however `origin` is spelt"
