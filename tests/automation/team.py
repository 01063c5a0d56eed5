"""A repository as `mmgit new` makes it, on a real forge, and two people: Ada proposes, the owner approves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.deliver.forge.conftest import GiteaRepository

PROJECT = Path(__file__).parents[2]
SERVICE = "echo"
LOCK = "bases/default.lock.yaml"
MODEL = {
    "weights.bin": "weights",
    "score.py": "import json\n\n\ndef init():\n    pass\n\n\ndef run(body):\n    return json.loads(body)['x']\n",
    "golden.jsonl": '{"request": {"x": 2}, "response": 2}\n',
}
"""Files of a model that answers what it is asked, with a row that says so."""
ENVIRONMENT = """apiVersion: mmgit.dev/v1
kind: Environment
target: kubernetes
registry: {registry}
namespace: ml-{name}
host: {name}.example.com
gateway: {{name: infra/public}}
"""
GATES = {"staging": "accepts: build\n", "production": "promotion: {from: staging, approvals: 1}\n"}


class Team:
    """The repository on the forge and a clone of it, in which people work. `begun` is what it begins with."""

    def __init__(self, forge: GiteaRepository, begun: Path, folder: Path, *, without: str) -> None:
        self.forge = forge
        self.folder = folder
        self.clone = folder / "clone"
        self.url = f"{forge.url}/{forge.name}.git"
        self.registry = f"{os.environ['MMGIT_TEST_REGISTRY']}/{forge.name.partition('/')[2]}"
        forge.ask("PATCH", "", {"private": True})
        shutil.copytree(begun, self.clone, ignore=shutil.ignore_patterns(without))
        self._begin()

    def mmgit(self, *arguments: str) -> str:
        return mmgit(self.clone, *arguments)

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        return ran(self.clone, "git", *who, *arguments, **git_access(self.url, self.forge.token)).strip()

    def write(self, path: str, text: str) -> None:
        (self.clone / path).parent.mkdir(parents=True, exist_ok=True)
        (self.clone / path).write_text(text)

    def commit(self, message: str, branch: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")

    def propose_a_version(self) -> int:
        """What Ada does: a model, and a service in both environments that waits for it; the pull request's number."""
        self.git("switch", "--quiet", "--create", "ada")
        for name, text in MODEL.items():
            (self.folder / name).write_text(text)
        rows = ("--file", "../golden.jsonl")
        self.mmgit("model", "register", SERVICE, "../weights.bin", "-f", "../score.py", *rows)
        for environment in GATES:
            key = f"../{environment}.key"
            self.mmgit("service", "create", SERVICE, "--env", environment, "--key-file", key)
        self.mmgit("compile")
        self.commit("Serve echo/1", "ada")
        opened = {"head": "ada", "base": "main", "title": "Serve echo/1"}
        return int(self.forge.ask("POST", "/pulls", opened, as_reviewer=True)["number"])

    def approve(self, number: int, *, as_reviewer: bool = False) -> None:
        data = {"event": "APPROVED", "body": "I looked at it"}
        self.forge.ask("POST", f"/pulls/{number}/reviews", data, as_reviewer=as_reviewer)

    def merge(self, number: int) -> None:
        """Merge a pull request as Ada."""
        self.forge.merge(number, as_reviewer=True)
        self.pull()

    def pull(self) -> None:
        self.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        self.git("switch", "--quiet", "--force-create", "main", "origin/main")

    def shown(self, path: str, branch: str = "main") -> str:
        return self.git("show", f"origin/{branch}:{path}")

    def outdate_packages(self) -> str:
        """Let the base be locked as Debian was before; the lock as it was."""
        newest = self.shown(LOCK)
        self.write(LOCK, re.sub(r"version: [^,]+", 'version: "0.1"', newest, count=1))
        self.commit("As Debian was before", "main")
        self.pull()
        return newest

    def comments(self, number: int) -> list[str]:
        return [each["body"] for each in self.forge.ask("GET", f"/issues/{number}/comments")]

    def payload(self, number: int | None = None) -> dict[str, Any]:
        """What the forge would tell a workflow of an event, as far as workflows look."""
        told = {"ref": "refs/heads/main", "repository": self.forge.ask("GET", "")}
        if number is not None:
            told |= {"number": number, "pull_request": self.forge.ask("GET", f"/pulls/{number}")}
        return told

    def _begin(self) -> None:
        for name, gates in GATES.items():
            text = ENVIRONMENT.format(name=name, registry=self.registry)
            self.write(f"environments/{name}/environment.yaml", text + gates)
        forge = f"forge: {{kind: gitea, repository: {self.forge.name}, url: '{self.forge.url}'}}\n"
        self.write("mmgit.yaml", (self.clone / "mmgit.yaml").read_text() + forge)
        self.mmgit("compile")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.url)
        self.commit("Begin", "main")
        self.pull()
        rule = {
            "rule_name": "main",
            "required_approvals": 1,
            "enable_push": True,
            "enable_push_whitelist": True,
            "push_whitelist_usernames": [self.forge.owner],
            "block_admin_merge_override": True,
        }
        self.forge.ask("POST", "/branch_protections", rule)


def begin(folder: Path) -> None:
    """What `mmgit new` and `mmgit ci` write, workflows as well as scripts, and the lock of a base for one platform."""
    mmgit(folder.parent, "new", folder.name, "--no-base", "--ci", "github")
    shutil.rmtree(folder / "environments/dev")
    with (folder / "mmgit.yaml").open("a") as project:
        project.write("platforms: [linux/amd64]\n")
    for ci in ("github", "scripts"):
        mmgit(folder, "ci", ci)
    mmgit(folder, "base", "update")


def mmgit(folder: Path, *arguments: str) -> str:
    return ran(folder, sys.executable, "-m", "mmgit", *arguments, PYTHONPATH=str(PROJECT))


def git_access(url: str, token: str) -> dict[str, str]:
    """The variables by which git gets into one repository, and no other."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: token {token}",
    }


def ran(folder: Path, *argv: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
