"""Gitea and Forgejo."""

from mmgit.deliver.forge import answers
from mmgit.deliver.forge.http import Api, Dialect
from mmgit.deliver.forge.interface import Protection
from mmgit.deliver.forge.rest import RestForge, quoted
from mmgit.deliver.forge.tokens import Token

DIALECT = Dialect(
    scheme="token",
    page_size=("limit", 50),
    headers={"Accept": "application/json"},
    permissions="the scopes read:user, write:repository and write:issue, and the repository must be the user's to see",
)


class Branch(answers.Answer):
    """A branch with the rule that holds for it; only administrators are told the rule's name."""

    protected: bool
    required_approvals: int
    enable_status_check: bool
    status_check_contexts: tuple[str, ...] | None
    effective_branch_protection_name: str = ""


class Rule(answers.Answer):
    """Who may push to the branches of a rule."""

    enable_push: bool
    enable_push_whitelist: bool
    push_whitelist_usernames: tuple[str, ...] | None
    push_whitelist_teams: tuple[str, ...] | None
    push_whitelist_deploy_keys: bool

    @property
    def pushers(self) -> tuple[str, ...] | None:
        """As in `Protection`."""
        if not self.enable_push:
            return ()
        if not self.enable_push_whitelist:
            return None
        teams = [f"team:{name}" for name in self.push_whitelist_teams or ()]
        keys = ["deploy keys"] if self.push_whitelist_deploy_keys else []
        return tuple(sorted([*(self.push_whitelist_usernames or ()), *teams, *keys]))


class Gitea(RestForge):
    """A repository on a Gitea or Forgejo at `url`."""

    def __init__(self, url: str, repository: str, token: Token) -> None:
        super().__init__(Api(f"{url}/api", token, DIALECT), repository, "/v1")

    def protection(self, branch: str) -> Protection:
        """The rules of a branch; who may push is told to administrators only."""
        found = self._api.get(Branch, f"{self._path}/branches/{quoted(branch)}")
        if not found.protected:
            return Protection(is_protected=False)
        name = found.effective_branch_protection_name
        rule = self._api.get(Rule, f"{self._path}/branch_protections/{quoted(name)}") if name else None
        return Protection(
            is_protected=True,
            approvals=found.required_approvals,
            contexts=tuple(sorted(found.status_check_contexts or ())) if found.enable_status_check else (),
            pushers=rule.pushers if rule else None,
            is_complete=rule is not None,
        )

    def _counts(self, review: answers.Review, login: str) -> bool:  # noqa: ARG002 - Gitea says it with the review
        return review.official
