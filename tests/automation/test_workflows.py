"""The workflows of a new repository run, as GitHub Actions would run them, and do what they are for."""

import html
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from mmgit.edits.automate import Ci
from tests.automation.act import Act
from tests.automation.team import LOCK, SERVICE, Team

pytestmark = [
    pytest.mark.forge,
    pytest.mark.registry,
    pytest.mark.docker,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("act") is None, reason="put act into PATH"),
]

PROMOTION = {"from": "staging", "to": "production", "services": ""}


@pytest.fixture
def ci() -> Ci:
    return "github"


@pytest.fixture
def act(team: Team, tools: Path, tmp_path: Path) -> Act:
    forge = team.forge
    secrets = {"GITHUB_TOKEN": forge.token, "MMGIT_FORGE_TOKEN": forge.token}
    secrets |= {"MMGIT_REGISTRY_TOKEN": "may-push", "MMGIT_REGISTRY_READ_TOKEN": "may-read"}
    variables = {"MMGIT_REGISTRY": os.environ["MMGIT_TEST_REGISTRY"], "MMGIT_REGISTRY_USER": "ci"}
    return Act(tmp_path / "runner", tools, urlsplit(forge.url).netloc, secrets, variables)


def test_a_pull_request_is_checked_tried_judged_and_explained(team: Team, act: Act) -> None:
    number = team.propose_a_version()
    base, head = team.git("rev-parse", "origin/main"), team.git("rev-parse", "HEAD")

    ran = act.run(team.clone, "check", "pull_request", team.payload(number))
    queued = {**team.payload(), "merge_group": {"base_sha": base, "head_sha": head}}
    in_queue = act.run(team.clone, "check", "merge_group", queued, "--job", "check")

    assert ran.jobs == dict.fromkeys(("check", "gate", "try", "comment"), "success"), ran.text
    assert "services: 2 to add" in html.unescape(ran.summary)
    assert "no pin moves through a gate" in ran.summary
    assert in_queue.jobs == {"check": "success"}, in_queue.text
    assert "services: 2 to add" in html.unescape(in_queue.summary)
    (comment,) = team.comments(number)
    assert f"none → {SERVICE}/1" in html.unescape(comment)
    assert "1 row asked" in ran.summary
    assert "1 row asked" in comment


def test_what_is_merged_is_built_locked_and_pinned_and_promoted_when_somebody_approves(team: Team, act: Act) -> None:
    number = team.propose_a_version()
    team.approve(number)
    team.merge(number)

    released = act.run(team.clone, "release", "push", team.payload())
    team.pull()
    promoted = act.run(team.clone, "promote", "workflow_dispatch", {**team.payload(), "inputs": PROMOTION})
    (proposed,) = team.forge.reviewers_forge.pull_requests("mmgit/")
    before = act.run(team.clone, "check", "pull_request", team.payload(proposed.number), "--job", "gate")
    team.approve(proposed.number, as_reviewer=True)
    after = act.run(team.clone, "check", "pull_request", team.payload(proposed.number), "--job", "gate")

    assert released.jobs == dict.fromkeys(("waiting", "build", "lock"), "success"), released.text
    assert "Login Succeeded" in released.text
    assert team.git("log", "-1", "--format=%s %an", "origin/main") == f"Lock {SERVICE}/1 mmgit"
    service = yaml.safe_load(team.shown(f"environments/staging/services/{SERVICE}.yaml"))
    assert (service["manifest"], "next" in service) == (f"{SERVICE}/1", False)
    assert service["image"] in team.shown(f"environments/staging/rendered/default/{SERVICE}.yaml")
    assert promoted.jobs == dict.fromkeys(("try", "images", "promote"), "success"), promoted.text
    assert "Gates: waiting" in html.unescape(proposed.proposal.body)
    assert (before.jobs["gate"], after.jobs["gate"]) == ("failure", "success"), before.text + after.text
    assert "a gate waits" in before.text


def test_every_night_drift_is_looked_for_and_newer_packages_are_proposed_in_one_pull_request(
    team: Team, act: Act
) -> None:
    newest = team.outdate_packages()

    runs = [act.run(team.clone, "drift", "schedule", team.payload()) for _ in range(2)]

    assert [run.jobs for run in runs] == [{"drift": "success", "bases": "success"}] * 2, runs[0].text
    (proposed,) = team.forge.forge.pull_requests()
    assert proposed.proposal.title == "Update all bases"
    assert team.forge.forge.files(proposed.number) == (LOCK,)
    team.pull()
    assert team.shown(LOCK, proposed.proposal.head) == newest
    assert team.git("rev-list", "--count", f"origin/main..origin/{proposed.proposal.head}") == "1"
