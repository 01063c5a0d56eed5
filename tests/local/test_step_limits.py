"""Steps whose time is over, by an engine that says what a real one says of a container that was killed meanwhile."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from docker.errors import APIError

from mmgit.errors import BuildError
from mmgit.local.steps import _run
from mmgit.steps import Run

RUN = Run(3, ("sleep", "7200"), {})


class Killed(BaseHTTPRequestHandler):
    """Source: Docker Engine API, "Create an exec instance"."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        data = b'{"message": "container 4f1d is not running"}'
        self.send_response(409)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[docker.APIClient]:
    server = HTTPServer(("127.0.0.1", 0), Killed)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    client = docker.APIClient(f"tcp://127.0.0.1:{server.server_port}", version="1.43")
    yield client
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_steps_whose_time_is_over_are_said_to_be_too_long(api: docker.APIClient) -> None:
    container: Any = SimpleNamespace(id="4f1d")

    with pytest.raises(BuildError, match="took more than 60 minutes, up to RUN of line 3") as caught:
        _run(api, container, RUN, lambda: True)

    assert "mmgit manifest create" in caught.value.hint


def test_an_engine_that_fails_before_that_is_quoted(api: docker.APIClient) -> None:
    container: Any = SimpleNamespace(id="4f1d")

    with pytest.raises(APIError, match="is not running"):
        _run(api, container, RUN, lambda: False)
