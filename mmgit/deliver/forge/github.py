"""GitHub, and GitHub Enterprise Server. Rules of a branch are those of its protection and of all rulesets."""

from urllib.parse import urlsplit

from mmgit.deliver.forge import answers
from mmgit.deliver.forge import github_answers as told
from mmgit.deliver.forge.http import Api, Dialect, Refused
from mmgit.deliver.forge.interface import Protection, User
from mmgit.deliver.forge.rest import RestForge, quoted
from mmgit.deliver.forge.tokens import GITHUB, Token

DIALECT = Dialect(
    scheme="Bearer",
    page_size=("per_page", 100),
    headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    permissions="contents: read, pull-requests: write and statuses: write on the repository (classic: repo)",
)
_FORBIDDEN, _NOT_FOUND = 403, 404
_MAY_WRITE = frozenset({"admin", "maintain", "write"})
_ONLY_BYPASSED = frozenset({"pull_request", "update"})


class GitHub(RestForge):
    """A repository on GitHub, or on the Enterprise Server at `url`."""

    def __init__(self, url: str, repository: str, token: Token) -> None:
        is_public = urlsplit(url).netloc.lower() == urlsplit(GITHUB).netloc
        root, version = ("https://api.github.com", "") if is_public else (f"{url}/api", "/v3")
        super().__init__(Api(root, token, DIALECT), repository, version)

    def user(self) -> User:
        """Whose token this is; a workflow's or an app's token may ask GraphQL only."""
        try:
            return super().user()
        except Refused as refused:
            if refused.status != _FORBIDDEN:
                raise
        answer = self._api.send(told.ViewerAnswer, "POST", "/graphql", {"query": "{viewer {login databaseId}}"})
        return User(answer.data.viewer.id, answer.data.viewer.login)

    def protection(self, branch: str) -> Protection:
        """The rules of a branch; those of its protection are told to administrators only."""
        path = f"{self._path}/branches/{quoted(branch)}"
        found = self._api.get(told.Branch, path)
        rules = list(self._api.all(told.Rule, f"{self._path}/rules/branches/{quoted(branch)}"))
        classic, is_complete = self._classic(path) if found.protected else (None, True)
        approvals = [rule.parameters.approvals for rule in rules]
        contexts = {check.context for rule in rules for check in rule.parameters.checks}
        contexts |= set(found.protection.required_status_checks.contexts)
        if classic:
            approvals.append(classic.reviews.approvals if classic.reviews else 0)
            contexts |= set(classic.checks.contexts if classic.checks else ())
        # Who may bypass a ruleset is not told.
        has_rulesets = any(rule.type in _ONLY_BYPASSED for rule in rules)
        return Protection(
            is_protected=found.protected or bool(rules),
            approvals=max(approvals, default=0),
            contexts=tuple(sorted(contexts)),
            pushers=() if has_rulesets else (classic.pushers if classic else None),
            is_complete=is_complete and not has_rulesets,
        )

    def _classic(self, path: str) -> tuple[told.Classic | None, bool]:
        """The protection of a branch, None where there is none or it is not told; and whether it is told."""
        try:
            return self._api.get(told.Classic, f"{path}/protection"), True
        except Refused as refused:
            if refused.status not in {_FORBIDDEN, _NOT_FOUND}:
                raise
            return None, refused.said == "Branch not protected"

    def _counts(self, review: answers.Review, login: str) -> bool:  # noqa: ARG002 - GitHub says it elsewhere
        try:
            found = self._api.get(told.Permission, f"{self._path}/collaborators/{quoted(login)}/permission")
        except Refused as refused:
            if refused.status != _NOT_FOUND:
                raise
            return False
        return found.permission in _MAY_WRITE
