"""A server on loopback that answers as GitHub's REST documents say, in pages of two."""

from typing import Any

import pytest

from mmgit.deliver.forge import Forge, Proposal, Protection, Status, User, rest
from mmgit.errors import ForgeError
from tests.deliver.forge.conftest import ADA, BOB, NOT_FOUND, Answer, GitHubState, Server, account, pull, review

HEAD = f"{1:040x}"
EVE, CAROL, GHOST = account("eve", 3), account("carol", 4), None
OURS = "<!-- mmgit:plan -->\n"


def test_a_new_pull_request_is_opened(github: Forge, state: GitHubState) -> None:
    opened = github.propose(Proposal("promote/a", "main", "Promote", "the plan"))

    assert (opened.number, opened.commit, opened.author) == (1, HEAD, User(1, "ada"))
    assert opened.proposal == Proposal("promote/a", "main", "Promote", "the plan")
    sides = {"head": "promote/a", "base": "main"}
    assert state.sent == [("POST", "/pulls", {**sides, "title": "Promote", "body": "the plan"})]


def test_the_open_one_from_the_same_branch_is_updated(github: Forge, state: GitHubState) -> None:
    closed = pull(1, "promote/a", state="closed")
    to_another = pull(2, "promote/a")
    to_another["base"]["ref"] = "release"
    from_a_fork = pull(3, "promote/a", repository="eve/iris")
    from_nowhere = pull(4, "promote/a")
    from_nowhere["head"]["repo"] = None
    state.pulls = [closed, to_another, from_a_fork, from_nowhere, pull(5, "promote/a", user=BOB)]

    updated = github.propose(Proposal("promote/a", "main", "New", "new"))

    assert (updated.number, updated.author.login) == (5, "bob")
    assert state.sent == [("PATCH", "/pulls/5", {"title": "New", "body": "new"})]


def test_nothing_is_sent_when_title_and_body_are_right(github: Forge, state: GitHubState) -> None:
    state.pulls = [pull(1, "a", title="Same", body="one\r\ntwo")]

    github.propose(Proposal("a", "main", "Same", "one\ntwo"))

    assert state.sent == []


def test_a_pull_request_that_somebody_opens_meanwhile_is_found(
    github: Forge, state: GitHubState, server: Server
) -> None:
    def race(method: str, path: str, query: dict[str, str], data: Any) -> Any:
        if method == "POST":
            state.pulls.append(pull(7, "a"))
        return state.answer(method, path, query, data)

    server.answer = race

    assert github.propose(Proposal("a", "main", "Mine", "mine")).number == 7
    assert [(method, path) for method, path, _ in state.sent] == [("POST", "/pulls"), ("PATCH", "/pulls/7")]


def test_titles_are_one_line_and_texts_fit(github: Forge, state: GitHubState) -> None:
    github.propose(Proposal("a", "main", "a\nb" + "c" * 1000, "line\n" * 20_000))

    _, _, sent = state.sent[0]
    assert sent["title"].startswith("a\\nbc")
    assert len(sent["title"]) == 255
    assert len(sent["body"]) <= 65_536
    assert "Cut here" in sent["body"]


def test_open_pull_requests_are_listed_by_prefix_on_every_page(github: Forge, state: GitHubState) -> None:
    state.pulls = [pull(number, f"promote/{number}") for number in (9, 1, 5, 3, 7)] + [pull(4, "other")]

    assert [each.number for each in github.pull_requests("promote/")] == [1, 3, 5, 7, 9]
    assert len(github.pull_requests()) == 6


def test_our_comment_is_updated_in_place_and_nobody_elses(github: Forge, state: GitHubState) -> None:
    fields = {"html_url": "https://c", "created_at": "2026-01-01T00:00:00Z"}
    bodies = [
        (BOB, OURS + "theirs"),
        (GHOST, OURS + "nobody's"),
        (ADA, "we quote " + OURS),
        (ADA, "<!-- mmgit:gates -->\n"),
        (ADA, OURS.replace("\n", "\r\n") + "old"),
    ]
    state.comments = [{"id": 10 + i, "user": user, "body": body, **fields} for i, (user, body) in enumerate(bodies)]

    github.comment(1, "mmgit:plan", "new")
    github.comment(1, "mmgit:plan", "new")

    assert state.sent == [("PATCH", "/issues/comments/14", {"body": OURS + "new"})]


def test_a_comment_is_written_where_there_is_none(github: Forge, state: GitHubState) -> None:
    address = github.comment(1, "mmgit:plan", "new")

    assert address == "https://c/1"
    assert state.sent == [("POST", "/issues/1/comments", {"body": OURS + "new"})]


def racing(state: GitHubState, theirs: int) -> Any:
    """Answers, while another run of ours writes comment `theirs` at the same moment as this one."""

    def answer(method: str, path: str, query: dict[str, str], data: Any) -> Any:
        answered = state.answer(method, path, query, data)
        if method == "POST":
            state.comments[0]["id"] = 5
            state.comments.append({"id": theirs, "html_url": "https://c/theirs", "user": ADA, "body": f"{OURS}theirs"})
        return answered

    return answer


@pytest.mark.parametrize(("theirs", "kept"), [(6, 5), (4, 4)])
def test_of_two_comments_that_were_written_at_once_the_older_stays(
    github: Forge, state: GitHubState, server: Server, theirs: int, kept: int
) -> None:
    server.answer = racing(state, theirs)

    github.comment(1, "mmgit:plan", "new")

    assert [(each["id"], each["body"]) for each in state.comments] == [(kept, f"{OURS}new")]


def test_a_comment_that_the_other_run_removed_already_is_no_error(
    github: Forge, state: GitHubState, server: Server
) -> None:
    race = racing(state, 6)

    def answer(method: str, path: str, query: dict[str, str], data: Any) -> Any:
        if method == "DELETE":
            state.comments[:] = state.comments[:1]
        return race(method, path, query, data)

    server.answer = answer

    github.comment(1, "mmgit:plan", "new")

    assert len(state.comments) == 1


def test_a_comment_that_the_other_run_removed_before_it_was_renewed_is_written_again(
    github: Forge, state: GitHubState, server: Server
) -> None:
    github.comment(1, "mmgit:plan", "old")

    def answer(method: str, path: str, query: dict[str, str], data: Any) -> Any:
        if method == "PATCH":
            state.comments.clear()
            return NOT_FOUND
        return state.answer(method, path, query, data)

    server.answer = answer

    github.comment(1, "mmgit:plan", "new")

    assert [each["body"] for each in state.comments] == [f"{OURS}new"]


def test_a_comment_that_is_always_removed_is_not_written_forever(
    github: Forge, state: GitHubState, server: Server
) -> None:
    def answer(method: str, path: str, query: dict[str, str], data: Any) -> Any:
        answered = state.answer(method, path, query, data)
        state.comments.clear()
        return answered

    server.answer = answer

    with pytest.raises(ForgeError, match="our comment on pull request 1 is always removed"):
        github.comment(1, "mmgit:plan", "new")


def test_a_comment_fits_with_its_marker(github: Forge, state: GitHubState) -> None:
    github.comment(1, "mmgit:plan", "12345\n" * 20_000)

    size = len(state.comments[0]["body"])
    assert 65_500 < size <= 65_536


@pytest.mark.parametrize("marker", ["a --> <b>@team</b>", "a--b", "a---b--", "a\n\nb"])
def test_a_marker_never_ends_its_comment(github: Forge, state: GitHubState, marker: str) -> None:
    github.comment(1, marker, "body")
    github.comment(1, marker, "again")

    first, _, rest = state.comments[0]["body"].partition("\n")
    inside = first.removeprefix("<!-- ").removesuffix(" -->")
    assert (len(state.comments), rest) == (1, "again")
    assert first == f"<!-- {inside} -->"
    assert not any(part in inside for part in ("--", "<", ">", "@"))


def test_a_workflows_token_is_asked_for_by_graphql(github: Forge, state: GitHubState) -> None:
    state.things = {
        "/user": (403, {"message": "Resource not accessible by integration"}, {}),
        "/api/graphql": (200, {"data": {"viewer": {"login": "github-actions[bot]", "databaseId": 41898282}}}, {}),
    }

    assert github.user() == User(41898282, "github-actions[bot]")


def test_the_last_word_of_those_who_may_write_counts(github: Forge, state: GitHubState) -> None:
    state.pulls = [pull(1, "a")]
    state.lists["/pulls/1/reviews"] = [
        review(BOB, "CHANGES_REQUESTED", "0" * 40, "2026-01-01T10:00:00Z"),
        review(BOB, "APPROVED", HEAD, "2026-01-01T11:00:00Z"),
        review(BOB, "COMMENTED", HEAD, "2026-01-01T12:00:00Z"),
        review(ADA, "APPROVED", HEAD),
        review(EVE, "APPROVED", HEAD),
        review(GHOST, "APPROVED", HEAD),
        {**review(CAROL, "PENDING", HEAD), "submitted_at": None},
    ]
    state.things = {
        "/collaborators/bob/permission": (200, {"permission": "write", "role_name": "write"}, {}),
        "/collaborators/ada/permission": (200, {"permission": "admin", "role_name": "admin"}, {}),
        "/collaborators/eve/permission": (200, {"permission": "read", "role_name": "triage"}, {}),
    }

    found = github.reviews(1)

    assert (found.commit, found.approved_by, found.blocked_by) == (HEAD, ("bob",), ())


@pytest.mark.parametrize(
    ("last", "approved", "blocked"),
    [
        (review(BOB, "APPROVED", "0" * 40, "2026-02-01T00:00:00Z"), (), ()),
        (review(BOB, "DISMISSED", HEAD, "2026-02-01T00:00:00Z"), (), ()),
        (review(BOB, "CHANGES_REQUESTED", "0" * 40, "2026-02-01T00:00:00Z"), (), ("bob",)),
        (review(BOB, "SOMETHING_NEW", HEAD, "2026-02-01T00:00:00Z"), ("bob",), ()),
    ],
    ids=["of an older commit", "dismissed", "changes requested", "unknown"],
)
def test_what_comes_after_an_approval_decides(
    github: Forge, state: GitHubState, last: Any, approved: tuple[str, ...], blocked: tuple[str, ...]
) -> None:
    state.pulls = [pull(1, "a")]
    state.lists["/pulls/1/reviews"] = [last, review(BOB, "APPROVED", HEAD, "2026-01-01T00:00:00Z")]
    state.things["/collaborators/bob/permission"] = (200, {"permission": "admin"}, {})

    found = github.reviews(1)

    assert (found.approved_by, found.blocked_by) == (approved, blocked)


@pytest.mark.parametrize("role", ["author", "committer"])
def test_whoever_made_a_commit_of_it_does_not_approve_it(github: Forge, state: GitHubState, role: str) -> None:
    nobody: dict[str, Any] = {"sha": HEAD, "author": None, "committer": {}}
    state.pulls = [pull(1, "a", user=account("mmgit[bot]", 9))]
    state.commits = [nobody, nobody, {**nobody, role: BOB}]
    state.lists["/pulls/1/reviews"] = [review(BOB, "APPROVED", HEAD), review(CAROL, "APPROVED", HEAD)]
    for login in ("bob", "carol"):
        state.things[f"/collaborators/{login}/permission"] = (200, {"permission": "admin"}, {})

    found = github.reviews(1)

    assert found.approved_by == ("carol",)


def test_a_pull_request_whose_commits_are_not_all_listed_is_refused(
    github: Forge, state: GitHubState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_COMMITS_LIMIT", 3)
    state.pulls = [pull(1, "a")]
    state.commits = [{"sha": HEAD, "author": None, "committer": None}] * 3
    state.lists["/pulls/1/reviews"] = []

    with pytest.raises(ForgeError, match="not all commits of pull request 1 are listed"):
        github.reviews(1)


def test_an_outsider_can_neither_approve_nor_block(github: Forge, state: GitHubState) -> None:
    state.pulls = [pull(1, "a")]
    state.lists["/pulls/1/reviews"] = [review(EVE, "CHANGES_REQUESTED", HEAD), review(BOB, "APPROVED", HEAD)]

    found = github.reviews(1)

    assert (found.approved_by, found.blocked_by) == ((), ())


CLASSIC = {
    "required_status_checks": {"strict": True, "contexts": ["check"], "checks": [{"context": "check", "app_id": 1}]},
    "enforce_admins": {"url": "https://api.github.com/x", "enabled": True},
    "required_pull_request_reviews": {
        "dismiss_stale_reviews": True,
        "required_approving_review_count": 2,
        "bypass_pull_request_allowances": {
            "users": [BOB],
            "teams": [{"slug": "release"}],
            "apps": [{"slug": "mmgit-bot"}],
        },
    },
    "restrictions": {"users": [], "teams": [], "apps": []},
}
RULES = [
    {"type": "deletion", "ruleset_id": 1},
    {"type": "pull_request", "parameters": {"required_approving_review_count": 1}, "ruleset_id": 1},
    {
        "type": "required_status_checks",
        "parameters": {"required_status_checks": [{"context": "scan", "integration_id": 1}]},
        "ruleset_id": 1,
    },
]
HIDDEN: Answer = (403, {"message": "Resource not accessible by integration"}, {})
SUMMARY = {"enabled": True, "required_status_checks": {"enforcement_level": "everyone", "contexts": ["check"]}}


@pytest.mark.parametrize(
    ("classic", "rules", "expected"),
    [
        (None, [], Protection(is_protected=False)),
        (
            None,
            RULES,
            Protection(is_protected=True, approvals=1, contexts=("scan",), pushers=(), is_complete=False),
        ),
        (
            (200, CLASSIC, {}),
            [],
            Protection(
                is_protected=True, approvals=2, contexts=("check",), pushers=("app:mmgit-bot", "bob", "team:release")
            ),
        ),
        (HIDDEN, [], Protection(is_protected=True, contexts=("check",), is_complete=False)),
        (NOT_FOUND, [], Protection(is_protected=True, contexts=("check",), is_complete=False)),
        (
            HIDDEN,
            RULES,
            Protection(is_protected=True, approvals=1, contexts=("check", "scan"), pushers=(), is_complete=False),
        ),
        (
            (404, {"message": "Branch not protected"}, {}),
            [{"type": "deletion"}, {"type": "required_linear_history"}, {"type": "non_fast_forward"}],
            Protection(is_protected=True, contexts=("check",)),
        ),
        (
            (
                200,
                {"enforce_admins": {"enabled": False}, "restrictions": {"users": [BOB], "teams": [], "apps": []}},
                {},
            ),
            [],
            Protection(is_protected=True, contexts=("check",), pushers=("administrators", "bob")),
        ),
    ],
    ids=[
        "none",
        "rulesets",
        "classic",
        "hidden",
        "hidden too",
        "hidden with rulesets",
        "harmless rulesets",
        "restricted",
    ],
)
def test_the_rules_of_a_branch_are_put_together(
    github: Forge, state: GitHubState, classic: Any, rules: list[Any], expected: Protection
) -> None:
    is_protected = classic is not None
    branch = {"name": "main", "protected": is_protected, **({"protection": SUMMARY} if is_protected else {})}
    state.things = {"/branches/main": (200, branch, {}), "/branches/main/protection": classic}
    state.lists["/rules/branches/main"] = rules

    assert github.protection("main") == expected


def test_a_status_is_set_and_its_description_fits(github: Forge, state: GitHubState) -> None:
    github.set_status(HEAD, Status("mmgit/gate", "pending", "wait\n" + "x" * 500))

    description = "wait\\n" + "x" * 134
    assert state.sent == [
        ("POST", f"/statuses/{HEAD}", {"context": "mmgit/gate", "state": "pending", "description": description})
    ]


def test_statuses_of_all_creators_are_read_newest_first(github: Forge, state: GitHubState) -> None:
    said = {"context": "mmgit/gate", "description": None, "target_url": None}
    state.lists[f"/commits/{HEAD}/statuses"] = [
        {**said, "id": 1, "state": "success", "creator": BOB, "created_at": "2026-01-01T00:00:00Z"},
        {**said, "id": 3, "state": "failure", "creator": GHOST, "created_at": "2026-01-03T00:00:00Z"},
        {**said, "id": 2, "state": "skipped", "creator": ADA, "created_at": "2026-01-01T00:00:00Z"},
    ]

    found = github.statuses(HEAD)

    assert [(each.status.state, each.creator and each.creator.login, each.at.day) for each in found] == [
        ("failure", None, 3),
        ("error", "ada", 1),
        ("success", "bob", 1),
    ]


def test_files_are_listed_under_both_names_once(github: Forge, state: GitHubState) -> None:
    renamed = {"filename": "b", "status": "renamed", "previous_filename": "environments/a"}
    state.lists["/pulls/1/files"] = [renamed, {"filename": "c", "status": "added"}, {"filename": "b2"}]

    assert github.files(1) == ("b", "b2", "c", "environments/a")


def test_a_list_of_files_that_may_be_cut_is_refused(github: Forge, server: Server) -> None:
    files = [{"filename": f"{index}"} for index in range(3000)]
    server.answer = lambda *_: (200, files, {})

    with pytest.raises(ForgeError, match="not all files of pull request 1 are listed"):
        github.files(1)
