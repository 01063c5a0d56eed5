"""A model version goes from a pull request to production and back, on a real forge, by real controllers, under load.

The forge has two accounts. Ada may write and is no administrator: she proposes and merges. The other one approves, and
is the account whose lock commits the protected branch takes; the rule of the branch binds it like everybody.
"""

import base64
import json
import os
import time
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import (
    SECOND,
    SERVICE,
    Client,
    Copy,
    apply,
    kubectl,
    wait_until,
    wait_until_rolled_out,
)
from tests.deliver.forge.conftest import CANNOT_YET, LOST_A_RACE, GiteaRepository, gitea  # noqa: F401 - a fixture

pytestmark = [pytest.mark.cluster, pytest.mark.forge, pytest.mark.network, pytest.mark.timeout(900)]

THIRD = f"{SERVICE}/3"
ENVIRONMENTS = ("staging", "production")
PLATFORM = "linux/amd64"


class Team:
    """The repository on the forge, Ada's clone and that of the account that builds, and two namespaces."""

    def __init__(self, forge: GiteaRepository, begun: Copy, folder: Path) -> None:
        self.forge = forge
        self.name = forge.name.partition("/")[2]
        self.url = f"{forge.url}/{forge.name}.git"
        self.folder = folder
        self.builder = Copy(begun.root, self.access(forge.token))
        self.builder.git("remote", "add", "origin", self.url)
        self.ada = Copy(folder / "ada", self.access(forge.reviewer_token))
        self.keys = {environment: folder / f"{environment}.key" for environment in ENVIRONMENTS}

    def access(self, token: str) -> dict[str, str]:
        """What lets git and mmgit in: the first by a header for this one repository."""
        credentials = base64.b64encode(f"x:{token}".encode()).decode()
        return {
            "MMGIT_FORGE_TOKEN": token,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{self.url}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {credentials}",
        }

    def namespace(self, environment: str) -> str:
        return f"{self.name}-{environment}"

    def begin(self) -> None:
        """Both environments run the second version; from then on the branch is protected."""
        mmgit = self.builder.mmgit
        self.write_project()
        mmgit("base", "update", "--platform", PLATFORM)
        for environment in ENVIRONMENTS:
            names = {row["service"] for row in json.loads(mmgit("service", "list", "--env", environment, "-o", "json"))}
            for other in sorted(names - {SERVICE}):
                mmgit("service", "delete", other, "--env", environment)
            place = (
                "--registry",
                f"{os.environ['MMGIT_TEST_REGISTRY']}/{self.name}",
                "--namespace",
                self.namespace(environment),
                "--unverified",
            )
            mmgit("env", "update", environment, *place)
            options = ("--env", environment, "--regen", "primary", "--key-file", str(self.keys[environment]))
            mmgit("service", "keys", SERVICE, *options)
        mmgit("image", "rebuild", SECOND)
        image = json.loads(mmgit("image", "list", "-o", "json"))
        newest = next(row["image"] for row in image if row["manifest"] == SECOND and row["platforms"] == [PLATFORM])
        for environment in ENVIRONMENTS:
            mmgit("service", "update", SERVICE, "--env", environment, "--manifest", SECOND, "--image", newest)
            mmgit("release", SERVICE, "--env", environment)
        self.builder.git("add", "--all")
        self.builder.git("commit", "--quiet", "--message=Run the second version everywhere")
        self.builder.git("push", "--quiet", "--force", "origin", "main")
        self.protect()
        self.ada.root.mkdir()
        self.ada.git("clone", "--quiet", self.url, ".")
        for name, value in (("user.name", "Ada"), ("user.email", "ada@example.test")):
            self.ada.git("config", name, value)

    def write_project(self) -> None:
        path = self.builder.root / "mmgit.yaml"
        project = yaml.safe_load(path.read_text())
        project["forge"] = {"kind": "gitea", "repository": self.forge.name, "url": self.forge.url}
        project["platforms"] = [PLATFORM]
        path.write_text(yaml.safe_dump(project, sort_keys=False).replace("mmgit: ==0.1.0", 'mmgit: "==0.1.0"'))
        for environment in ENVIRONMENTS:
            path = self.builder.root / f"environments/{environment}/environment.yaml"
            gates = "promotion: {from: staging, approvals: 1}\n" if environment == "production" else ""
            path.write_text(f"{path.read_text()}controllers: [flux]\ngit_secret: mmgit-git\n{gates}")

    def protect(self) -> None:
        rule = {
            "rule_name": "main",
            "required_approvals": 1,
            "enable_push": True,
            "enable_push_whitelist": True,
            "push_whitelist_usernames": [self.forge.owner],
            "block_admin_merge_override": True,
        }
        made = self.forge.ask("POST", "/branch_protections", rule)
        assert made["block_admin_merge_override"]

    def apply(self, environment: str) -> None:
        """Do what `mmgit env bootstrap` says."""
        for each in yaml.safe_load_all(self.builder.mmgit("env", "bootstrap", environment, "--objects", "-")):
            if each["kind"] == "GitRepository":
                secret = {"username": "x", "password": self.forge.reviewer_token}
                metadata = {"name": "mmgit-git", "namespace": self.namespace(environment)}
                apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": secret})
            apply(each)

    def reconcile(self, environment: str) -> None:
        """Ask Flux to look at the repository now: its polling interval is no time of ours."""
        kubectl(
            *("annotate", "--overwrite", "-n", self.namespace(environment), "gitrepository,kustomization", "--all"),
            f"reconcile.fluxcd.io/requestedAt={time.time()}",
        )

    def propose_third_version(self) -> int:
        """What Ada does: register, say what staging shall run next, push a branch, open the pull request."""
        ada = self.ada
        ada.git("switch", "--quiet", "--create", "digits-3")
        model = str(ada.root / f"models/{SERVICE}/versions/1/digits.skops")
        ada.mmgit("model", "register", SERVICE, model, "--description", "Simple again")
        ada.mmgit("service", "update", SERVICE, "--env", "staging", "--manifest", THIRD)
        ada.mmgit("compile")
        ada.git("add", "--all")
        ada.git("commit", "--quiet", "--message=Try digits/3 in staging")
        ada.git("push", "--quiet", "origin", "digits-3")
        opened = {"head": "digits-3", "base": "main", "title": "Try digits/3 in staging"}
        number = int(self.forge.ask("POST", "/pulls", opened, as_reviewer=True)["number"])
        ada.mmgit("check")
        ada.mmgit("plan", "origin/main..HEAD", "--comment", str(number))
        return number

    def propose(self, *command: str) -> int:
        """The number of the pull request that a command of Ada's opens."""
        return int(self.ada.mmgit(*command, "--pull-request").strip().rpartition("/")[2])

    def approve_and_merge(self, number: int) -> None:
        """The other one approves, the gates pass, Ada merges."""
        refused = self.merge(number)
        self.forge.ask("POST", f"/pulls/{number}/reviews", {"event": "APPROVED", "body": "I looked at it"})
        commit = self.forge.ask("GET", f"/pulls/{number}")["head"]["sha"]
        self.ada.git("fetch", "--quiet", "origin")
        self.ada.mmgit("gate", f"origin/main..{commit}", "--pull-request", str(number))
        wait_until(f"pull request {number} is merged", lambda: self.merge(number))
        assert not refused

    def merge(self, number: int) -> bool:
        try:
            self.forge.ask("POST", f"/pulls/{number}/merge", {"Do": "merge"}, as_reviewer=True)
        except urllib.error.HTTPError as error:
            if error.code not in {CANNOT_YET, LOST_A_RACE}:
                raise
            return False
        return True

    def build(self) -> None:
        """What the job after the merge does: build, push, lock, pin, compile, and one commit on the branch."""
        self.builder.git("pull", "--quiet", "--ff-only", "origin", "main")
        self.builder.mmgit("release", "--env", "staging")
        self.builder.git("add", "--all")
        self.builder.git("commit", "--quiet", "--message=Lock digits/3")
        self.builder.git("push", "--quiet", "origin", "main")

    def client(self, environment: str) -> Client:
        sample = (self.builder.root / f"models/{SERVICE}/scoring/sample.json").read_bytes()
        return Client(sample, self.namespace(environment))

    def key(self, environment: str) -> str:
        return self.keys[environment].read_text().strip()

    def clean(self) -> None:
        """Flux takes away what it applied with the account that the namespace holds: so the Kustomizations go first."""
        for environment in ENVIRONMENTS:
            where = ("-n", self.namespace(environment))
            kubectl("delete", "--ignore-not-found", *where, "kustomizations", "--all", "--timeout=90s")
            kubectl("delete", "--ignore-not-found", "namespace", self.namespace(environment), "--timeout=90s")


@pytest.fixture
def team(gitea: GiteaRepository, copy: Copy, tmp_path: Path) -> Iterator[Team]:  # noqa: F811 - the fixture
    gitea.ask("PATCH", "", {"private": True})
    made = Team(gitea, copy, tmp_path)
    yield made
    made.clean()


def test_a_version_is_reviewed_served_promoted_and_taken_back_and_no_request_fails(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team.begin()
    for environment in ENVIRONMENTS:
        team.apply(environment)
    for environment in ENVIRONMENTS:
        wait_until_rolled_out(SECOND, team.namespace(environment))
    clients = {environment: team.client(environment) for environment in ENVIRONMENTS}
    for environment in ENVIRONMENTS:
        wait_until("the node routes to the service", clients[environment].is_reached)
    served: dict[str, list[Any]] = {environment: [] for environment in ENVIRONMENTS}

    def is_new(environment: str) -> bool:
        """Whether it answers as it did not before; the answer is kept."""
        answer = clients[environment].call(team.key(environment))
        if answer not in served[environment][-1:]:
            served[environment].append(answer)
            return True
        return False

    def follow(environment: str, manifest: str, merged: float = 0) -> float:
        """Wait for the first new prediction; the seconds since the merge."""
        team.reconcile(environment)
        wait_until(f"{manifest} answers in {environment}", lambda: is_new(environment))
        seconds = time.monotonic() - merged
        wait_until_rolled_out(manifest, team.namespace(environment))
        return seconds

    with ExitStack() as stack:
        answers = [stack.enter_context(clients[each].steady(team.key(each))) for each in ENVIRONMENTS]
        for environment in ENVIRONMENTS:
            assert is_new(environment)

        number = team.propose_third_version()
        comments = team.forge.ask("GET", f"/issues/{number}/comments")
        team.approve_and_merge(number)
        merged = time.monotonic()
        team.build()
        built = time.monotonic()
        lead_seconds = (built - merged, follow("staging", THIRD, merged))

        team.approve_and_merge(team.propose("promote", SERVICE, "--from", "staging", "--to", "production"))
        follow("production", THIRD)

        reason = ("--reason", "It is worse with fives")
        team.approve_and_merge(team.propose("rollback", SERVICE, "--env", "production", *reason))
        follow("production", SECOND)
        again = team.ada.mmgit("promote", "--from", "staging", "--to", "production", "--pull-request")
        time.sleep(10)

    with capsys.disabled():
        print(f"\nmerge to new prediction: {lead_seconds[1]:.1f} s, of which {lead_seconds[0]:.1f} s build and lock")  # noqa: T201 - measured for people
    assert len(comments) == 1
    assert "digits/3" in comments[0]["body"]
    second, third = served["staging"]
    assert second[0] == third[0] == 200
    assert second[1] != third[1]
    assert served["production"] == [second, third, second]
    assert "production holds its pin" in again
    assert "nothing to promote" in again
    for each in answers:
        assert {status for status, _ in each} == {200}
        assert len(each) > 100
