"""What happens to the others when one asks for too much, or what scores them misbehaves: mmgit alone."""

import statistics
from typing import TYPE_CHECKING, Any

import servers

if TYPE_CHECKING:
    from run import Run

SERVICE_SECONDS = 0.01
TIMES = 10
QUEUE = 10
CONNECTIONS = 64
SPINS = f"""
import time

def run(x):
    until = time.thread_time() + {SERVICE_SECONDS}
    while time.thread_time() < until:
        pass
    return x
"""
FAULTS = {
    "exits": "os._exit(3)",
    "loops": "while True: pass",
    "holds the GIL": "return sum(range(10**8)) and 0",
    "leaks 200 MB a call": "leak.append(bytearray(b'x') * (200 << 20)); del leak[:len(leak) // 5 * 5]; return 0",
}
"""What `run()` does from the moment that the file `go` is there; leaks end at a gigabyte, for the machine's sake."""
_FAULTY = """
import os

leak = []

def run(x):
    if not os.path.exists("go"):
        return x
    {fault}
"""


def overload(run: "Run") -> None:
    """Ten times what a scorer can do, in an open loop; a scorer works for 10 ms of processor time."""
    goodput, accepted, refused, health = [], [], [], []
    with run.all_running([servers.own(run.folder, "mmgit overloaded", SPINS, queue=QUEUE)]) as [server]:
        for _ in range(run.rounds):
            alone = run.bench.good(server, connections=1)
            saturation = run.bench.throughput(server, QUEUE)
            found = run.bench.load(server, connections=CONNECTIONS, rate=TIMES * saturation, probed=True)
            answers = found["requests"]["answers"]
            goodput.append(answers["200"]["rate"] / saturation)
            accepted.append(answers["200"]["p99"] / ((QUEUE + 1) * alone["p50"]))
            refused.append(answers["503"]["p50"])
            health.append(found["probe"]["answers"]["200"]["max"])
    print(f"| overload: goodput / saturation | | {statistics.median(goodput):.2f} | 0.9 |")
    print(f"| overload: p99 of what is accepted / (11 × service time) | | {statistics.median(accepted):.2f} | 1.3 |")
    print(f"| overload: p50 of refusals | {statistics.median(refused):.2f} ms | | 2 |")
    print(f"| overload: slowest health answer | {statistics.median(health):.1f} ms | | 20 |")


def faults(run: "Run") -> None:
    """Health, asked a hundred times a second, while a scorer does what it should not."""
    for what, fault in FAULTS.items():
        program = servers.own(run.folder, what, _FAULTY.format(fault=fault), timeout_seconds=1.0)
        with run.all_running([program]) as [server]:
            (program.folder / "scoring" / "go").touch()
            p99 = statistics.median(_health(run, server)["p99"] for _ in range(run.rounds))
        print(f"| scorer {what}: health p99 | {p99:.1f} ms | | 10 |")


def _health(run: "Run", server: servers.Server) -> dict[str, Any]:
    found = run.bench.load(server, connections=2, rate=20, probed=True)["probe"]
    if found["failures"]:
        raise SystemExit(f"{server.program.name}: health was not answered: {found}")
    answer: dict[str, Any] = found["answers"]["200"]
    return answer
