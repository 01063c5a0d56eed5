"""A promotion on a real forge: proposed with plan and gates, approved by somebody else, merged, and taken back."""

import html
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliver.forge.conftest import GiteaRepository

pytestmark = pytest.mark.forge
WAITING, FAILED = 15, 14
WRITERS = 20
PRODUCTION = "environments/production/services/digits.yaml"
PROMOTE = ("promote", "digits", "--from", "staging", "--to", "production", "--unverified")
ROLL_BACK = ("rollback", "digits", "--env", "production", "--unverified")


@dataclass
class Clone:
    """A clone of the repository on the forge, and one of its users."""

    folder: Path
    token: str

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def mmgit(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        hidden = ("MMGIT_FORGE_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"MMGIT_FORGE_TOKEN": self.token, "GIT_AUTHOR_NAME": "Ada", "GIT_COMMITTER_NAME": "Ada"}
        environment |= {"GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_EMAIL": "ada@example.com"}
        environment |= {"PYTHONPATH": str(Path(__file__).parents[3])}
        command = [sys.executable, "-m", "mmgit", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path, gitea: "GiteaRepository", copy_of_ours: "Callable[[Path], Path]") -> Clone:
    """This project on the forge, where staging runs digits/1; main is protected and needs an approval."""
    folder = copy_of_ours(tmp_path / "clone")
    clone = Clone(folder, gitea.token)
    project = folder / "mmgit.yaml"
    lines = [line for line in project.read_text().splitlines() if not line.startswith("forge:")]
    forge = f"forge: {{kind: gitea, repository: {gitea.name}, url: '{gitea.url}'}}"
    project.write_text("\n".join([*lines, forge]) + "\n")
    gates = folder / "environments/production/environment.yaml"
    gates.write_text(gates.read_text() + "promotion: {from: staging, approvals: 1}\n")
    assert (
        clone.mmgit(
            "service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified"
        ).returncode
        == 0
    )
    compiled = clone.mmgit("compile")
    assert compiled.returncode == 0, compiled.stderr
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message=Try digits/1 in staging")
    address = f"{gitea.url.replace('://', f'://x:{gitea.token}@')}/{gitea.name}.git"
    clone.git("push", "--quiet", "--force", address, "main")
    clone.git("remote", "add", "origin", f"{gitea.url}/{gitea.name}.git")
    clone.git("fetch", "--quiet", address, "+refs/heads/main:refs/remotes/origin/main")
    gitea.ask("POST", "/branch_protections", {"rule_name": "main", "required_approvals": 1, "enable_push": False})
    return clone


def proposed(clone: Clone) -> int:
    done = clone.mmgit(*PROMOTE, "--pull-request")
    assert done.returncode == 0, done.stderr
    return int(done.stdout.strip().rpartition("/")[2])


def test_a_promotion_is_proposed_with_its_plan_and_its_gates(clone: Clone, gitea: "GiteaRepository") -> None:
    before = (clone.git("rev-parse", "HEAD"), clone.git("status", "--porcelain"))

    number = proposed(clone)

    found = gitea.forge.pull_request(number)
    assert found.proposal.title == "Promote digits from staging to production, unverified"
    body = html.unescape(found.proposal.body)
    assert "digits/2 (model digits/2) → digits/1 (model digits/1)" in body
    assert "Gates: waiting" in body
    assert set(gitea.forge.files(number)) == {PRODUCTION, "environments/production/rendered/default/digits.yaml"}
    assert (clone.git("rev-parse", "HEAD"), clone.git("status", "--porcelain")) == before


def test_proposing_again_renews_the_same_pull_request(clone: Clone, gitea: "GiteaRepository") -> None:
    first = proposed(clone)
    commit = gitea.forge.pull_request(first).commit

    second = proposed(clone)

    assert second == first
    assert gitea.forge.pull_request(second).commit == commit
    assert len(gitea.forge.pull_requests("mmgit/")) == 1


def test_the_gate_waits_for_somebody_else_and_then_passes(clone: Clone, gitea: "GiteaRepository") -> None:
    number = proposed(clone)
    commit = gitea.forge.pull_request(number).commit
    clone.git("fetch", "--quiet", f"{gitea.url.replace('://', f'://x:{gitea.token}@')}/{gitea.name}.git", commit)
    judge = ("gate", f"origin/main..{commit}", "--pull-request", str(number), "--format", "json")

    waiting = clone.mmgit(*judge)
    gitea.review(number, "APPROVED")
    passed = clone.mmgit(*judge)

    approvals = [verdict for verdict in json.loads(passed.stdout) if verdict["gate"] == "approvals"]
    assert waiting.returncode == WAITING
    assert passed.returncode == 0, passed.stdout
    assert gitea.reviewer in approvals[0]["text"]


def test_a_demand_for_changes_fails_the_gate(clone: Clone, gitea: "GiteaRepository") -> None:
    number = proposed(clone)
    commit = gitea.forge.pull_request(number).commit
    gitea.review(number, "REQUEST_CHANGES")

    assert clone.mmgit("gate", f"origin/main..{commit}", "--pull-request", str(number)).returncode == FAILED


def test_the_plan_is_one_comment_that_is_renewed(clone: Clone, gitea: "GiteaRepository") -> None:
    number = proposed(clone)
    commit = gitea.forge.pull_request(number).commit

    for _ in range(2):
        assert clone.mmgit("plan", f"origin/main..{commit}", "--comment", str(number)).returncode == 0

    comments = gitea.ask("GET", f"/issues/{number}/comments")
    assert len(comments) == 1
    assert "digits/1" in html.unescape(comments[0]["body"])


def test_the_protected_branch_takes_no_push_and_says_what_to_do(clone: Clone) -> None:
    refused = clone.mmgit(*PROMOTE, "--push")

    assert refused.returncode == 7
    assert "--pull-request" in refused.stderr
    assert clone.token not in refused.stderr + refused.stdout


def test_a_rollback_is_not_undone_by_the_next_promotion(clone: Clone, gitea: "GiteaRepository") -> None:
    number = proposed(clone)
    gitea.review(number, "APPROVED")
    gitea.merge(number)

    rolled_back = clone.mmgit(*ROLL_BACK, "--reason", "worse", "--pull-request")
    second = int(rolled_back.stdout.strip().rpartition("/")[2])
    gitea.review(second, "APPROVED")
    gitea.merge(second)
    again = clone.mmgit("promote", "--from", "staging", "--to", "production", "--unverified", "--pull-request")

    assert again.returncode == 0, again.stderr
    assert "production holds its pin" in again.stdout
    assert "nothing to promote" in again.stdout


def test_writers_at_once_lose_nothing(clone: Clone, gitea: "GiteaRepository", tmp_path: Path) -> None:
    gitea.ask("DELETE", "/branch_protections/main")
    address = f"{gitea.url.replace('://', f'://x:{gitea.token}@')}/{gitea.name}.git"
    names = [f"digits-{number}" for number in range(WRITERS)]
    for environment in ("staging", "production"):
        text = (clone.folder / f"environments/{environment}/services/digits.yaml").read_text()
        for name in names:
            (clone.folder / f"environments/{environment}/services/{name}.yaml").write_text(text)
    assert clone.mmgit("compile").returncode == 0
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message=Many services")
    clone.git("push", "--quiet", address, "HEAD:main")
    clones = [Clone(tmp_path / name, clone.token) for name in names]
    for each in clones:
        subprocess.run(["git", "clone", "--quiet", address, str(each.folder)], check=True)
        each.git("remote", "set-url", "origin", f"{gitea.url}/{gitea.name}.git")

    def promote(each: Clone) -> "subprocess.CompletedProcess[str]":
        return each.mmgit(
            "promote", each.folder.name, "--from", "staging", "--to", "production", "--unverified", "--push"
        )

    with ThreadPoolExecutor(len(clones)) as pool:
        done = list(pool.map(promote, clones))

    assert [each.returncode for each in done] == [0] * len(clones), [each.stderr for each in done]
    clone.git("fetch", "--quiet", address, "+refs/heads/main:refs/remotes/origin/main")
    subjects = clone.git("log", "--format=%s", "origin/main").splitlines()
    assert sorted(subjects[: len(names)]) == sorted(
        f"Promote {name} from staging to production, unverified" for name in names
    )
    assert clone.git("log", "--merges", "--format=%H", "origin/main") == ""
    clone.git("merge", "--quiet", "--ff-only", "origin/main")
    assert clone.mmgit("compile", "--check").returncode == 0
