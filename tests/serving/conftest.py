"""Real servers on loopback for the tests of serving: the front as an image starts it, with its scorers."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

import mmgit

PACKAGE = Path(mmgit.__file__).parent
MAIN = PACKAGE / "serving" / "front" / "main.py"
ORJSON = str(Path(orjson.__file__).parent.parent)
"""The folder of packages that scorers take orjson from, as images have one."""
PATIENCE_SECONDS = 60.0
KEY = "mmgit_k7f3_secret_check"
ANYTHING: Mapping[str, Any] = {"properties": {"x": {}}, "required": ["x"]}
ECHO = "def run(x):\n    return x\n"
BLOCKS = """
import os, time

def run(x):
    started = open(f"started-{x}", "w")
    started.close()
    while not os.path.exists("go"):
        time.sleep(0.005)
    return x
"""
"""Says that it began with `x`, and ends when the file `go` is there."""

Value = TypeVar("Value")


def until(
    what: Callable[[], Value],
    why: str = "what was waited for did not happen",
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Value:
    """The first true value of `what`, which is asked again and again."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(why)


@cache
def interpreter_of(minor: str) -> str:
    """The path of a CPython of this minor version; skips the test when there is none."""
    question = [f"python{minor}", "-c", "import sys; print(sys.executable)"]
    try:
        found = subprocess.run(
            question, env={**os.environ, "PYENV_VERSION": minor}, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"python{minor} is not on the PATH")
    return found.stdout.strip()


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.document["error"]["code"])


class Client:
    """One connection, to write anything on and to read one answer after the other from."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._read = b""

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def answer(self, *, has_body: bool = True) -> Answer:
        """The next response. Raises ConnectionError when the server closed instead."""
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0)) if has_body else 0
        while len(self._read) < size:
            self._receive()
        body, self._read = self._read[:size], self._read[size:]
        return Answer(int(status_line.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Waits for the server to close; False when it sends something instead."""
        try:
            return self._read + self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed")
        self._read += data


class Load:
    """Work that goes on, each piece in a thread of its own, for as long as the `with` lasts or it has more to do."""

    def __init__(self, *work: Iterator[object]) -> None:
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=(piece,)) for piece in work]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, piece: Iterator[object]) -> None:
        for _ in piece:
            if self._is_over.is_set():
                return


def request(path: str, body: bytes = b"", *, method: str = "POST", key: str = KEY, **headers: str) -> bytes:
    """The bytes of a request; a header's `_` stands for `-`, and an empty value leaves the header out."""
    given = {
        "host": "test",
        "authorization": f"Bearer {key}" if key else "",
        "content_type": "application/json" if body else "",
        "content_length": str(len(body)) if body or method == "POST" else "",
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items() if value]
    return f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


@dataclass
class Service:
    """A running front."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int = 0
    admin_port: int = 0
    clients: list[Client] = field(default_factory=list)

    base = "/api/v1/service/digits"
    score_path = f"{base}/score"

    @property
    def scoring(self) -> Path:
        return self.folder / "scoring"

    def client(self) -> Client:
        self.clients.append(Client(self.port))
        return self.clients[-1]

    def ask(self, path: str, body: bytes = b"", **options: str) -> Answer:
        """One request on a connection of its own."""
        client = Client(self.port)
        try:
            client.send(request(path, body, **options))
            return client.answer(has_body=options.get("method") != "HEAD")
        finally:
            client.close()

    def score(self, **arguments: Any) -> Answer:
        return self.ask(self.score_path, json.dumps(arguments).encode())

    def admin(self, path: str) -> Answer:
        client = Client(self.admin_port)
        client.send(request(path, method="GET", key=""))
        answer = client.answer()
        client.close()
        return answer

    def metric(self, name: str) -> float:
        """The sum of a metric's series; `name` may end with some of their labels, `{status="200"}`."""
        page = self.admin("/metrics").body.decode()
        wanted, _, given = name.rstrip("}").partition("{")
        labels = dict(re.findall(r'(\w+)="([^"]*)"', given))
        values = [
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == wanted and labels.items() <= sample.labels.items()
        ]
        assert values, f"{name} is not in\n{page}"
        return sum(values)

    def resident_mib(self) -> float:
        """The memory of the front, as Linux tells it."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def log(self) -> list[dict[str, Any]]:
        lines = (self.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logged(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        wanted = {"event": event, **fields}
        return [line for line in self.log() if wanted.items() <= line.items()]

    def is_ready(self) -> bool:
        return self.admin("/ready").status == 200

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()


def keys_document(*keys: str | Mapping[str, str]) -> str:
    """A keys.json that opens for these tokens, or holds these records."""
    records = [
        {"name": key.split("_")[1], "digest": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"}
        if isinstance(key, str)
        else dict(key)
        for key in keys
    ]
    return json.dumps({"keys": records})


Start = Callable[..., Service]


def lay_out(
    folder: Path,
    *,
    score: str = ECHO,
    schema: Mapping[str, Any] | None = ANYTHING,
    files: Mapping[str, str | bytes] = {},
    facts: Mapping[str, Any] = {},
    **settings: Any,
) -> list[str]:
    """Write what an image and its mounts hold; returns the server's options."""
    for name in ("scoring", "settings", "keys"):
        (folder / name).mkdir(parents=True)
    (folder / "scoring" / "score.py").write_text(score)
    if schema is not None:
        (folder / "scoring" / "schema.json").write_text(json.dumps(schema))
    for name, text in files.items():
        file = folder / "scoring" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    named = {"schema": None if schema is None else "schema.json", **facts}
    (folder / "mmgit.json").write_text(json.dumps(named))
    local = {
        "service": "digits",
        "scoring_folder": str(folder / "scoring"),
        "interpreter": sys.executable,
        "dependencies": [],
        "sdk_folder": str(PACKAGE.parent),
        "scorer_packages": ORJSON,
        "bind": "127.0.0.1",
        "port": 0,
        "admin_port": 0,
        "drain_seconds": 0,
        **settings,
    }
    (folder / "settings" / "settings.json").write_text(json.dumps(local))
    (folder / "keys" / "keys.json").write_text(keys_document(KEY))
    return [f"--image-facts={folder}/mmgit.json", f"--settings={folder}/settings", f"--keys={folder}/keys"]


def launch(folder: Path, command: list[str]) -> Service:
    """Start a server and learn its ports from the log; it may have ended already."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    service = Service(process, folder)
    listening = until(lambda: service.logged("listening") or process.poll() is not None, "the server does not listen")
    if isinstance(listening, list):
        service.port, service.admin_port = listening[0]["port"], listening[0]["admin_port"]
    return service


@contextmanager
def running(folder: Path, **given: Any) -> Iterator[Service]:
    """One server that is ready, for several tests."""
    service = launch(folder, [sys.executable, "-I", str(MAIN), *lay_out(folder, **given)])
    try:
        until(service.is_ready, "the server does not get ready")
        yield service
    finally:
        service.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server for `score`, `schema` and settings; waits until it is ready unless `awaited` is false."""
    services: list[Service] = []

    def run(*, awaited: bool = True, **given: Any) -> Service:
        folder = tmp_path / str(len(services))
        services.append(launch(folder, [sys.executable, "-I", str(MAIN), *lay_out(folder, **given)]))
        if awaited:
            until(services[-1].is_ready, "the server does not get ready")
        return services[-1]

    yield run
    for service in services:
        service.end()


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that answers `x` with `x`, the same for all tests that leave it as it was."""
    with _echoing(tmp_path_factory) as service:
        yield service


@pytest.fixture(scope="session")
def plain_echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """As `echo`, with the modules that stand in for httptools and msgspec."""
    with _echoing(tmp_path_factory, f"--packages={PACKAGE / 'stand_ins'}") as service:
        yield service


@contextmanager
def _echoing(tmp_path_factory: pytest.TempPathFactory, *more: str) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("echo") / "echo"
    documents = {"swagger.json": '{"swagger": "2.0"}', "openapi.json": '{"openapi": "3.1.0"}'}
    options = lay_out(folder, files=documents, max_body_bytes=200_000)
    service = launch(folder, [sys.executable, "-I", str(MAIN), *options, *more])
    until(service.is_ready, "the server does not get ready")
    yield service
    service.end()
    shutil.rmtree(folder)
