"""Brings an edit to the remote: computed and compiled on the newest default branch, then pushed, or proposed.

The work tree, the index and the checked-out branch stay as they are.
"""

import os
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from mmgit import markdown as md
from mmgit.cli import copying
from mmgit.cli.context import find_root, may_write, target_branch
from mmgit.cli.editing import loaded
from mmgit.cli.reviewing import between, forge_of, judged_now, plan_of
from mmgit.deliver import git, history
from mmgit.deliver.baseline import Surroundings
from mmgit.deliver.committed import Committed
from mmgit.deliver.default_branch import default_branch
from mmgit.deliver.forge.tokens import token_for
from mmgit.deliver.remote import Remote, branch_for, deliver
from mmgit.edits.change import Change
from mmgit.errors import ForgeError, GitError, ProblemsFound, UsageError
from mmgit.frozen import dataclass
from mmgit.repository import layout
from mmgit.repository.files import Files, Root
from mmgit.repository.load import load
from mmgit.repository.overlay import Overlay
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.deliver.git import Repository
    from mmgit.spec.predictions import PredictionsSpec

MAX_COPIED_BYTES = 256 * 2**20

Edit = Callable[[Source, Files], Change]
"""What is to be changed, of the declarations as they are on the tip. An empty change if that is nothing."""


@dataclass(frozen=True)
class Delivered:
    """Where an edit went: the commit, and the pull request if it was proposed."""

    commit: str
    url: str = ""


def in_words(message: str, delivered: Delivered | None) -> str:
    """What came of an edit; empty if there was nothing to do."""
    subject = message.partition("\n")[0]
    return f"{subject}: {delivered.url or f'commit {delivered.commit[:12]}'}" if delivered else ""


def refuse_without_remote(root: Root) -> None:
    """Raise `GitError` or `ProblemsFound` where nothing could be brought to the remote: before hours of other work."""
    _place(root)


def push(edit: Edit, message: str, root: Root | None = None) -> Delivered | None:
    """Commit the edit to the remote's default branch; None if there is nothing to change."""
    place = _place(root or find_root())
    commit = deliver(place.remote, place.made_by(edit), message, base=place.branch, branch=place.branch)
    return Delivered(commit) if commit else None


def propose(
    edit: Edit,
    message: str,
    head: str,
    predictions: "PredictionsSpec | None" = None,
    *,
    root: Root | None = None,
) -> Delivered | None:
    """Commit the edit to branch `head` of the remote, and open or renew its pull request with plan and gates in it.

    The first line of the message is its title; the others come before the plan.
    The repository is the one at `root`, else the one around the current folder.
    """
    from mmgit.deliver.forge import Proposal  # noqa: PLC0415 - --help must not wait for it

    place, head = _place(root or find_root()), branch_for(head)
    forge = forge_of(place.source)
    commit = deliver(place.remote, place.made_by(edit), message, base=place.branch, branch=head)
    if commit is None:
        return None
    title, _, more = message.partition("\n")
    said = "".join(f"{md.text(line)}\n\n" for line in more.splitlines() if line.strip())
    body = said + _body(place, commit, predictions)
    pull_request = forge.propose(Proposal(head, place.branch, title, body))
    return Delivered(commit, pull_request.url)


@dataclass(frozen=True)
class _Place:
    """The repository here, its remote, and the remote's default branch."""

    root: Root
    repository: "Repository"
    remote: Remote
    branch: str
    source: Source

    def made_by(self, edit: Edit) -> Callable[["Repository"], Mapping[str, bytes | None]]:
        """What the edit changes, rendered files and all, on the tip that a repository is at."""

        def make(repository: "Repository") -> Mapping[str, bytes | None]:
            from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it

            tip = str(repository.head)
            files = Committed(repository, tip)
            found = load(files)
            if found.source is None:
                raise ProblemsFound(found.problems)
            may_write(found.source)
            change = edit(found.source, files)
            if change.is_empty:
                return {}
            copying.upload(change.uploads)
            written = {**change.files, **_copied(change)}
            compiled = pipeline.compiled(Overlay(files, written), _at_tip(repository, files, change))
            rendered = history.changes_since(repository, tip, compiled.tree, compiled.owned)
            return {**written, **rendered}

        return make


def _copied(change: Change) -> dict[str, bytes]:
    """The bytes of the files that an edit brings. Raises `UsageError` for more than a commit is made of in memory."""
    size_bytes = sum(path.stat().st_size for path in change.copies.values())
    if size_bytes > MAX_COPIED_BYTES:
        message = f"{size_bytes / 1e6:.0f} MB are too much to commit from here"
        raise UsageError(
            message, "do it in a clone, without --push or --pull-request; or: store: {uri: …} in mmgit.yaml"
        )
    return {path: source.read_bytes() for path, source in change.copies.items()}


def _at_tip(repository: "Repository", files: Files, change: Change) -> Surroundings:
    """What was released and declared on the tip, to judge an edit upon it."""

    def former(_: str, paths: Collection[str]) -> Mapping[str, bytes | None]:
        wanted = [path for path in change.files if any(f"{path}/".startswith(f"{each}/") for each in paths)]
        return {path: files.read(path) if files.exists(path) else None for path in wanted}

    listed = history.listing(repository, str(repository.head), [layout.MODELS])
    released = {path: entry.id for path, entry in listed.items()}
    return Surroundings(baseline_of=lambda _, __: released, folder=repository.prefix.rstrip("/"), former_of=former)


def _place(root: Root) -> _Place:
    """The project is as it was merged: a branch that is checked out does not choose where a token goes."""
    repository = git.find(root.path)
    if repository is None:
        raise GitError(f"{root.path} is not in a git repository", "git init")
    here = loaded(root, layout.PROJECT)
    branch = default_branch(repository, here.project.spec.branch, target_branch())
    try:
        tip = history.commit_named(repository, f"refs/remotes/origin/{branch}")
    except GitError as error:
        hint = f"git fetch origin   or   git remote add origin URL && git push --set-upstream origin {branch}"
        raise GitError(f"nothing is known here of origin/{branch}, where this would go", hint) from error
    merged = load(Committed(repository, tip), ()).source
    if merged is None:
        raise GitError(f"there is no {layout.PROJECT} on origin/{branch}", f"git push origin {branch}")
    declared = merged.project.spec.forge
    if declared is None:
        return _Place(root, repository, Remote(repository), branch, merged)
    try:
        remote = Remote(repository, declared.clone_url, token_for(declared, os.environ).secret)
    except ForgeError:
        remote = Remote(repository)  # the user's own git knows how to get in
    return _Place(root, repository, remote, branch, merged)


def _body(place: _Place, commit: str, predictions: "PredictionsSpec | None") -> str:
    """The plan and the gates of a proposed commit."""
    from mmgit.review import judged  # noqa: PLC0415 - --help must not wait for it
    from mmgit.review.markdown import markdown  # noqa: PLC0415 - as above

    tip = history.commit_named(place.repository, f"refs/remotes/origin/{place.branch}")
    change = between(place.repository, tip, commit, place.root)
    verdicts = judged_now(change, predictions=predictions)
    return f"{markdown(plan_of(change, predictions))}\n{judged.markdown(verdicts)}"
