import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mmgit.desired import DesiredService, FixedScale
from mmgit.render import haproxy

needs_haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy: install it (apt install haproxy)")
MakeService = Callable[..., DesiredService]
PATH = "/api/v1/service/churn/score"


class Replica:
    """A scorer that answers when it is told to, and is ready on the same port."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.at_once = self.most_at_once = 0
        lock, replica = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/ready":
                    with lock:
                        replica.at_once += 1
                        replica.most_at_once = max(replica.most_at_once, replica.at_once)
                    replica.go.wait(10)
                    with lock:
                        replica.at_once -= 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Proxy:
    """The rendered configuration in a real HAProxy, on loopback, with known replicas in place of DNS."""

    def __init__(self, folder: Path, service: DesiredService, replicas: list[Replica]) -> None:
        self.port = free_port()
        write_certificate(folder)
        general = haproxy.proxy_cfg().replace(haproxy.CERTIFICATE, f"{folder}/tls.pem")
        general = general.replace(f"bind :{haproxy.PORT}", f"bind 127.0.0.1:{self.port}")
        general = re.sub(r"    [ug]id .*\n", "", general)  # tests may run as anybody
        backend = haproxy.service_cfg(service).replace("check port 8081", "check")
        servers = "\n".join(f"    server r{at} 127.0.0.1:{each.port}" for at, each in enumerate(replicas))
        backend = re.sub(r"    server-template .*", servers, backend)
        (folder / "a.cfg").write_text(general)
        (folder / "b.cfg").write_text(backend)
        self.process = subprocess.Popen(["haproxy", "-db", "-f", str(folder)], stdout=subprocess.DEVNULL)
        self.wait_until(200, "/")

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def wait_until(self, status: int, path: str) -> None:
        for _ in range(100):
            try:
                if self.get(path)[0] == status:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{path} never answered {status}")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_certificate(folder: Path) -> None:
    made = ["-keyout", "tls.pem.key", "-out", "tls.pem", "-days", "1", "-subj", "/CN=localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *made]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def replica() -> Iterator[Replica]:
    made = Replica()
    yield made
    made.go.set()
    made.server.shutdown()


@pytest.fixture
def proxy(tmp_path: Path, service: MakeService, replica: Replica) -> Iterator[Proxy]:
    made = Proxy(tmp_path, service(concurrency=1, queue=2, scale=FixedScale(1)), [replica])
    yield made
    made.close()


def test_a_backend_says_limits_queue_and_discovery(service: MakeService) -> None:
    text = haproxy.service_cfg(service(concurrency=2, queue=10, timeout_seconds=0.5, scale=FixedScale(12)))

    assert text == (
        "backend service-churn\n"
        "    balance leastconn\n"
        "    option httpchk GET /ready\n"
        "    http-check expect status 200\n"
        "    timeout queue 500ms\n"
        "    timeout server 6s\n"
        "    http-request set-var(txn.places) nbsrv,mul(12)\n"
        "    http-request deny deny_status 503 if { be_conn,sub(txn.places) gt 0 }\n"
        "    default-server check port 8081 inter 1s fastinter 500ms fall 2 rise 1 maxconn 2\n"
        "    server-template replica 1-12 churn.services:8080 resolvers docker init-addr none\n"
    )


def test_where_calls_are_scored_together_the_queue_is_in_the_replicas(service: MakeService) -> None:
    text = haproxy.service_cfg(service(concurrency=2, queue=10, batch_max_requests=4))

    assert "nbsrv,mul(18)" in text
    assert "maxconn 18\n" in text


@pytest.mark.parametrize("queue", [0, 1])
def test_a_queue_of_one_lets_no_batch_form(service: MakeService, queue: int) -> None:
    batched, plain = (service(queue=queue, batch_max_requests=most) for most in (32, 1))

    assert haproxy.service_cfg(batched) == haproxy.service_cfg(plain)


@pytest.mark.parametrize("name", ["a b", "a\nb", "a'b", "a#b", "a\\b", 'a"b', "${A}"])
def test_text_that_haproxy_would_read_as_structure_is_refused(service: MakeService, name: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        haproxy.service_cfg(service(name))


@needs_haproxy
def test_haproxy_takes_the_configuration_as_it_is_rendered(tmp_path: Path, service: MakeService) -> None:
    write_certificate(tmp_path)
    (tmp_path / "a.cfg").write_text(haproxy.proxy_cfg().replace(haproxy.CERTIFICATE, f"{tmp_path}/tls.pem"))
    (tmp_path / "b.cfg").write_text(haproxy.service_cfg(service()))
    (tmp_path / "c.cfg").write_text(haproxy.service_cfg(service("iris", queue=0)))

    checked = subprocess.run(["haproxy", "-c", "-f", str(tmp_path)], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


@needs_haproxy
def test_a_call_reaches_the_service_in_its_path_and_others_are_not_found(proxy: Proxy, replica: Replica) -> None:
    replica.go.set()
    proxy.wait_until(200, PATH)

    status, headers, body = proxy.get("/api/v1/service/other/score")

    assert (status, headers["content-type"]) == (404, "application/json")
    assert b'"not_found"' in body
    assert proxy.get("/")[2] == b"ok"


@needs_haproxy
def test_a_replica_gets_what_it_scores_at_once_and_the_rest_waits_or_is_refused(proxy: Proxy, replica: Replica) -> None:
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(proxy.get, PATH) for _ in range(6)]
        while sum(call.done() for call in calls) < 3:
            time.sleep(0.01)
        refused = [call.result() for call in calls if call.done()]
        replica.go.set()
        statuses = sorted(call.result()[0] for call in calls)

    assert statuses == [200, 200, 200, 503, 503, 503]
    assert replica.most_at_once == 1
    assert {answer[1]["retry-after"] for answer in refused} == {"1"}
    assert b'"busy"' in refused[0][2]


@needs_haproxy
def test_a_replica_that_scores_calls_together_gets_those_that_wait(
    tmp_path: Path, service: MakeService, replica: Replica
) -> None:
    proxy = Proxy(tmp_path, service(concurrency=1, queue=2, batch_max_requests=2, scale=FixedScale(1)), [replica])
    try:
        with ThreadPoolExecutor(6) as pool:
            calls = [pool.submit(proxy.get, PATH) for _ in range(6)]
            while sum(call.done() for call in calls) < 2:
                time.sleep(0.01)
            replica.go.set()
            statuses = sorted(call.result()[0] for call in calls)
    finally:
        proxy.close()

    assert statuses == [200, 200, 200, 200, 503, 503]
    assert replica.most_at_once == 4


@needs_haproxy
def test_without_a_replica_the_answer_comes_at_once(tmp_path: Path, service: MakeService, replica: Replica) -> None:
    replica.server.server_close()
    proxy = Proxy(tmp_path, service(), [replica])
    try:
        proxy.wait_until(503, PATH)
    finally:
        proxy.close()
