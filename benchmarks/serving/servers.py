"""Servers in, each started on one processor with what it serves by default, asked until it answers, and ended."""

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from environments import FRONT, HERE, ROOT, bare_python, own_packages, peer_python

KEY = "mmgit_bench_secret_check"
ROW = [5.1, 3.5, 1.4, 0.2]
X = json.dumps({"x": [ROW]})
TENSOR = {"name": "x", "shape": [1, 4], "datatype": "FP64", "data": ROW}
REAL_TIME = "MMGIT_BENCHMARK_REAL_TIME"
_START_SECONDS = 180.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Ask:
    """One request, and what its answer holds."""

    path: str
    body: str = X
    expected: str = "0"
    key: str = ""

    def on_wire(self) -> bytes:
        """Its bytes, as small as clients write them."""
        key = f"authorization: Bearer {self.key}\r\n" if self.key else ""
        head = f"POST {self.path} HTTP/1.1\r\nhost: bench\r\n{key}content-type: application/json\r\n"
        return f"{head}content-length: {len(self.body)}\r\n\r\n{self.body}".encode()


@dataclass(frozen=True)
class Program:
    """How a server is started: `{port}` in the command is where it has to listen."""

    name: str
    command: Sequence[str]
    ask: Ask
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Server:
    """A server that runs."""

    program: Program
    process: "subprocess.Popen[bytes]"
    port: int
    admin_port: int = 0

    def processes(self) -> list[int]:
        """Its process and all that this started."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
        found = [self.process.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found

    def cpu_seconds(self) -> float:
        """User and system time of all its processes until now, those that ended included."""
        ticks = sum(sum(map(int, _stat(pid)[11:15])) for pid in self.processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """What its first process holds of memory, shared libraries included."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def answer(self) -> str:
        """What it answers once; empty as long as it does not."""
        ask = self.program.ask
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"content-type": "application/json", "authorization": f"Bearer {ask.key}"}
        try:
            connection.request("POST", ask.path, ask.body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError:
            return ""
        finally:
            connection.close()
        return text if answer.status == http.HTTPStatus.OK else ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on, which are its state and its parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def running(program: Program, processor: int) -> Iterator[Server]:
    """Start it on this processor, and end it and all that it started."""
    port = _free_port()
    command = [part.format(port=port) for part in program.command]
    log = program.folder / "log"
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})  # what is started inherits it
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=program.folder,
                env={**os.environ, **{name: value.format(port=port) for name, value in program.variables.items()}},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    finally:
        os.sched_setaffinity(0, own)
    server = Server(program, process, port)
    try:
        _wait(server, log)
        for pid in server.processes():
            take_precedence(pid)
        yield server
    finally:
        _end(process)


def take_precedence(pid: int) -> None:
    """Let other work of a shared machine disturb a process less, where that is allowed."""
    with contextlib.suppress(OSError):
        if REAL_TIME not in os.environ:
            Path(f"/proc/{pid}/autogroup").write_text("-15")
            return
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(1))


def _wait(server: Server, log: Path) -> None:
    give_up_at = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up_at and server.process.poll() is None:
        for line in log.read_bytes().splitlines():
            if line.startswith(b"{") and b'"listening"' in line:
                server.port, server.admin_port = (json.loads(line)[name] for name in ("port", "admin_port"))
        answer = server.answer()
        if answer:
            if server.program.ask.expected not in answer:
                raise SystemExit(f"{server.program.name} answers {answer}")
            return
        time.sleep(0.3)
    raise SystemExit(f"{server.program.name} does not start:\n{log.read_text()[-4000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def own(
    folder: Path, name: str, score: str, *, schema: Mapping[str, object] | None = None, **settings: object
) -> Program:
    """mmgit's front and scorer, as an image has them: with a key, a queue and a scorer of its own."""
    place = folder / name.replace(" ", "-")
    for part in ("scoring", "settings", "keys"):
        (place / part).mkdir(parents=True)
    (place / "scoring" / "score.py").write_text(score)
    (place / "scoring" / "schema.json").write_text(json.dumps(schema or {"properties": {"x": {}}, "required": ["x"]}))
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    (place / "keys" / "keys.json").write_text(json.dumps({"keys": [{"name": "bench", "digest": f"sha256:{digest}"}]}))
    (place / "mmgit.json").write_text(json.dumps({"schema": "schema.json"}))
    given = {
        "service": "bench",
        "scoring_folder": str(place / "scoring"),
        "interpreter": peer_python("mmgit"),
        "dependencies": [],
        "sdk_folder": str(ROOT),
        "scorer_packages": str(own_packages("scorer")),
        "bind": "127.0.0.1",
        "port": 0,
        "admin_port": 0,
        "drain_seconds": 0,
        **settings,
    }
    (place / "settings" / "settings.json").write_text(json.dumps(given))
    command = [bare_python(), "-I", str(FRONT / "main.py"), f"--image-facts={place}/mmgit.json"]
    command += [f"--settings={place}/settings", f"--keys={place}/keys", f"--packages={own_packages('front')}"]
    return Program(name, command, Ask("/api/v1/service/bench/score", key=KEY, expected=""), place)


ECHO = "def run(x):\n    return x\n"
IRIS = {
    "properties": {"x": {"x-mmgit": {"type": "numpy", "dtype": "float64", "shape": [None, 4]}}},
    "required": ["x"],
}
ROW_WISE = {**IRIS, "x-mmgit": {"row_wise": True}}


def own_iris(folder: Path, name: str = "mmgit", *, schema: Mapping[str, object] = IRIS, **settings: object) -> Program:
    """The service of the benchmark."""
    return own(folder, name, (HERE / "peers" / "mmgit" / "score.py").read_text(), schema=schema, **settings)
