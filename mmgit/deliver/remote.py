"""Brings commits to the remote's branches: made anew on the newest tip until one is taken.

Only a commit that mmgit wrote by itself on a branch of its own is ever replaced, and never one that it has not seen.
Nothing of the work tree, the index or the checked-out branch is read or changed.
"""

import base64
import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Mapping

from mmgit.deliver import history
from mmgit.deliver.git import Command, Repository, execute
from mmgit.deliver.history import EXECUTABLE, PLAIN, Entry
from mmgit.deliver.objects import Change, changes_between, make_commit
from mmgit.errors import GitError
from mmgit.frozen import dataclass, field, replace
from mmgit.repository.blobs import blob_id
from mmgit.subprocesses import Completed

ATTEMPTS = 30
"""How often a lost race is run again, with waits of a minute or two between: somebody else has won each of them."""
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.1, 4.0
_ALLOWED = ("SSH_AUTH_SOCK", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "GIT_SSL_CAINFO")
_NO_QUESTIONS = "GIT_SSH_COMMAND=ssh -oBatchMode=yes"
_REJECTED = (b"[rejected]", b"[remote rejected]", b"failed to update ref", b"cannot lock ref", b"fetch first")
_PROTECTED = (b"protected branch", b"pre-receive hook declined", b"not allowed")
_MARK = "Mmgit-Wrote"
_MAX_BRANCH_CHARACTERS = 150

Make = Callable[[Repository], Mapping[str, bytes | None]]
"""The changes of a commit upon `repository.head`, by path from the root; none if there is nothing to do."""


@dataclass(frozen=True)
class Remote:
    """The remote `origin` of a repository; `token` is for `url` and its paths only, and then that is the remote."""

    repository: Repository
    url: str = ""
    token: str = field(default="", repr=False)

    def tip(self, branch: str) -> str | None:
        """The last commit of a branch, fetched; None if the remote has no such branch."""
        refs = f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
        completed = self._run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", self._address, refs)
        if b"couldn't find remote ref" in completed.stderr:
            return None
        completed.output(GitError, "git fetch origin")
        return history.commit_named(self.repository, f"refs/remotes/origin/{branch}")

    def push(self, commit: str, branch: str, *, replaced: str | None = None) -> bool:
        """Make `commit` the tip of a branch, if it comes after the present one or that is `replaced`.

        False if the race was lost.
        """
        lease = [f"--force-with-lease=refs/heads/{branch}:{replaced}"] if replaced else []
        completed = self._run("push", "--quiet", *lease, self._address, f"{commit}:refs/heads/{branch}")
        if completed.returncode and any(sign in completed.stderr for sign in _PROTECTED):
            hint = "open a pull request: --pull-request   or let this account push in the branch's rule"
            completed.output(GitError, hint)
        if completed.returncode and any(sign in completed.stderr for sign in _REJECTED):
            return False
        completed.output(GitError, "git push origin")
        return True

    @property
    def _address(self) -> str:
        """With a token the forge itself: `origin` may spell it in a way that the token is not sent to."""
        return self.url if self.token and self.url else "origin"

    def _run(self, *arguments: str) -> Completed:
        repository = self.repository
        options = (
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "http.followRedirects=false",
            f"--git-dir={repository.git_dir}",
        )
        variables = (*_ALLOWED, _NO_QUESTIONS, *self._variables())
        return execute(repository.top, Command((*options, *arguments), b"", variables))

    def _variables(self) -> list[str]:
        """The token, where no command line and no file shows it. Source: git-config(1), GIT_CONFIG_COUNT."""
        if not (self.token and self.url):
            return []
        number = int(os.environ.get("GIT_CONFIG_COUNT") or 0)  # after those that the user set
        credentials = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        key = f"http.{self.url.rstrip('/')}/.extraHeader"
        return [
            f"GIT_CONFIG_COUNT={number + 1}",
            f"GIT_CONFIG_KEY_{number}={key}",
            f"GIT_CONFIG_VALUE_{number}=Authorization: Basic {credentials}",
        ]


def branch_for(name: str) -> str:
    """The branch of a proposal that says `name`, cut where a forge could not keep it as a file."""
    if len(name) <= _MAX_BRANCH_CHARACTERS:
        return name
    return f"{name[:_MAX_BRANCH_CHARACTERS]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def deliver(remote: Remote, make: Make, message: str, *, base: str, branch: str) -> str | None:
    """Commit what `make` gives upon the tip of `base`, and push that to `branch`; the commit, or None for no change.

    A race that is lost is run again on the new tip. Where `branch` exists already, it must hold one commit of mmgit's:
    that is left if it is the same, else replaced. Nothing of anybody else's is taken into it.
    Raises `GitError` if it is lost too often, if `base` is not on the remote, or if `branch` is somebody else's.
    """
    for attempt in range(ATTEMPTS):
        tip = remote.tip(base)
        if tip is None:
            raise GitError(f"the remote has no branch `{base}`", f"git push origin {base}")
        at_tip = replace(remote.repository, head=tip)
        changes = make(at_tip)
        if not changes:
            return None
        theirs = remote.tip(branch) if branch != base else None
        if theirs and history.is_ancestor(at_tip, theirs, tip):
            theirs = None  # it was merged, or never went on
        if theirs and not _is_ours(at_tip, theirs):
            hint = f"look at it, then: git push origin --delete {branch}"
            raise GitError(f"the branch `{branch}` holds commits that mmgit did not write", hint)
        commit = commit_upon(at_tip, changes, message, is_marked=branch != base)
        if theirs and not changes_between(at_tip, theirs, commit):
            return theirs
        if remote.push(commit, branch, replaced=theirs):
            return commit
        wait_seconds = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**attempt)
        time.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - so that two do not meet again
    raise GitError(f"others pushed to `{branch}` {ATTEMPTS} times meanwhile", "run the same command again")


def commit_upon(
    repository: Repository, changes: Mapping[str, bytes | None], message: str, *, is_marked: bool = False
) -> str:
    """A commit upon `repository.head` that makes the changes; `is_marked`: so that it is known again as mmgit's own."""
    base = str(repository.head)
    before = history.entries(repository, base, changes)
    wanted, blobs = {}, {}
    for path, data in sorted(changes.items()):
        old = before.get(path)
        new = None
        if data is not None:
            new = Entry(EXECUTABLE if old and old.mode == EXECUTABLE else PLAIN, blob_id(data, base))
            blobs[new.id] = data
        if old != new:
            wanted[repository.prefix + path] = Change(old, new)
    return make_commit(repository, base, wanted, blobs, _marked(message, wanted) if is_marked else message)


def _is_ours(repository: Repository, commit: str) -> bool:
    """Whether a commit is the only one since the branch's base, and as mmgit made it: message, changes and all.

    Its mark keeps people's work from being replaced; it proves nothing of who made the commit, and need not.
    """
    parents, _, message = (
        repository.git("log", "-1", "--format=%P%n%B", commit).decode(errors="replace").partition("\n")
    )
    if " " in parents or not parents or not history.is_ancestor(repository, parents, str(repository.head)):
        return False
    said = message.rpartition(f"\n\n{_MARK}: ")[0]
    return _marked(said, changes_between(repository, parents, commit)) == message.rstrip("\n")


def _marked(message: str, changes: Mapping[str, Change]) -> str:
    """A message that names the hash of itself and of the changes."""
    after = {path: (change.after.mode, change.after.id) if change.after else None for path, change in changes.items()}
    text = message.rstrip("\n")
    content = json.dumps([text, sorted(after.items())])
    return f"{text}\n\n{_MARK}: sha256:{hashlib.sha256(content.encode()).hexdigest()}"
