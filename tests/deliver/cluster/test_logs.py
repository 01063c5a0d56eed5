import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mmgit.deliver.cluster import logs
from mmgit.deliver.cluster.connection import connect
from mmgit.deliver.cluster.logs import Pods, followed, written
from mmgit.errors import ClusterError

Serving = Callable[..., Any]
PATH = "/api/v1/namespaces/live/pods"
PODS = Pods(PATH, "mmgit.dev/service=churn")
LISTED = f"{PATH}?limit=500&labelSelector=mmgit.dev/service=churn"


def listed(**phases: str) -> Any:
    return {"items": [{"metadata": {"name": name}, "status": {"phase": phase}} for name, phase in phases.items()]}


def test_lines_of_all_pods_come_in_the_order_of_their_times(serving: Serving) -> None:
    one = b'{"time": "2026-11-30T10:00:01Z"}\nTraceback\n{"time": "2026-11-30T10:00:04Z"}'
    two = b'{"time": "2026-11-30T10:00:02Z"}\n'
    answers = {
        LISTED: (200, listed(one="Running", two="Failed", late="Pending")),
        f"{PATH}/one/log?container=serving&tailLines=5": (200, one),
        f"{PATH}/two/log?container=serving&tailLines=5": (200, two),
    }
    cluster, _ = serving(answers)

    found = written(cluster, PODS, {"tailLines": 5})

    assert [line[28:32] or line for line in found] == [b'1Z"}', b"Traceback", b'2Z"}', b'4Z"}']


def test_a_pod_that_is_gone_meanwhile_is_passed_over(serving: Serving) -> None:
    cluster, _ = serving({LISTED: (200, listed(gone="Running"))})

    assert written(cluster, PODS, {}) == []


def test_what_the_cluster_refuses_is_said(serving: Serving) -> None:
    refused = {"kind": "Status", "message": "pods is forbidden: cannot get resource pods/log"}
    cluster, _ = serving({LISTED: (200, listed(one="Running")), f"{PATH}/one/log?container=serving": (403, refused)})

    with pytest.raises(ClusterError, match="cannot get resource pods/log"):
        written(cluster, PODS, {})


@pytest.fixture
def endless(kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A cluster with a second pod from the second look on, whose logs break off; what logs it was asked for."""
    asked: list[str] = []
    looks: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            if "/log" in self.path:
                asked.append(self.path)
                self.wfile.write(f"{self.path.split('/')[-2]} {len(asked)}\nand more\n".encode())
            else:
                looks.append(1)
                pods = {"one": "Running"} | ({"two": "Running"} if len(looks) > 1 else {})
                self.wfile.write(json.dumps(listed(**pods)).encode())

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(logs, "_POLL_SECONDS", 0.05)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        kubeconfig(f"http://127.0.0.1:{server.server_port}")
        yield asked
        server.shutdown()


def test_who_follows_sees_later_pods_and_reads_on_where_a_log_breaks_off(endless: list[str], tmp_path: Path) -> None:
    config = str(tmp_path / "kubeconfig")

    with closing(followed(lambda: connect(config), PODS, {"tailLines": 5})) as lines:
        found = list(islice(lines, 8))

    assert found[:2] == [b"one 1", b"and more"]
    assert any(line.startswith(b"two") for line in found)
    assert "tailLines=5&follow=true" in endless[0]
    again = [path for path in endless if "/one/" in path][1]
    assert "sinceSeconds=1&follow=true" in again
