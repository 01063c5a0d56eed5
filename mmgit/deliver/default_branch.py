"""Which branch a change is compared with: named by what the change cannot write, in whatever clone it lies.

Whoever chose that branch would choose what counts as released. Pure reads, as in `history`.
"""

import re

from mmgit.deliver import history
from mmgit.deliver.git import Repository
from mmgit.errors import GitError
from mmgit.repository import layout, reading
from mmgit.repository.subset import Fault
from mmgit.spec import ProjectSpec, Refused

_ORIGIN = "refs/remotes/origin/"
_NAME = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|/\.|@\{))[^\x00-\x20\x7f~^:?*\[\\]{1,250}(?<![/.])(?<!\.lock)")
"""Source: git-check-ref-format(1)."""


def default_branch(repository: Repository, declared: str, target: str = "") -> str:
    """The branch's name: `target` if the CI says one, else what is merged on the remote says, else `declared`.

    What is merged is known by `origin/HEAD`. In a clone without it, `declared` is taken if `mmgit.yaml` always said so.

    Raises:
        GitError: it did not; with the command that sets `origin/HEAD`. Or `target` is no name of a branch.
    """
    if target:
        if not _NAME.fullmatch(target):
            raise GitError(f"{target!r} is no name of a branch", "set MMGIT_TARGET_BRANCH to where the change goes")
        return target
    listed = repository.git("for-each-ref", "--format=%(refname) %(symref)", _ORIGIN).decode().splitlines()
    if not listed or repository.head is None:
        return declared
    heads = dict(line.split(" ", 1) for line in listed)
    remote = heads.get(f"{_ORIGIN}HEAD", "").removeprefix(_ORIGIN)
    if remote:
        merged = repository.run("cat-file", "blob", f"{_ORIGIN}{remote}:{repository.prefix}{layout.PROJECT}")
        return _named(merged.stdout) or remote
    if history.is_shallow(repository):  # what it always said cannot be known
        message = f"nothing here but {layout.PROJECT} itself says which branch is the default one"
        raise GitError(message, "git remote set-head origin --auto   or say it in MMGIT_TARGET_BRANCH")
    others = _ever_named(repository) - {declared, None}
    if others:
        message = f"{layout.PROJECT} calls `{declared}` the default branch, and called {_quoted(others)} that before"
        raise GitError(message, "git remote set-head origin --auto   or say it in MMGIT_TARGET_BRANCH")
    return declared


def _ever_named(repository: Repository) -> set[str | None]:
    """Every default branch that a commit up to the checked-out one declared."""
    path = f"{repository.prefix}{layout.PROJECT}"
    options = ("--full-history", "-m", "--root", "--raw", "--no-abbrev", "--no-renames", "--format=")
    changes = repository.git("log", *options, "HEAD", "--", path).decode(errors="replace").splitlines()
    ids = {blob for _, _, _, blob, *_ in (change.split() for change in changes) if blob.strip("0")}
    return {_named(data) for data in history.contents(repository, ids).values()}


def _named(data: bytes) -> str | None:
    try:
        return ProjectSpec.read(reading.parse(data)).branch
    except (Fault, Refused):
        return None


def _quoted(names: set[str | None]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(filter(None, names)))
