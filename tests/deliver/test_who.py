"""git says who commits; nothing is guessed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.git import asker
from mmgit.deliver.who import Who
from mmgit.errors import GitError

Git = Callable[..., str]
ADA = b"Ada <ada@example.org>"


def names(top: Path) -> list[bytes]:
    return [each.rpartition(b" ")[0].rpartition(b" ")[0] for each in Who(asker(top)).author_and_committer]


@pytest.mark.parametrize("missing", ["user.name", "user.email"])
def test_without_a_name_nobody_commits(top: Path, git: Git, missing: str) -> None:
    git("config", "--global", "--unset", missing)

    with pytest.raises(GitError, match="does not know who commits") as caught:
        names(top)

    assert "git config user.name" in caught.value.hint


def test_whoever_commits_is_the_author(top: Path) -> None:
    assert names(top) == [ADA, ADA]


def test_an_author_may_be_named_in_the_environment(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")

    assert names(top) == [b"Grace <ada@example.org>", ADA]


def test_a_committer_may_be_named_in_the_settings(top: Path, git: Git) -> None:
    git("config", "committer.name", "Machine")

    assert names(top) == [ADA, b"Machine <ada@example.org>"]


@pytest.mark.parametrize(("value", "is_signed"), [("yes", True), ("1", True), ("off", False), (None, False)])
def test_commits_are_signed_where_the_settings_say_so(
    top: Path, git: Git, value: str | None, *, is_signed: bool
) -> None:
    if value:
        git("config", "commit.gpgSign", value)

    assert Who(asker(top)).is_signed is is_signed
