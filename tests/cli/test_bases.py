"""`mmgit base update`: what it refuses before it asks Debian's archive. What it proposes is in tests/automation."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Mmgit = Callable[..., Any]
LOCK = "bases/default.lock.yaml"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(repository: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, the current folder; the base that is merged cannot be read, the one here can."""
    begin = repository()
    good = (begin / LOCK).read_text()
    (begin / LOCK).write_text(good.replace("suite: bookworm", "suite: [bookworm]"))
    git(begin, "init", "--quiet", "--initial-branch=main")
    git(begin, "add", "--all")
    git(begin, "commit", "--quiet", "-m", "Begin")
    git(tmp_path, "clone", "--quiet", str(begin), "clone")
    (tmp_path / "clone" / LOCK).write_text(good)
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize("which", ["default", "--all"])
def test_a_base_that_cannot_be_read_where_it_is_merged_is_neither_skipped_nor_replaced(
    clone: Path, mmgit: Mmgit, which: str
) -> None:
    ended = mmgit("base", "update", which, "--push")

    assert ended.code == 3
    assert f"{LOCK}:3:" in ended.out + ended.err
    assert git(clone, "ls-remote", "origin", "refs/heads/main").split()[0] == git(clone, "rev-parse", "HEAD")


@pytest.mark.parametrize("option", [("--suite", "trixie"), ("--package", "tzdata"), ("--platform", "linux/amd64")])
def test_all_bases_are_renewed_as_they_are(clone: Path, mmgit: Mmgit, option: tuple[str, str]) -> None:
    before = (clone / LOCK).read_bytes()

    ended = mmgit("base", "update", "--all", *option)

    assert ended.code == 2
    assert "--all renews each base as it is" in ended.err
    assert (clone / LOCK).read_bytes() == before
