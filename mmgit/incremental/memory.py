"""What the last compile left and what there is now: looked at before anything is read, kept once all is written."""

import json
import os
import time
from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

from mmgit import looking, state
from mmgit.deliver.write import Written
from mmgit.errors import Place, Problem
from mmgit.frozen import asdict, dataclass
from mmgit.incremental import looked
from mmgit.repository import layout
from mmgit.repository.files import Root

if TYPE_CHECKING:
    from mmgit.incremental.partly import Partly

_STATE_NAME, _NEW_STATE_NAME = "state", "state.new"
_MOST_DIFFERING = 5000
_WAIT_SECONDS, _WAITS = 0.001, 40


@dataclass(frozen=True)
class Before:
    """What there was when the command began."""

    root: Root
    began: float
    """By the monotonic clock, before anything was looked at."""
    branch: str
    identity: bytes
    git: bytes
    listings: looking.Listings
    last: state.State | None
    is_tried: bool = False
    """Whether what changed was compiled while another process still looked."""
    compiled: "Partly | None" = None
    """What came of that; None if it is a matter for a full compile."""

    @cached_property
    def unlooked(self) -> frozenset[str]:
        """The folders of models that no look goes into."""
        return frozenset(looked.unlooked(str(self.root.path), self.listings))

    @property
    def is_same_git(self) -> bool:
        """Whether git plainly has checked out, and holds as released, what it did."""
        return bool(self.git and self.last and self.git == self.last.git)


@dataclass(frozen=True)
class Outcome:
    """What a compile read and said: to be remembered."""

    branch: str
    """The default branch, as it is declared."""
    base: str | None
    """The commit that held what is released, None if there is none."""
    files: int
    """How many rendered files there are in all."""
    warnings: tuple[Problem, ...]


def begin(root: Root, seen: state.Seen | None = None) -> Before:
    """Look at everything, before any of it is read; `seen` is what this very command saw of it."""
    path = str(root.path)
    branch = state.branch_of(path)
    began = seen.began if seen else time.monotonic()
    try:
        identity, git = state.identity_of(), state.git_of(path, branch)
        last = seen.last if seen else state.read(path)
        return Before(root, began, branch, identity, git, seen.listings if seen else looking.look(path), last)
    except (OSError, ValueError, RecursionError):
        return Before(root, began, branch, b"", b"", {}, None)


def is_as_before(before: Before) -> bool:
    """Whether nobody wrote since, now that this command is the one writer."""
    return bool(before.last and before.last.mark == state.mark_of(str(before.root.path)))


def remember(before: Before, written: Written, outcome: Outcome, basis: state.Basis | None = None) -> None:
    """Keep what this compile read and wrote, and `basis` if that was committed. To be called by the one writer."""
    with before.root.state() as own:
        own.remove(_STATE_NAME)
        if not before.identity or before.branch != outcome.branch or written.kept:
            return
        own.remove(_NEW_STATE_NAME)
        own.create(_NEW_STATE_NAME, b"", is_durable=False)
        now_ns = _moment_after(before.root, written.changed)
        own.remove(_NEW_STATE_NAME)
        began_ns = now_ns - int((time.monotonic() - before.began) * 1e9)
        paths = {*written.changed, *written.removed}
        after = looked.look_again(str(before.root.path), before.listings, paths)
        known = before.last.listings if before.last else {}
        listings = state.believed(before.listings, after, paths, known=known, began_ns=began_ns, now_ns=now_ns)
        made = state.State(
            identity=before.identity,
            git=before.git,
            base=outcome.base or "",
            branch=outcome.branch,
            files=outcome.files,
            said=said_of(outcome.warnings),
            basis=basis or _carried(before, listings),
            listings=listings,
        )
        own.create(_NEW_STATE_NAME, state.framed(made), is_durable=False)
        own.take(_STATE_NAME, own, _NEW_STATE_NAME)


def _carried(before: Before, listings: looking.Listings) -> state.Basis | None:
    """What is still known of the commit that was known before, if it is worth it."""
    if before.last is None or before.last.basis is None:
        return None
    basis = before.last.basis
    but = basis.but | looked.differing(before.last.listings, listings)
    return state.Basis(basis.commit, but, basis.unlooked) if len(but) <= _MOST_DIFFERING else None


def said_of(warnings: tuple[Problem, ...]) -> str:
    """Warnings as a state remembers them."""
    return json.dumps([asdict(problem) for problem in warnings]) if warnings else ""


def problems_in(said: str) -> tuple[Problem, ...]:
    """The warnings that a state remembers."""
    found = json.loads(said) if said else []
    return tuple(Problem(**{**fields, "place": Place(**fields["place"])}) for fields in found)


def _moment_after(root: Root, paths: Collection[str]) -> int:
    """The time by the clock of the file system, once it is later than what was written last."""
    probe = root.path / layout.STATE / _NEW_STATE_NAME
    latest_ns = max((os.lstat(f"{root.path}/{path}").st_ctime_ns for path in paths), default=0)
    for _ in range(_WAITS):
        os.utime(probe)
        now_ns = probe.stat().st_mtime_ns
        if now_ns > latest_ns:
            break
        time.sleep(_WAIT_SECONDS)
    return now_ns
