"""What is the same on all forges: pull requests, comments, reviews, files and statuses over GitHub's kind of API."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args
from urllib.parse import quote

from mmgit import markdown
from mmgit.deliver.forge import answers
from mmgit.deliver.forge.http import NOT_FOUND, Api, Refused
from mmgit.deliver.forge.interface import (
    Proposal,
    Protection,
    PullRequest,
    RecordedStatus,
    Reviews,
    State,
    Status,
    User,
)
from mmgit.errors import ForgeError, visible

_TITLE_LIMIT_CHARACTERS = 255
_DESCRIPTION_LIMIT_CHARACTERS = 140
_FILES_LIMIT, _COMMITS_LIMIT = 3000, 250  # GitHub lists no more
_APPROVED = frozenset({"APPROVED"})
_BLOCKED = frozenset({"CHANGES_REQUESTED", "REQUEST_CHANGES"})
_DISMISSED = frozenset({"DISMISSED"})
_EXISTS_ALREADY = frozenset({409, 422})
_ROUNDS_LIMIT = 8  # in which writers of one comment may remove each other's
_STATES: Mapping[str, State] = {state: state for state in get_args(State)}
_NEVER = datetime.min.replace(tzinfo=UTC)


class RestForge(ABC):
    """One repository on a forge, reached through its `Api`."""

    def __init__(self, api: Api, repository: str, version: str) -> None:
        self._api = api
        self._repository = repository
        self._version = version
        self._path = f"{version}/repos/{repository}"

    def __str__(self) -> str:
        return f"{self._api.host}/{self._repository}"

    def user(self) -> User:
        """Whose token this is."""
        return _user(self._api.get(answers.Account, f"{self._version}/user"))

    def pull_request(self, number: int) -> PullRequest:
        """A pull request, open or not."""
        return _pull_request(self._api.get(answers.Pull, f"{self._path}/pulls/{number}"))

    def pull_requests(self, prefix: str = "") -> tuple[PullRequest, ...]:
        """The open ones from branches of this repository whose names begin with `prefix`, by number."""
        found = self._api.all(answers.Pull, f"{self._path}/pulls", {"state": "open"})
        ours = {each.number: _pull_request(each) for each in found if self._is_ours(each.head)}
        return tuple(ours[number] for number in sorted(ours) if ours[number].proposal.head.startswith(prefix))

    def propose(self, proposal: Proposal) -> PullRequest:
        """The open pull request from this head to this base, with this title and body: opened, or found and updated."""
        title = visible(proposal.title)[:_TITLE_LIMIT_CHARACTERS]
        wanted = Proposal(proposal.head, proposal.base, title, markdown.truncated(proposal.body))
        found = self._find(wanted)
        text = {"title": wanted.title, "body": wanted.body}
        if found is None:
            try:
                sides = {"head": wanted.head, "base": wanted.base}
                return _pull_request(self._api.send(answers.Pull, "POST", f"{self._path}/pulls", {**sides, **text}))
            except Refused as refused:
                found = self._find(wanted) if refused.status in _EXISTS_ALREADY else None
                if found is None:
                    raise
        if found.proposal == wanted:
            return found
        return _pull_request(self._api.send(answers.Pull, "PATCH", f"{self._path}/pulls/{found.number}", text))

    def comment(self, number: int, marker: str, body: str) -> str:
        """The address of our one comment with this marker, which is hidden: written, or updated in place."""
        first = f"<!-- {quote(marker, safe=':/ ').replace('--', '-%2D')} -->\n"
        text = first + markdown.truncated(body, markdown.LIMIT_CHARACTERS - len(first))
        me, path = self.user().number, f"{self._path}/issues/{number}/comments"

        def ours() -> list[answers.Comment]:
            found = (each for each in self._api.all(answers.Comment, path) if each.user and each.user.id == me)
            return sorted((each for each in found if _lines(each.body).startswith(first)), key=lambda each: each.id)

        for _ in range(_ROUNDS_LIMIT):
            there = ours()
            if not there:
                self._api.send(answers.Comment, "POST", path, {"body": text})
                there = ours()  # another run may have written one at the same moment, or removed ours
            for each in there[1:]:
                self._api.delete(f"{self._path}/issues/comments/{each.id}")
            if there and (address := self._renewed(there[0], text)):
                return address
        raise ForgeError(f"{self}: our comment on pull request {number} is always removed", "run it again")

    def reviews(self, number: int) -> Reviews:
        """The reviews that count now."""
        pull = self.pull_request(number)
        writers = self._writers(number)
        last: dict[int, tuple[answers.Account, answers.Review]] = {}
        given = self._api.all(answers.Review, f"{self._path}/pulls/{number}/reviews")
        for each in sorted(given, key=lambda review: review.submitted_at or _NEVER):
            if each.user and each.user.id != pull.author.number and each.state in _APPROVED | _BLOCKED | _DISMISSED:
                last[each.user.id] = each.user, each
        approved, blocked = [], []
        for user, review in last.values():
            is_current = review.commit_id == pull.commit and not review.stale
            if review.dismissed or not self._counts(review, user.login):
                continue
            if review.state in _BLOCKED:
                blocked.append(user.login)
            elif review.state in _APPROVED and is_current and user.id not in writers:
                approved.append(user.login)
        return Reviews(pull.commit, tuple(sorted(approved)), tuple(sorted(blocked)))

    def files(self, number: int) -> tuple[str, ...]:
        """The paths that a pull request touches, those that it renames under both names, sorted."""
        found = list(self._api.all(answers.File, f"{self._path}/pulls/{number}/files"))
        if len(found) >= _FILES_LIMIT:
            raise ForgeError(f"{self}: not all files of pull request {number} are listed", "make it smaller")
        return tuple(sorted({name for each in found for name in (each.filename, each.previous_filename) if name}))

    @abstractmethod
    def protection(self, branch: str) -> Protection:
        """The rules of a branch."""

    def set_status(self, commit: str, status: Status) -> None:
        """Say something about a commit. What was said before stays in the record."""
        data = {
            "context": status.context,
            "state": status.state,
            "description": visible(status.description)[:_DESCRIPTION_LIMIT_CHARACTERS],
            **({"target_url": status.url} if status.url else {}),
        }
        self._api.send(answers.CommitStatus, "POST", f"{self._path}/statuses/{quoted(commit)}", data)

    def statuses(self, commit: str) -> tuple[RecordedStatus, ...]:
        """Everything that was said about a commit by anybody, newest first."""
        found = list(self._api.all(answers.CommitStatus, f"{self._path}/commits/{quoted(commit)}/statuses"))
        found.sort(key=lambda each: (each.created_at, each.id), reverse=True)
        return tuple(_recorded(each) for each in found)

    @abstractmethod
    def _counts(self, review: answers.Review, login: str) -> bool:
        """Whether the forge lets this reviewer decide."""

    def _writers(self, number: int) -> set[int]:
        """Whoever made a commit of a pull request, as far as the forge knows whose address that is."""
        found = list(self._api.all(answers.Commit, f"{self._path}/pulls/{number}/commits"))
        if len(found) >= _COMMITS_LIMIT:
            raise ForgeError(f"{self}: not all commits of pull request {number} are listed", "make it smaller")
        return {each.id for commit in found for each in (commit.author, commit.committer) if each}

    def _renewed(self, comment: answers.Comment, text: str) -> str | None:
        """The address of a comment, whose text this is then; None when another run removed it."""
        if _lines(comment.body) == text:
            return comment.html_url
        try:
            path = f"{self._path}/issues/comments/{comment.id}"
            return self._api.send(answers.Comment, "PATCH", path, {"body": text}).html_url
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
            return None

    def _find(self, wanted: Proposal) -> PullRequest | None:
        found = self.pull_requests(wanted.head)
        sides = (wanted.head, wanted.base)
        return next((each for each in found if (each.proposal.head, each.proposal.base) == sides), None)

    def _is_ours(self, side: answers.Side) -> bool:
        return side.repo is not None and side.repo.full_name.lower() == self._repository.lower()


def quoted(part: str) -> str:
    """A part of a path, in which nothing of it means anything."""
    return quote(part, safe="")


def _user(account: answers.Account) -> User:
    return User(account.id, account.login)


def _pull_request(pull: answers.Pull) -> PullRequest:
    proposal = Proposal(pull.head.ref, pull.base.ref, pull.title, _lines(pull.body))
    return PullRequest(
        pull.number, pull.html_url, proposal, _user(pull.user), commit=pull.head.sha, is_open=pull.state == "open"
    )


def _recorded(each: answers.CommitStatus) -> RecordedStatus:
    state = _STATES.get(each.state, "error")  # Gitea's warning and skipped are no success
    status = Status(each.context, state, each.description or "", each.target_url or "")
    return RecordedStatus(status, _user(each.creator) if each.creator else None, each.created_at)


def _lines(body: str | None) -> str:
    return (body or "").replace("\r\n", "\n")
