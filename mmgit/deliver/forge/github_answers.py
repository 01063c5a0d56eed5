"""What only GitHub answers, as far as mmgit reads it.

Source: GitHub REST API 2022-11-28, branches, rules and collaborators.
"""

from pydantic import Field

from mmgit.deliver.forge.answers import Account, Answer


class Viewer(Answer):
    """Who asks."""

    login: str
    id: int = Field(alias="databaseId")


class ViewerData(Answer):
    """Around it."""

    viewer: Viewer


class ViewerAnswer(Answer):
    """GraphQL's answer."""

    data: ViewerData


class Permission(Answer):
    """The base role of a user."""

    permission: str


class Slug(Answer):
    """A team or an app."""

    slug: str


class Actors(Answer):
    """Users, teams and apps."""

    users: tuple[Account, ...] = ()
    teams: tuple[Slug, ...] = ()
    apps: tuple[Slug, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """As in `Protection`."""
        teams = [f"team:{each.slug}" for each in self.teams]
        apps = [f"app:{each.slug}" for each in self.apps]
        return (*(user.login for user in self.users), *teams, *apps)


class Checks(Answer):
    """Contexts that must succeed."""

    contexts: tuple[str, ...] = ()


class ProtectionSummary(Answer):
    """What everybody may know of a protection."""

    required_status_checks: Checks = Checks()


class Branch(Answer):
    """A branch."""

    protected: bool
    protection: ProtectionSummary = ProtectionSummary()


class Check(Answer):
    """A context that must succeed."""

    context: str


class Parameters(Answer):
    """What a ruleset's rule asks for."""

    approvals: int = Field(0, alias="required_approving_review_count")
    checks: tuple[Check, ...] = Field((), alias="required_status_checks")


class Rule(Answer):
    """A rule of a ruleset."""

    type: str
    parameters: Parameters = Parameters()


class RequiredReviews(Answer):
    """Reviews before a merge, and who needs none."""

    approvals: int = Field(0, alias="required_approving_review_count")
    bypass: Actors = Field(Actors(), alias="bypass_pull_request_allowances")


class Switch(Answer):
    """On or off."""

    enabled: bool


class Classic(Answer):
    """The protection of a branch."""

    checks: Checks | None = Field(None, alias="required_status_checks")
    reviews: RequiredReviews | None = Field(None, alias="required_pull_request_reviews")
    restrictions: Actors | None = None
    enforce_admins: Switch = Switch(enabled=False)

    @property
    def pushers(self) -> tuple[str, ...] | None:
        """As in `Protection`. Where reviews are required, only those push who may bypass them."""
        allowed = self.reviews.bypass if self.reviews else self.restrictions
        if allowed is None:
            return None
        administrators = () if self.enforce_admins.enabled else ("administrators",)
        return tuple(sorted([*allowed.names, *administrators]))
