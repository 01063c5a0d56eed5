"""What forges answer, as far as mmgit reads it. Gitea and Forgejo took over GitHub's words, so one set does for all.

Source: GitHub REST API 2022-11-28; Gitea's `/swagger.v1.json`.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field


class Answer(BaseModel):
    """One of them; unknown keys are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Account(Answer):
    """A user, an organization or an app."""

    id: int
    login: str


_Known = Annotated[Account | None, BeforeValidator(lambda value: value or None)]
"""GitHub says `{}` for nobody too."""


class _Repository(Answer):
    full_name: str


class Side(Answer):
    """The head or base of a pull request; its repository may be gone."""

    ref: str
    sha: str
    repo: _Repository | None


class Pull(Answer):
    """A pull request."""

    number: int
    html_url: str
    title: str
    body: str | None
    user: Account
    head: Side
    base: Side
    state: str


class Comment(Answer):
    """A comment on a pull request."""

    id: int
    html_url: str
    body: str | None
    user: Account | None


class Review(Answer):
    """A review; the last three are Gitea's."""

    user: Account | None
    state: str
    commit_id: str | None
    submitted_at: datetime | None = None
    dismissed: bool = False
    stale: bool = False
    official: bool = False


class Commit(Answer):
    """A commit of a pull request; the accounts are those whose address it names, if there are any."""

    sha: str
    author: _Known
    committer: _Known


class CommitStatus(Answer):
    """A status of a commit; Gitea calls its state `status`."""

    id: int
    context: str
    state: str = Field(validation_alias=AliasChoices("state", "status"))
    description: str | None
    target_url: str | None
    creator: Account | None
    created_at: datetime


class File(Answer):
    """A file that a pull request touches."""

    filename: str
    previous_filename: str = ""
