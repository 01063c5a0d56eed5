"""Pull requests, reviews and commit statuses on GitHub, Gitea and Forgejo, behind one interface."""

from collections.abc import Mapping

from mmgit.deliver.forge.gitea import Gitea
from mmgit.deliver.forge.github import GitHub
from mmgit.deliver.forge.interface import (
    Forge,
    Proposal,
    Protection,
    PullRequest,
    RecordedStatus,
    Reviews,
    Status,
    User,
)
from mmgit.deliver.forge.tokens import GITHUB, token_for
from mmgit.spec.project import Forge as Declared

__all__ = [
    "Forge",
    "Proposal",
    "Protection",
    "PullRequest",
    "RecordedStatus",
    "Reviews",
    "Status",
    "User",
    "connect",
]


def connect(declared: Declared, variables: Mapping[str, str]) -> Forge:
    """The forge that `mmgit.yaml` declares, with the token that environment `variables` hold; nothing is sent yet.

    Raises:
        ForgeError: there is no token, or the address is not one to send a token to.
    """
    kind = GitHub if declared.kind == "github" else Gitea
    return kind((declared.url or GITHUB).rstrip("/"), declared.repository, token_for(declared, variables))
