"""Forges for tests: a small GitHub on loopback, and a repository on a real Gitea."""

import base64
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from mmgit.deliver.forge import Forge, connect
from mmgit.spec.project import Forge as Declared

TOKEN = "ghp_verysecret0123456789"
REPOSITORY = "ada/iris"
Answer = tuple[int, Any, dict[str, str]]
CANNOT_YET = 405
LOST_A_RACE = 409
MERGE_SECONDS = 60


class Server(ThreadingHTTPServer):
    """Answers on loopback as `answer(method, path, query, data)` says; keeps what it was asked."""

    daemon_threads = True

    def __init__(self, answer: Callable[[str, str, dict[str, str], Any], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        self.server.tokens.append(self.headers.get("Authorization", ""))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        status, answer, headers = self.server.answer(
            self.command, unquote(parts.path), query, json.loads(data) if data else None
        )
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[..., Answer]], Server]]:
    """Starts a server that answers as it is told."""
    servers: list[Server] = []

    def start(answer: Callable[..., Answer]) -> Server:
        servers.append(Server(answer))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def account(login: str, number: int = 1) -> dict[str, Any]:
    return {"login": login, "id": number, "type": "User", "site_admin": False}


ADA, BOB = account("ada", 1), account("bob", 2)
NOT_FOUND: Answer = (404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, {})


def pull(number: int, head: str, **fields: Any) -> dict[str, Any]:
    """A pull request as GitHub documents it, as far as somebody reads it."""
    repository = {"full_name": fields.pop("repository", REPOSITORY)}
    side = {"ref": head, "sha": f"{number:040x}", "repo": repository, "label": f"ada:{head}"}
    base = {"ref": "main", "sha": "b" * 40, "repo": {"full_name": REPOSITORY}, "label": "ada:main"}
    said = {"number": number, "html_url": f"https://github.com/{REPOSITORY}/pull/{number}", "state": "open"}
    return {**said, "title": "Title", "body": None, "user": ADA, "head": side, "base": base, **fields}


def review(user: Any, state: str, commit: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"id": 1, "user": user, "state": state, "commit_id": commit, "submitted_at": at, "body": ""}


@dataclass
class GitHubState:
    """A repository as GitHub's documents show it, in one page of two entries after the other."""

    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    commits: list[dict[str, Any]] = field(default_factory=list)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    things: dict[str, Answer] = field(default_factory=dict)
    me: dict[str, Any] = field(default_factory=lambda: ADA)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, str], data: Any) -> Answer:
        path = path.removeprefix("/api/v3").removeprefix(f"/repos/{REPOSITORY}")
        if method != "GET":
            self.sent.append((method, path, data))
        if path in self.things:
            return self.things[path]
        if method == "GET":
            return self._got(path, query)
        if method == "DELETE":
            return self._deleted(path)
        return self._posted(path, data) if method == "POST" else self._changed(path, data)

    def _got(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/user":
            return 200, self.me, {}
        if found := re.fullmatch(r"/pulls/(\d+)", path):
            return next(((200, each, {}) for each in self.pulls if each["number"] == int(found[1])), NOT_FOUND)
        lists: dict[str, list[Any]] = {"/pulls": [each for each in self.pulls if each["state"] == query.get("state")]}
        if re.fullmatch(r"/issues/\d+/comments", path):
            lists[path] = self.comments
        if re.fullmatch(r"/pulls/\d+/commits", path):
            lists[path] = self.commits
        entries = {**lists, **self.lists}.get(path)
        if entries is None:
            return NOT_FOUND
        page = int(query["page"])
        assert query["per_page"] == "100"
        last = page * 2 >= len(entries)
        headers = {} if last else {"Link": f'<https://api.github.com{path}?page={page + 1}>; rel="next"'}
        return 200, entries[page * 2 - 2 : page * 2], headers

    def _posted(self, path: str, data: Any) -> Answer:
        if path == "/pulls":
            return self._opened(data)
        if path.startswith("/statuses/"):
            said = {"id": 1, "creator": self.me, "created_at": "2026-01-01T00:00:00Z", "target_url": None}
            return 201, said | data, {}
        number = len(self.comments) + 1
        self.comments.append({"id": number, "html_url": f"https://c/{number}", "user": self.me, **data})
        return 201, self.comments[-1], {}

    def _opened(self, data: Any) -> Answer:
        sides = [(each["head"]["ref"], each["base"]["ref"]) for each in self.pulls]
        if (data["head"], data["base"]) in sides:
            error = {"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for ada:x."}
            return 422, {"message": "Validation Failed", "errors": [error]}, {}
        self.pulls.append(pull(len(self.pulls) + 1, data["head"], title=data["title"], body=data["body"]))
        return 201, self.pulls[-1], {}

    def _deleted(self, path: str) -> Answer:
        there = [each for each in self.comments if path == f"/issues/comments/{each['id']}"]
        self.comments[:] = [each for each in self.comments if each not in there]
        return (204, b"", {}) if there else NOT_FOUND

    def _changed(self, path: str, data: Any) -> Answer:
        _, kind, number = path.rsplit("/", 2)
        entries, key = (self.pulls, "number") if kind == "pulls" else (self.comments, "id")
        found = next(each for each in entries if each[key] == int(number))
        found.update(data)
        return 200, found, {}


@pytest.fixture
def state() -> GitHubState:
    return GitHubState()


@pytest.fixture
def server(serve: Callable[..., Server], state: GitHubState) -> Server:
    return serve(state.answer)


@pytest.fixture
def github(server: Server) -> Forge:
    declared = Declared(kind="github", repository=REPOSITORY, url=server.url)
    return connect(declared, {"MMGIT_FORGE_TOKEN": TOKEN})


def asked(url: str, token: str, method: str, path: str, data: Any = None) -> Any:
    """What a real Gitea answers."""
    body = None if data is None else json.dumps(data).encode()
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1{path}", body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        error.msg = f"{error.msg}: {error.read().decode()}"
        raise
    return json.loads(answer) if answer.startswith((b"{", b"[")) else answer.decode()


@dataclass(frozen=True)
class GiteaRepository:
    """A new repository of the first user; the second may write and owns nothing."""

    url: str
    token: str = field(repr=False)
    reviewer_token: str = field(repr=False)
    name: str
    owner: str
    reviewer: str

    @property
    def declared(self) -> Declared:
        return Declared(kind="gitea", repository=self.name, url=self.url)

    @property
    def forge(self) -> Forge:
        return connect(self.declared, {"MMGIT_FORGE_TOKEN": self.token})

    @property
    def reviewers_forge(self) -> Forge:
        return connect(self.declared, {"GITEA_TOKEN": self.reviewer_token})

    def ask(self, method: str, path: str, data: Any = None, *, as_reviewer: bool = False) -> Any:
        token = self.reviewer_token if as_reviewer else self.token
        return asked(self.url, token, method, f"/repos/{self.name}{path}", data)

    def write(self, branch: str, path: str, text: str, *, start: str | None = None) -> str:
        """Commit a new file to a branch, which begins at branch `start`; the commit."""
        data = {
            "content": base64.b64encode(text.encode()).decode(),
            "branch": start or branch,
            "message": f"Add {path}",
        }
        if start:
            data["new_branch"] = branch
        return str(self.ask("POST", f"/contents/{path}", data)["commit"]["sha"])

    def merge(self, number: int, *, as_reviewer: bool = False) -> None:
        """Merge a pull request, once Gitea has found out whether it can be and holds no lock on its branches."""
        deadline = time.monotonic() + MERGE_SECONDS
        while True:
            try:
                self.ask("POST", f"/pulls/{number}/merge", {"Do": "merge"}, as_reviewer=as_reviewer)
            except urllib.error.HTTPError as error:
                if error.code not in {CANNOT_YET, LOST_A_RACE} or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def review(self, number: int, event: str) -> int:
        """Review as the second user; the review's number."""
        data = {"event": event, "body": "I looked at it"}
        return int(self.ask("POST", f"/pulls/{number}/reviews", data, as_reviewer=True)["id"])


@pytest.fixture
def gitea() -> Iterator[GiteaRepository]:
    names = ("MMGIT_TEST_FORGE_URL", "MMGIT_TEST_FORGE_TOKEN", "MMGIT_TEST_FORGE_REVIEWER_TOKEN")
    if any(name not in os.environ for name in names):
        pytest.skip(f"forge: set {', '.join(names)} to a Gitea and tokens of two of its users")
    url, token, reviewer_token = (os.environ[name] for name in names)
    owner, reviewer = (asked(url, each, "GET", "/user")["login"] for each in (token, reviewer_token))
    name = f"t{uuid.uuid4().hex[:12]}"
    asked(url, token, "POST", "/user/repos", {"name": name, "auto_init": True, "default_branch": "main"})
    asked(url, token, "PUT", f"/repos/{owner}/{name}/collaborators/{reviewer}", {"permission": "write"})
    yield GiteaRepository(url, token, reviewer_token, f"{owner}/{name}", owner, reviewer)
    asked(url, token, "DELETE", f"/repos/{owner}/{name}")
