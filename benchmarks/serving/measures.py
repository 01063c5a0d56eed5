"""Servers that run in, what they do under load out. Load comes from another processor, for a few seconds each."""

import json
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import load_generator
from servers import Server, take_precedence

_OPEN_CONNECTIONS = 8


@dataclass(frozen=True)
class Bench:
    """Which processor sends, and how long."""

    processor: int
    seconds: float
    warm_seconds: float

    def load(self, server: Server, *, connections: int, rate: float = 0, probed: bool = False) -> dict[str, Any]:
        """What came back: see `load/stream.go`."""
        with tempfile.NamedTemporaryFile() as request:
            Path(request.name).write_bytes(server.program.ask.on_wire())
            command = ["taskset", "--cpu-list", str(self.processor), str(load_generator())]
            command += ["-port", str(server.port), "-connections", str(connections), "-rate", str(rate)]
            command += ["-request", request.name, "-warm", f"{self.warm_seconds}s", "-during", f"{self.seconds}s"]
            command += ["-probe", str(server.admin_port)] if probed else []
            sender = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
            )
            take_precedence(sender.pid)
            output, complaint = sender.communicate()
        if sender.returncode:
            raise SystemExit(f"{server.program.name}: {complaint}")
        found: dict[str, Any] = json.loads(output)
        return found

    def good(self, server: Server, *, connections: int, rate: float = 0) -> Mapping[str, float]:
        """The answers of a server that answers everything."""
        found = self.load(server, connections=connections, rate=rate)["requests"]
        if found["failures"] or list(found["answers"]) != ["200"]:
            raise SystemExit(f"{server.program.name} does not answer everything: {found}")
        answers: Mapping[str, float] = found["answers"]["200"]
        return answers

    def throughput(self, server: Server, connections: int) -> float:
        """Requests a second, each connection waiting for its answer."""
        return self.good(server, connections=connections)["rate"]

    def p50(self, server: Server, rate: float) -> float:
        """The median latency in milliseconds, from when a request was due, of so many requests a second."""
        return self.good(server, connections=_OPEN_CONNECTIONS, rate=rate)["p50"]

    def cpu_microseconds(self, server: Server, connections: int) -> float:
        """Processor time a request, of all processes of the server."""
        before = server.cpu_seconds()
        answers = self.good(server, connections=connections)
        taken = server.cpu_seconds() - before
        counted = answers["count"] * (self.seconds + self.warm_seconds) / self.seconds
        return 1e6 * taken / counted


def ratio(mine: list[float], others: list[float]) -> float:
    """The median of mine by other's, round by round."""
    return statistics.median(each / other for each, other in zip(mine, others, strict=True))
