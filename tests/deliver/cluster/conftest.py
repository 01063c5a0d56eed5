"""What a real API server said of services in every state, and a small server that answers as one on loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mmgit.deliver.cluster.connection import Cluster, connect
from mmgit.deliver.cluster.pods import Commands

RECORDED = Path(__file__).parent / "recorded"
COMMANDS = Commands("kubectl -n live", "live", "churn")

Answers = dict[str, tuple[int, Any]]
"""Path with query -> status, and an object or bytes."""


def recorded(name: str) -> Any:
    """What `kubectl get -o json` gave."""
    return json.loads((RECORDED / f"{name}.json").read_text())


@dataclass
class Api:
    """A server that knows a few paths; `asked` is what it was asked for."""

    answers: Answers
    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Verb, path with query, and what was accepted."""


@contextmanager
def _serving(api: Api) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            api.asked.append((self.command, path, self.headers["Accept"]))
            status, answer = api.answers.get(path, (404, {"kind": "Status", "message": "not found"}))
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield api
        finally:
            server.shutdown()


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """Writes a kubeconfig with one context, `test`."""

    def write(url: str, token: str = "") -> Path:
        path = tmp_path / "kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "one", "cluster": {"server": url}}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "one", "user": "me"}}],
            "current-context": "test",
        }
        path.write_text(json.dumps(config))
        return path

    return write


@pytest.fixture
def serving(kubeconfig: Callable[..., Path]) -> Iterator[Callable[[Answers], tuple[Cluster, Api]]]:
    """Starts a server with these answers; the cluster as we see it, and the server."""
    with ExitStack() as stack:

        def start(answers: Answers) -> tuple[Cluster, Api]:
            api = stack.enter_context(_serving(Api(answers)))
            return connect(str(kubeconfig(api.url))), api

        yield start
