"""What only the Python client has: an asynchronous one, kept connections, types that mypy reads."""

import asyncio
import importlib.util
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mmgit.local import certificates
from mmgit.spec import EnvironmentSpec
from tests.clients.conftest import answered, built, client_of
from tests.clients.test_hostile import HOSTILE, asked
from tests.clients.test_languages import INPUTS, Start, described
from tests.serving.conftest import BLOCKS, KEY, Service, interpreter_of, request, until

Plain = tuple[str, list[int], threading.Semaphore]
ONE = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


def module_of(folder: Path, schema: Any = ONE, sample: Any = None) -> ModuleType:
    """A client as its user imports it."""
    built(client_of(schema, sample or {"x": 1}), "python", folder)
    spec = importlib.util.spec_from_file_location("churn_client", folder / "churn_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["churn_client"] = module
    spec.loader.exec_module(module)
    return module


def url_of(service: Service) -> str:
    return f"http://127.0.0.1:{service.port}{service.score_path}"


@pytest.fixture
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plain]:
    """A server that answers in chunks, by TLS, ends its answers by closing, or closes after them unsaid.

    Its address, the port that every request came from, and a semaphore that counts what it closed.
    """
    ports: list[int] = []
    closed = threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0" if request.param == "to the end" else "HTTP/1.1"

        def do_POST(self) -> None:
            ports.append(self.client_address[1])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            if request.param == "chunked":
                self.send_header("Transfer-Encoding", "chunked")
            if request.param in ("closing", "tls"):
                self.send_header("Content-Length", "6")
            self.end_headers()
            chunks = b"2;a=b\r\n[1\r\n3\r\n, 2\r\n1\r\n]\r\n0\r\nx: y\r\n\r\n"
            self.wfile.write(chunks if request.param == "chunked" else b"[1, 2]")
            self.close_connection = request.param not in ("chunked", "tls")

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            closed.release()

    server = Server(("127.0.0.1", 0), Handler)
    if request.param == "tls":
        value = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "compose", "registry": "localhost:5480"}
        folder = certificates.prepare(tmp_path / "tls", "dev", EnvironmentSpec.read(value))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / certificates.CERTIFICATE, folder / certificates.KEY)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scheme = "https" if request.param == "tls" else "http"
    yield f"{scheme}://localhost:{server.server_port}/score", ports, closed
    server.shutdown()
    thread.join()
    server.server_close()


def test_many_asynchronous_calls_share_connections(start: Start, tmp_path: Path) -> None:
    client = module_of(tmp_path)
    service = start(score="def run(x):\n    return x\n", schema=ONE)

    async def score_all() -> list[Any]:
        async with client.AsyncClient(KEY, url=url_of(service)) as asking:
            await asyncio.gather(*(asking.score(x=number) for number in range(5)))
            before = service.metric("mmgit_connections")
            found = await asyncio.gather(*(asking.score(x=number, request_id=f"r-{number}") for number in range(5)))
            assert service.metric("mmgit_connections") == before == 5
        return found

    answers = asyncio.run(score_all())

    assert [answer.result for answer in answers] == [0, 1, 2, 3, 4]
    assert [answer.request_id for answer in answers] == [f"r-{number}" for number in range(5)]


def test_what_asyncio_cancels_is_never_scored(start: Start, tmp_path: Path) -> None:
    client = module_of(tmp_path)
    service = start(score=BLOCKS, schema=ONE, queue=1)
    first = service.client()
    first.send(request(service.score_path, b'{"x": 1}'))
    until((service.scoring / "started-1").exists)

    async def give_up() -> None:
        asking = client.AsyncClient(KEY, url=url_of(service))
        task = asyncio.create_task(asking.score(x=2))
        await asyncio.to_thread(until, lambda: service.metric("mmgit_queue_requests") == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    until(lambda: service.metric("mmgit_queue_requests") == 0)
    (service.scoring / "go").touch()

    assert first.answer().document == 1
    assert service.score(x=3).document == 3
    assert not (service.scoring / "started-2").exists()


@pytest.mark.parametrize("plain", ["chunked", "to the end"], indirect=True)
def test_bodies_in_chunks_or_to_the_end_are_read(plain: Plain, tmp_path: Path) -> None:
    client, (url, _, _) = module_of(tmp_path), plain

    async def twice() -> list[Any]:
        async with client.AsyncClient(KEY, url=url) as asking:
            return [(await asking.score(x=1)).result, (await asking.score(x=1)).result]

    with client.Client(KEY, url=url) as asking:
        assert [asking.score(x=1).result for _ in range(2)] == [[1, 2]] * 2
    assert asyncio.run(twice()) == [[1, 2]] * 2


@pytest.mark.parametrize("plain", ["tls"], indirect=True)
def test_tls_is_verified_and_its_connections_are_kept(plain: Plain, tmp_path: Path) -> None:
    client, (url, ports, _) = module_of(tmp_path), plain
    trusted = ssl.create_default_context(cafile=tmp_path / "tls/.mmgit/compose/dev" / certificates.CERTIFICATE)

    async def asynchronously(context: ssl.SSLContext | None) -> list[Any]:
        async with client.AsyncClient(KEY, url=url, context=context) as asking:
            return [(await asking.score(x=1)).result for _ in range(3)]

    with client.Client(KEY, url=url, context=trusted) as asking:
        assert [asking.score(x=1).result for _ in range(3)] == [[1, 2]] * 3
    assert asyncio.run(asynchronously(trusted)) == [[1, 2]] * 3

    assert len(ports) == 6
    assert len(set(ports)) == 2
    with pytest.raises(ssl.SSLCertVerificationError):
        client.Client(KEY, url=url).score(x=1)
    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(asynchronously(None))


@pytest.mark.parametrize("plain", ["closing"], indirect=True)
def test_a_connection_that_the_service_closed_is_not_used_again(plain: Plain, tmp_path: Path) -> None:
    client, (url, ports, closed) = module_of(tmp_path), plain

    async def asynchronously() -> None:
        async with client.AsyncClient(KEY, url=url) as asking:
            for _ in range(2):
                assert (await asking.score(x=1)).result == [1, 2]
                await asyncio.to_thread(closed.acquire)

    with client.Client(KEY, url=url) as asking:
        for _ in range(2):
            assert asking.score(x=1).result == [1, 2]
            closed.acquire()
    asyncio.run(asynchronously())

    assert len(set(ports)) == len(ports) == 4


def test_the_oldest_python_runs_it(start: Start, tmp_path: Path) -> None:
    service = start(score="import json\ndef run(body):\n    return json.loads(body)\n", schema=None)
    schema, sample = described(tmp_path, INPUTS)
    built(client_of(schema, sample), "python", tmp_path)

    assert answered([interpreter_of("3.9"), "-W", "error", "churn_client.py"], service, tmp_path) == sample


def test_a_call_ends_when_its_time_has_passed(start: Start, tmp_path: Path) -> None:
    client = module_of(tmp_path)
    service = start(score=BLOCKS, schema=ONE)

    async def asynchronously() -> None:
        await client.AsyncClient(KEY, url=url_of(service), timeout=0.3).score(x=1)

    with pytest.raises((TimeoutError, client.ScoreError)):
        client.Client(KEY, url=url_of(service), timeout=0.3).score(x=1)
    with pytest.raises((TimeoutError, asyncio.TimeoutError, client.ScoreError)):
        asyncio.run(asynchronously())


@pytest.mark.parametrize("hostile", ["a\r\nx: y", "ü"])
def test_a_key_or_id_cannot_add_a_header(tmp_path: Path, hostile: str) -> None:
    client = module_of(tmp_path)

    for given in ({"key": hostile}, {"request_id": hostile}):
        asking = client.AsyncClient(given.get("key", KEY), url="http://127.0.0.1:1/score")
        with pytest.raises(ValueError, match="printable ASCII"):
            asyncio.run(asking.score(x=1, request_id=given.get("request_id")))


@pytest.mark.parametrize("kind", ["every type", "hostile"])
def test_mypy_reads_the_types(tmp_path: Path, kind: str) -> None:
    schema, sample = described(tmp_path, INPUTS) if kind == "every type" else asked(HOSTILE)
    built(client_of(schema, sample), "python", tmp_path)
    wrong = "from churn_client import Client\nClient('').score(x='text')\n"
    (tmp_path / "wrong.py").write_text(wrong)
    check: Callable[[str], Any] = lambda name: subprocess.run(  # noqa: E731 - twice the same
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--config-file", "", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    right = check("churn_client.py")

    assert right.returncode == 0, right.stdout
    if kind == "every type":
        assert "wrong.py:2" in check("wrong.py").stdout
