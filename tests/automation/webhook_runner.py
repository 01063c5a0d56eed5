"""A small CI: takes the webhooks of a Gitea on loopback, proves who sent them, and runs the scripts of the repository.

What a person asks for and what a clock starts is put beside the webhooks, with the newest commit of the default branch.
What a pull request brings runs without a token. Where there is one, scripts and mmgit are those that are merged.
"""

import hashlib
import hmac
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mmgit.deliver.forge import Status
from tests.automation.act import HIDDEN
from tests.automation.team import git_access
from tests.deliver.forge.conftest import GiteaRepository

EVENTS = ("push", "pull_request", "pull_request_sync", "pull_request_review")
ALL = ("check", "try", "comment", "gate")
STARTS = {"opened": ALL, "reopened": ALL, "synchronized": ALL, "reviewed": ("gate",)}
"""What happened to a pull request -> the scripts that look at it."""
WHO = {"GIT_AUTHOR_NAME": "ci", "GIT_AUTHOR_EMAIL": "ci@example.com"}
WHO |= {"GIT_COMMITTER_NAME": "ci", "GIT_COMMITTER_EMAIL": "ci@example.com"}
SCRIPT_SECONDS = 120
BODY_LIMIT_BYTES = 2**20
Event = Mapping[str, Any]


@dataclass
class Runner:
    """Runs one event after the other; `python` has pip, `folder` gets the clones and what the scripts said."""

    forge: GiteaRepository
    folder: Path
    python: Path
    secret: bytes = field(repr=False)
    events: "queue.Queue[Event | None]" = field(default_factory=queue.Queue)
    said: list[str] = field(default_factory=list)

    def take(self, body: bytes, signature: str) -> bool:
        """Put an event in the queue, if it is signed with the secret."""
        is_genuine = hmac.compare_digest(hmac.new(self.secret, body, hashlib.sha256).hexdigest(), signature)
        if is_genuine:
            self.events.put(json.loads(body))
        return is_genuine

    def work(self) -> None:
        """Run what comes until there is None."""
        while (event := self.events.get()) is not None:
            if "pull_request" in event and event["action"] in STARTS:
                self._review(event["pull_request"], STARTS[event["action"]])
            elif "promotion" in event:
                self._promote(event["after"], event["promotion"])
            elif "night" in event:
                self._end_the_day(event["after"])
            elif event.get("ref") == "refs/heads/main" and set(event["after"]) != {"0"}:
                self._release(event["after"])

    def _review(self, pull: Event, scripts: Collection[str]) -> None:
        base, head = pull["base"]["sha"], pull["head"]["sha"]
        told = {"BASE": base, "HEAD": head, "NUMBER": str(pull["number"])}
        told |= {"PREDICTIONS": str(self.folder / f"predictions-{head}.json")}
        for name in scripts:
            if name in {"comment", "gate"}:
                self._step(name, base, head, {**told, "MMGIT_FORGE_TOKEN": self.forge.token})
            else:
                self._step(name, head, head, told)

    def _release(self, commit: str) -> None:
        """One may write the registry, the other one git."""
        locks = {"LOCKS": str(self.folder / f"locks-{commit}")}
        if self._step("build", commit, commit, {**locks, "DOCKER_CONFIG": str(self.folder)}):
            self._step("lock", commit, commit, {**locks, **WHO, "MMGIT_FORGE_TOKEN": self.forge.token})

    def _promote(self, commit: str, promotion: Mapping[str, str]) -> None:
        """One runs people's code, one may write the registry, one may write git."""
        told = {**promotion, "PREDICTIONS": str(self.folder / f"predictions-of-{commit}.json")}
        login = {"DOCKER_CONFIG": str(self.folder)}
        if self._step("try", commit, commit, told) and self._step("images", commit, commit, {**told, **login}):
            token = {**WHO, "MMGIT_FORGE_TOKEN": self.forge.token}
            self._step("promote", commit, commit, {**told, **login, **token})

    def _end_the_day(self, commit: str) -> None:
        self._step("drift", commit, commit, {})
        self._step("bases", commit, commit, {**WHO, "MMGIT_FORGE_TOKEN": self.forge.token})

    def _step(self, name: str, checkout: str, commit: str, variables: Mapping[str, str]) -> bool:
        """Run `install.sh` and a script in a fresh clone of `checkout`; its end is a status of `commit`."""
        context = f"mmgit/{name}"
        self.forge.forge.set_status(commit, Status(context, "pending"))
        clone = self.folder / f"{len(self.said)}-{name}"
        url = f"{self.forge.url}/{self.forge.name}.git"
        access = git_access(url, self.forge.token)
        done = self._ran(self.folder, access, "git", "clone", "--quiet", "--no-checkout", url, str(clone))
        for argv in (
            ("git", "checkout", "--quiet", "--detach", checkout),
            ("bash", "ci/mmgit/install.sh"),
            ("bash", f"ci/mmgit/{name}.sh"),
        ):
            if done.returncode == 0:
                done = self._ran(clone, variables if argv[0] == "bash" else {}, *argv)
        self.said.append(f"{context} of {commit}: {done.returncode}\n{done.stdout}{done.stderr}")
        is_good = done.returncode == 0
        status = Status(context, "success" if is_good else "failure", f"exit code {done.returncode}")
        self.forge.forge.set_status(commit, status)
        return is_good

    def _ran(self, folder: Path, variables: Mapping[str, str], *argv: str) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if not HIDDEN.fullmatch(name)}
        environment["PATH"] = f"{self.python.parent}:{environment['PATH']}"
        return subprocess.run(
            argv,
            cwd=folder,
            env={**environment, **variables, "PIP_NO_COMPILE": "1"},
            capture_output=True,
            text=True,
            timeout=SCRIPT_SECONDS,
            check=False,
        )


@contextmanager
def listening(runner: Runner) -> Iterator[str]:
    """The address at which the runner takes webhooks, while this block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(runner.take))
    threads = [threading.Thread(target=each) for each in (server.serve_forever, runner.work)]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        runner.events.put(None)
        for thread in threads:
            thread.join()


def _handler(take: Callable[[bytes, str], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, BODY_LIMIT_BYTES))
            self.send_response(202 if take(body, self.headers.get("X-Gitea-Signature", "")) else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
