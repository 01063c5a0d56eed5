"""The same steps as scripts, run by a CI that knows nothing of mmgit, on the real webhooks of a real forge."""

import html
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from mmgit.edits.automate import Ci
from tests.automation.team import LOCK, SERVICE, Team
from tests.automation.webhook_runner import EVENTS, Runner, listening
from tests.deliver.forge.conftest import GiteaRepository

pytestmark = [pytest.mark.forge, pytest.mark.registry, pytest.mark.docker, pytest.mark.network]

SECRET = "only-the-forge-knows"
NEEDED = ("mmgit/check", "mmgit/gate", "mmgit/try")
WAIT_SECONDS = 80


@pytest.fixture
def ci() -> Ci:
    return "scripts"


@pytest.fixture
def runner(team: Team, tools: Path, tmp_path: Path) -> Iterator[Runner]:
    """It is told of what happens in the repository, whose default branch takes what it finds good."""
    folder = tmp_path / "runner"
    folder.mkdir()
    runner = Runner(team.forge, folder, tools / "tool_cache/python/bin/python", SECRET.encode())
    with listening(runner) as address:
        config = {"url": address, "content_type": "json", "secret": SECRET}
        team.forge.ask("POST", "/hooks", {"type": "gitea", "config": config, "events": EVENTS, "active": True})
        checks = {"enable_status_check": True, "status_check_contexts": NEEDED}
        team.forge.ask("PATCH", "/branch_protections/main", checks)
        yield runner


def wait_until(runner: Runner, is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "\n".join(runner.said)
        time.sleep(0.3)


def subject(team: Team) -> str:
    """The newest commit of the default branch."""
    team.pull()
    return team.git("log", "-1", "--format=%s", "origin/main")


def states(team: Team, commit: str) -> dict[str, str]:
    """Context -> the last state of a commit."""
    found = reversed(team.forge.forge.statuses(commit))
    return {each.status.context: each.status.state for each in found}


def test_a_version_goes_from_a_pull_request_to_its_lock_by_webhooks_and_scripts(team: Team, runner: Runner) -> None:
    number = team.propose_a_version()
    head = team.git("rev-parse", "HEAD")
    good = dict.fromkeys((*NEEDED, "mmgit/comment"), "success")

    wait_until(runner, lambda: states(team, head) == good)
    reviewed = team.comments(number)
    with pytest.raises(urllib.error.HTTPError, match="405"):
        team.forge.ask("POST", f"/pulls/{number}/merge", {"Do": "merge"}, as_reviewer=True)
    team.approve(number)
    team.merge(number)
    merged = team.git("rev-parse", "origin/main")
    wait_until(runner, lambda: states(team, merged) == {"mmgit/build": "success", "mmgit/lock": "success"})
    team.pull()

    (comment,) = reviewed
    assert "services: 2 to add" in html.unescape(comment)
    assert team.git("log", "-1", "--format=%s %an", "origin/main") == f"Lock {SERVICE}/1 ci"
    assert team.git("rev-parse", "origin/main^") == merged
    service = yaml.safe_load(team.shown(f"environments/staging/services/{SERVICE}.yaml"))
    assert (service["manifest"], "next" in service) == (f"{SERVICE}/1", False)
    registry = f"http://{os.environ['MMGIT_TEST_REGISTRY']}/v2/{team.registry.partition('/')[2]}/{SERVICE}"
    accepted = {"Accept": "application/vnd.oci.image.index.v1+json"}
    asked = urllib.request.Request(f"{registry}/manifests/{service['image']}", headers=accepted)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 200
    # the commit of the lock is a push too, after which nothing is left to build
    locked = team.git("rev-parse", "origin/main")
    wait_until(runner, lambda: states(team, locked) == {"mmgit/build": "success", "mmgit/lock": "success"})
    assert team.git("ls-remote", "origin", "refs/heads/main").split()[0] == locked


def test_a_person_asks_for_a_promotion_which_is_merged_when_its_gates_have_passed(team: Team, runner: Runner) -> None:
    number = team.propose_a_version()
    head = team.git("rev-parse", "HEAD")
    wait_until(runner, lambda: "pending" not in states(team, head).values() and len(states(team, head)) == 4)
    team.approve(number)
    team.merge(number)
    wait_until(runner, lambda: subject(team) == f"Lock {SERVICE}/1")
    locked = team.git("rev-parse", "origin/main")

    runner.events.put({"promotion": {"FROM": "staging", "TO": "production"}, "after": locked})
    wait_until(runner, lambda: states(team, locked).get("mmgit/promote") == "success")
    (proposed,) = team.forge.reviewers_forge.pull_requests("mmgit/")
    team.pull()
    promoted = team.git("rev-parse", f"origin/{proposed.proposal.head}")
    wait_until(runner, lambda: states(team, promoted).get("mmgit/gate") == "failure")
    team.approve(proposed.number, as_reviewer=True)
    wait_until(runner, lambda: states(team, promoted).get("mmgit/gate") == "success")
    team.merge(proposed.number)

    assert "1 row asked" in html.unescape(proposed.proposal.body)
    assert states(team, promoted) == dict.fromkeys((*NEEDED, "mmgit/comment"), "success")
    services = [f"environments/{name}/services/{SERVICE}.yaml" for name in ("staging", "production")]
    staging, production = (yaml.safe_load(team.shown(path)) for path in services)
    assert (production["manifest"], production["image"]) == (staging["manifest"], staging["image"])
    assert staging["image"] in team.shown(f"environments/production/rendered/default/{SERVICE}.yaml")


def test_every_night_drift_is_looked_for_and_newer_packages_are_proposed_in_one_pull_request(
    team: Team, runner: Runner
) -> None:
    newest = team.outdate_packages()
    commit = team.git("rev-parse", "origin/main")

    for _ in range(2):
        runner.events.put({"night": True, "after": commit})
    wait_until(runner, lambda: len([said for said in runner.said if said.startswith("mmgit/bases")]) == 2)

    assert {states(team, commit)[f"mmgit/{name}"] for name in ("drift", "bases")} == {"success"}
    (proposed,) = team.forge.forge.pull_requests()
    assert proposed.proposal.title == "Update all bases"
    assert team.forge.forge.files(proposed.number) == (LOCK,)
    team.pull()
    assert team.shown(LOCK, proposed.proposal.head) == newest


def test_a_webhook_that_the_forge_did_not_sign_runs_nothing(gitea: GiteaRepository, tmp_path: Path) -> None:
    runner = Runner(gitea, tmp_path, tmp_path, SECRET.encode())

    with listening(runner) as address:
        for signature in ("", "0" * 64):
            request = urllib.request.Request(address, b'{"ref": "refs/heads/main"}', {"X-Gitea-Signature": signature})
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(request, timeout=10)

    assert runner.said == []
