"""Who commits, and whether commits are signed, as git knows it: asked at once, answered when it is needed."""

import os
from collections.abc import Callable
from functools import cached_property

from mmgit.deliver.git import Asked, Repository
from mmgit.errors import GitError

_HOW = 'git config user.name "Your Name"; git config user.email you@example.org'
_SETTINGS = r"^(author\..*|committer\..*|commit\.gpgsign)$"
_SIGNED, _SIGNED_KEY = ("config", "--type=bool", "--get", "commit.gpgSign"), "commit.gpgsign"
_VARIABLES = ("GIT_AUTHOR_", "GIT_COMMITTER_")


class Who:
    """What is asked is begun when this is made."""

    def __init__(self, ask: Callable[..., Asked]) -> None:
        self._ask = ask
        self._asked = ask("config", "--null", "--name-only", "--get-regexp", _SETTINGS)
        self._committer = _identity(ask, "COMMITTER")

    @cached_property
    def is_signed(self) -> bool:
        """Whether commits are to be signed."""
        return _SIGNED_KEY in self._settings and self._ask(*_SIGNED).completed().stdout == b"true\n"

    @cached_property
    def author_and_committer(self) -> tuple[bytes, bytes]:
        """Name, address and time of each; never guessed from the machine. Raises `GitError` if git does not know."""
        are_two = bool(self._settings - {_SIGNED_KEY}) or any(name.startswith(_VARIABLES) for name in os.environ)
        author = _identity(self._ask, "AUTHOR") if are_two else None
        committer = _said(self._committer)
        return _said(author) if author else committer, committer

    @cached_property
    def _settings(self) -> set[str]:
        return set(self._asked.completed().stdout.decode(errors="replace").split("\0")) - {""}


def who_of(repository: Repository) -> Who:
    """Who commits in a repository, asked now if it was not before."""
    return repository.who or Who(repository.ask)


def _identity(ask: Callable[..., Asked], role: str) -> Asked:
    return ask("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT")


def _said(asked: Asked) -> bytes:
    completed = asked.completed()
    if completed.returncode != 0:
        raise GitError("git does not know who commits: user.name and user.email are not set", _HOW)
    return completed.stdout.rstrip(b"\n")
