"""A real Gitea and two of its users."""

import html
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit import markdown
from mmgit.deliver.forge import Proposal, Protection, Status, connect
from mmgit.errors import ForgeError
from tests.deliver.forge.conftest import asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliver.forge.conftest import GiteaRepository

pytestmark = pytest.mark.forge
PROPOSAL = Proposal("promote/staging", "main", "Promote", "the plan")


@pytest.fixture
def proposed(gitea: "GiteaRepository") -> int:
    gitea.write(PROPOSAL.head, "pin.yaml", "pin: 2\n", start="main")
    return gitea.forge.propose(PROPOSAL).number


def protect(gitea: "GiteaRepository", **rule: object) -> None:
    gitea.ask("POST", "/branch_protections", {"rule_name": "main", "required_approvals": 1, **rule})


def test_a_pull_request_is_opened_once_and_then_updated(gitea: "GiteaRepository") -> None:
    commit = gitea.write(PROPOSAL.head, "pin.yaml", "pin: 2\n", start="main")
    opened = gitea.forge.propose(PROPOSAL)

    again = gitea.forge.propose(PROPOSAL)
    updated = gitea.forge.propose(Proposal(PROPOSAL.head, "main", "Promote again", "another plan"))

    assert (opened.commit, opened.is_open, opened.author.login) == (commit, True, gitea.owner)
    assert again == opened
    assert (updated.number, updated.proposal.title, updated.proposal.body) == (
        opened.number,
        "Promote again",
        "another plan",
    )
    assert gitea.forge.pull_request(opened.number) == updated


def test_another_one_is_opened_when_the_first_is_closed(gitea: "GiteaRepository", proposed: int) -> None:
    gitea.ask("PATCH", f"/pulls/{proposed}", {"state": "closed"})

    opened = gitea.forge.propose(PROPOSAL)

    assert opened.number != proposed
    assert not gitea.forge.pull_request(proposed).is_open


def test_open_pull_requests_are_listed_by_prefix(gitea: "GiteaRepository") -> None:
    for branch in ("promote/b", "promote/a", "other"):
        gitea.write(branch, "a.txt", branch, start="main")
        gitea.forge.propose(Proposal(branch, "main", branch, ""))

    found = gitea.forge.pull_requests("promote/")

    assert [each.proposal.head for each in found] == ["promote/b", "promote/a"]
    assert len(gitea.forge.pull_requests()) == 3


def test_the_comment_of_a_marker_is_updated_in_place(gitea: "GiteaRepository", proposed: int) -> None:
    first = gitea.forge.comment(proposed, "mmgit:plan", "one")
    second = gitea.forge.comment(proposed, "mmgit:plan", "two")
    gitea.forge.comment(proposed, "mmgit:gates", "three")

    comments = gitea.ask("GET", f"/issues/{proposed}/comments")
    assert first == second == comments[0]["html_url"]
    assert [each["body"] for each in comments] == ["<!-- mmgit:plan -->\ntwo", "<!-- mmgit:gates -->\nthree"]


def test_somebody_elses_comment_with_the_marker_is_left_alone(gitea: "GiteaRepository", proposed: int) -> None:
    theirs = gitea.reviewers_forge.comment(proposed, "mmgit:plan", "theirs")

    ours = gitea.forge.comment(proposed, "mmgit:plan", "ours")

    assert ours != theirs
    comments = gitea.ask("GET", f"/issues/{proposed}/comments")
    assert [each["body"].partition("\n")[2] for each in comments] == ["theirs", "ours"]


@pytest.mark.parametrize("write", [markdown.text, markdown.code], ids=["text", "code"])
def test_a_hostile_value_in_a_comment_links_to_nothing(
    gitea: "GiteaRepository", proposed: int, write: "Callable[[str], str]"
) -> None:
    hostile = (
        f"@{gitea.reviewer} #{proposed} !{proposed} {gitea.name}#{proposed} https://evil.test www.evil.test "
        "a@evil.test [a](https://evil.test) ![b](https://evil.test/x.png) <b>bold</b> `code` | cell :tada: $x$"
    )
    comment = f"{write(hostile)}\n\n{markdown.table(['a'], [[write(hostile)]])}\n"

    shown = rendered(gitea, comment)
    raw = rendered(gitea, hostile)

    assert f">@{gitea.reviewer}</a>" in raw
    assert raw.count("<a ") > 5
    assert set(re.findall(r"<([a-z]+)", shown)) <= {"p", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert html.unescape(shown).replace("\u200b", "").count(hostile) == 2


def rendered(gitea: "GiteaRepository", comment: str) -> str:
    """What Gitea makes of a comment."""
    data = {"Text": comment, "Mode": "comment", "Context": gitea.name}
    return str(asked(gitea.url, gitea.token, "POST", "/markdown", data))


def test_an_approval_counts_until_the_branch_moves(gitea: "GiteaRepository", proposed: int) -> None:
    before = gitea.forge.reviews(proposed)
    gitea.review(proposed, "APPROVED")
    approved = gitea.forge.reviews(proposed)
    commit = gitea.write(PROPOSAL.head, "more.yaml", "more: 1\n")
    after = gitea.forge.reviews(proposed)

    assert not before.is_approved(1)
    assert approved.approved_by == (gitea.reviewer,)
    assert approved.is_approved(1)
    assert not approved.is_approved(2)
    assert (after.commit, after.approved_by) == (commit, ())


def test_a_demand_for_changes_blocks_until_it_is_dismissed(gitea: "GiteaRepository", proposed: int) -> None:
    gitea.review(proposed, "APPROVED")
    number = gitea.review(proposed, "REQUEST_CHANGES")
    gitea.write(PROPOSAL.head, "more.yaml", "more: 1\n")
    blocked = gitea.forge.reviews(proposed)
    gitea.ask("POST", f"/pulls/{proposed}/reviews/{number}/dismissals", {"message": "talked about it"})

    dismissed = gitea.forge.reviews(proposed)

    assert (blocked.approved_by, blocked.blocked_by) == ((), (gitea.reviewer,))
    assert not blocked.is_approved(0)
    assert (dismissed.approved_by, dismissed.blocked_by) == ((), ())


def test_the_word_of_somebody_who_may_not_write_does_not_count(gitea: "GiteaRepository", proposed: int) -> None:
    gitea.ask("PUT", f"/collaborators/{gitea.reviewer}", {"permission": "read"})
    gitea.review(proposed, "APPROVED")

    found = gitea.forge.reviews(proposed)

    assert (found.approved_by, found.blocked_by) == ((), ())


def test_who_made_a_commit_of_a_pull_request_does_not_approve_it(gitea: "GiteaRepository", proposed: int) -> None:
    gitea.review(proposed, "APPROVED")
    before = gitea.forge.reviews(proposed)
    data = {"content": "eA==", "branch": PROPOSAL.head, "message": "Mine"}
    gitea.ask("POST", "/contents/mine.txt", data, as_reviewer=True)
    gitea.review(proposed, "APPROVED")

    after = gitea.forge.reviews(proposed)

    assert (before.approved_by, after.approved_by) == ((gitea.reviewer,), ())


def test_two_comments_that_are_written_at_once_become_one(gitea: "GiteaRepository", proposed: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: gitea.forge.comment(proposed, "mmgit:plan", str(number)), range(8)))

    assert len(gitea.ask("GET", f"/issues/{proposed}/comments")) == 1


def test_the_rules_of_a_branch_are_read(gitea: "GiteaRepository") -> None:
    before = gitea.forge.protection("main")
    protect(
        gitea,
        required_approvals=2,
        enable_status_check=True,
        status_check_contexts=["mmgit/check", "a"],
        enable_push=True,
        enable_push_whitelist=True,
        push_whitelist_usernames=[gitea.reviewer],
    )

    administrators = gitea.forge.protection("main")
    others = gitea.reviewers_forge.protection("main")

    contexts = ("a", "mmgit/check")
    assert before == Protection(is_protected=False)
    assert administrators == Protection(is_protected=True, approvals=2, contexts=contexts, pushers=(gitea.reviewer,))
    assert others == Protection(is_protected=True, approvals=2, contexts=contexts, is_complete=False)


def test_the_rules_of_a_branch_with_a_slash_are_read(gitea: "GiteaRepository") -> None:
    gitea.ask("POST", "/branches", {"new_branch_name": "release/1", "old_branch_name": "main"})
    gitea.ask("POST", "/branch_protections", {"rule_name": "release/*", "enable_push": False})

    assert gitea.forge.protection("release/1") == Protection(is_protected=True, pushers=())


def test_a_push_to_the_protected_branch_is_refused(gitea: "GiteaRepository", tmp_path: Path) -> None:
    protect(gitea, enable_push=False)
    clone = tmp_path / "clone"
    clone.mkdir()
    environment = {
        **os.environ,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{gitea.url}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: token {gitea.reviewer_token}",
        "GIT_TERMINAL_PROMPT": "0",
    }

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.test", *arguments]
        return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)

    git("clone", "--quiet", f"{gitea.url}/{gitea.name}.git", ".").check_returncode()
    git("commit", "--quiet", "--allow-empty", "--message=Sneak").check_returncode()

    to_main = git("push", "origin", "HEAD:main")
    to_another = git("push", "origin", "HEAD:another")

    assert gitea.forge.protection("main").pushers == ()
    assert to_main.returncode != 0
    assert "protected branch" in to_main.stderr
    assert to_another.returncode == 0


def test_statuses_are_set_and_read_with_who_and_when(gitea: "GiteaRepository") -> None:
    commit = gitea.write("some", "a.txt", "a", start="main")
    healthy = Status("mmgit/healthy", "success", "ran for 4 hours", "https://example.test/1")
    gitea.forge.set_status(commit, Status("mmgit/healthy", "pending"))
    gitea.forge.set_status(commit, healthy)
    gitea.reviewers_forge.set_status(commit, Status("mmgit/healthy", "failure", "d" * 1000))

    found = gitea.forge.statuses(commit)

    assert [(each.status.state, each.creator.login if each.creator else "") for each in found] == [
        ("failure", gitea.reviewer),
        ("success", gitea.owner),
        ("pending", gitea.owner),
    ]
    assert found[1].status == healthy
    assert all(each.at.tzinfo for each in found)


def test_a_long_record_of_statuses_is_read_to_its_end(gitea: "GiteaRepository") -> None:
    commit = gitea.ask("GET", "/branches/main")["commit"]["id"]
    for index in range(52):
        gitea.forge.set_status(commit, Status(f"check/{index}", "success"))

    found = gitea.forge.statuses(commit)

    assert sorted(each.status.context for each in found) == sorted(f"check/{index}" for index in range(52))


def test_the_files_of_a_pull_request_are_listed_under_both_names(gitea: "GiteaRepository", proposed: int) -> None:
    text = "the same\n" * 50
    gitea.write("main", "old.txt", text)
    gitea.ask("POST", "/branches", {"new_branch_name": "rename", "old_branch_name": "main"})
    sha = gitea.ask("GET", "/contents/old.txt?ref=rename")["sha"]
    content = gitea.ask("GET", "/contents/old.txt?ref=rename")["content"]
    moved = {"content": content, "sha": sha, "from_path": "old.txt", "branch": "rename", "message": "Move"}
    gitea.ask("PUT", "/contents/new.txt", moved)
    number = gitea.forge.propose(Proposal("rename", "main", "Rename", "")).number

    assert gitea.forge.files(number) == ("new.txt", "old.txt")
    assert gitea.forge.files(proposed) == ("pin.yaml",)


def test_what_is_not_there_is_refused_with_a_hint(gitea: "GiteaRepository") -> None:
    with pytest.raises(ForgeError, match=r"GET .*/pulls/99: 404") as caught:
        gitea.forge.pull_request(99)

    assert "MMGIT_FORGE_TOKEN" in caught.value.hint
    assert gitea.token not in str(caught.value) + caught.value.hint


def test_a_wrong_token_is_refused_with_its_variable(gitea: "GiteaRepository") -> None:
    wrong = connect(gitea.declared, {"FORGEJO_TOKEN": "0" * 40})

    with pytest.raises(ForgeError, match="401") as caught:
        wrong.user()

    assert caught.value.hint == "FORGEJO_TOKEN is not accepted (any more): set it to a new token"
