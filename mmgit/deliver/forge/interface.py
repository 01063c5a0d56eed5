"""What mmgit asks of a forge, whichever it is: pull requests, comments, reviews, protection, commit statuses.

Every method may raise `ForgeError`. Texts are cut at the forge's limit; values in them are the caller's to escape
(`mmgit.markdown`).
"""

from datetime import datetime
from typing import Literal, Protocol

from mmgit.frozen import dataclass

State = Literal["pending", "success", "failure", "error"]


@dataclass(frozen=True)
class User:
    """An account; a login may change hands, the number does not."""

    number: int
    login: str


@dataclass(frozen=True)
class Proposal:
    """A pull request as it should be: merge branch `head` into branch `base` of the same repository."""

    head: str
    base: str
    title: str
    body: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request as it is; `commit` is the tip of its head branch."""

    number: int
    url: str
    proposal: Proposal
    author: User
    commit: str
    is_open: bool


@dataclass(frozen=True)
class Reviews:
    """Logins of those whose last word counts: they may write to the repository, and none opened the pull request.

    An approval counts for this very `commit`, the tip, and not from whoever made a commit of it, as far as the forge
    knows; a demand for changes until it is dismissed or taken back.
    """

    commit: str
    approved_by: tuple[str, ...]
    blocked_by: tuple[str, ...]

    def is_approved(self, approvals: int) -> bool:
        """Whether so many approve and nobody demands changes."""
        return not self.blocked_by and len(self.approved_by) >= approvals


@dataclass(frozen=True)
class Protection:
    """Rules of a branch, as far as the token may read them; without `is_complete` there may be more.

    `pushers` may push without a pull request: logins, `team:<name>`, `app:<name>`, `deploy keys`, `administrators`.
    None is everybody who may write, or unknown. Contexts may be patterns.
    """

    is_protected: bool
    approvals: int = 0
    contexts: tuple[str, ...] = ()
    pushers: tuple[str, ...] | None = None
    is_complete: bool = True


@dataclass(frozen=True)
class Status:
    """What is said about a commit under the name `context`."""

    context: str
    state: State
    description: str = ""
    url: str = ""


@dataclass(frozen=True)
class RecordedStatus:
    """A status, who set it (None: an account that is gone) and when."""

    status: Status
    creator: User | None
    at: datetime


class Forge(Protocol):
    """One repository on a forge, and one user there."""

    def user(self) -> User:
        """Whose token this is."""

    def pull_request(self, number: int) -> PullRequest:
        """A pull request, open or not."""

    def pull_requests(self, prefix: str = "") -> tuple[PullRequest, ...]:
        """The open ones from branches of this repository whose names begin with `prefix`, by number."""

    def propose(self, proposal: Proposal) -> PullRequest:
        """The open pull request from this head to this base, with this title and body: opened, or found and updated."""

    def comment(self, number: int, marker: str, body: str) -> str:
        """The address of our one comment with this marker, which is hidden: written, or updated in place.

        Of several, as two runs at once may write them, the oldest stays.
        Somebody else's comment that carries the marker is left alone.
        """

    def reviews(self, number: int) -> Reviews:
        """The reviews that count now."""

    def files(self, number: int) -> tuple[str, ...]:
        """The paths that a pull request touches, those that it renames under both names, sorted.

        Never only a part: a forge that lists no more than 3,000 gives a `ForgeError`.
        """

    def protection(self, branch: str) -> Protection:
        """The rules of a branch."""

    def set_status(self, commit: str, status: Status) -> None:
        """Say something about a commit. What was said before stays in the record."""

    def statuses(self, commit: str) -> tuple[RecordedStatus, ...]:
        """Everything that was said about a commit by anybody, newest first."""
