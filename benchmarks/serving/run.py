"""Measures mmgit's server beside others, as benchmarks/README.md tells, and prints what issue 5 asks of it.

The servers run on one processor, the load comes from another. Rounds go through all servers in turn, ratios are made
round by round, and medians of them are printed, so that noise of the machine meets all of them.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import faults
import peers
import servers
from measures import Bench, ratio
from servers import Program, Server, running

CONNECTIONS = 8
BATCHED_CONNECTIONS = 32
AIMS = {
    "MLServer, in process": 3.5,
    "MLServer, isolated": 7,
    "KServe": 2.4,
    "FastAPI, def": 1.5,
    "FastAPI, async def": 1.5,
    "LitServe": 5,
    "BentoML": 8,
}
HALF_LOAD_AIMS = {"MLServer, in process": 0.55, "FastAPI, def": 0.8, "FastAPI, async def": 0.8}


class Run:
    """One run: a folder for its files, how often and how long to measure."""

    def __init__(self, folder: Path, bench: Bench, rounds: int, wanted: Sequence[str]) -> None:
        self.folder = folder
        self.bench = bench
        self.rounds = rounds
        self.wanted = wanted

    @contextmanager
    def all_running(self, programs: Sequence[Program]) -> Iterator[list[Server]]:
        """All of these servers, on the processor that sends nothing."""
        with ExitStack() as stack:
            yield [stack.enter_context(running(program, 1 - self.bench.processor)) for program in programs]

    def in_turn(self, found: Sequence[Server], measure: Callable[[Server], float]) -> dict[str, list[float]]:
        """What each server gave, round by round."""
        taken: dict[str, list[float]] = {server.program.name: [] for server in found}
        for _ in range(self.rounds):
            for server in found:
                taken[server.program.name].append(measure(server))
        return taken


def iris(run: Run) -> None:
    """Requests a second, and the median latency at half of them, against all peers."""
    programs = [servers.own_iris(run.folder), *peers.iris_peers(run.folder, run.wanted)]
    with run.all_running(programs) as found:
        rates = run.in_turn(found, lambda server: run.bench.throughput(server, CONNECTIONS))
        _print_rates("iris, 8 connections", rates, AIMS)
        half = {name: statistics.median(taken) / 2 for name, taken in rates.items()}
        known = [server for server in found if server.program.name in {"mmgit", *HALF_LOAD_AIMS}]
        latencies = run.in_turn(known, lambda server: run.bench.p50(server, half[server.program.name]))
        for name, taken in latencies.items():
            aim = HALF_LOAD_AIMS.get(name)
            compared = f"{ratio(latencies['mmgit'], taken):.2f} | {aim}" if aim else "|"
            print(f"| p50 at half of own saturation, {name} | {statistics.median(taken):.3f} ms | {compared} |")
        print(f"| the front's memory after that | {found[0].memory_mib():.1f} MiB | | 30 |")


def batched(run: Run) -> None:
    """Requests a second of 32 connections with micro-batching, against MLServer."""
    own = servers.own_iris(
        run.folder, "mmgit batching", schema=servers.ROW_WISE, batch_max_requests=BATCHED_CONNECTIONS, queue=40
    )
    plain = servers.own_iris(run.folder, "mmgit without batching", queue=40)
    name = "MLServer, in process"
    others = [peers.mlserver(run.folder, name, parallel_workers=0)] if peers.is_wanted(name, run.wanted) else []
    with run.all_running([own, plain, *others]) as found:
        rates = run.in_turn(found, lambda server: run.bench.throughput(server, BATCHED_CONNECTIONS))
        _print_rates("iris, 32 connections", rates, {name: 15})


def echo(run: Run) -> None:
    """Key, queue and scorer around a function that does nothing, against granian's echo and the bare call."""
    own = servers.own(run.folder, "mmgit echo", servers.ECHO)
    plain = servers.own(run.folder, "mmgit echo, standard library", servers.ECHO, scorer_packages=str(run.folder))
    others = [peers.bare(run.folder), *([peers.granian(run.folder)] if peers.is_wanted("granian", run.wanted) else [])]
    with run.all_running([own, plain, *others]) as found:
        taken = run.in_turn(found, lambda server: run.bench.throughput(server, CONNECTIONS))
        _print_rates("echo, 8 connections", taken, {"granian's echo": 1.0})
        if "granian's echo" in taken:
            part = ratio(taken["mmgit echo, standard library"], taken["granian's echo"])
            print(f"| echo by the standard library, of granian's | | {100 * part:.0f} % | 75 % |")
        costs = run.in_turn(found, lambda server: run.bench.cpu_microseconds(server, CONNECTIONS))
    bare = costs["the bare call"]
    for name, each in costs.items():
        above = statistics.median(one - other for one, other in zip(each, bare, strict=True))
        print(f"| CPU a request, {name} | {statistics.median(each):.0f} µs | {above:+.0f} µs | 30 |")


def _print_rates(what: str, rates: dict[str, list[float]], aims: dict[str, float]) -> None:
    mine = next(iter(rates.values()))
    for name, taken in rates.items():
        print(
            f"| {what}, {name} | {statistics.median(taken):.0f}/s | {ratio(mine, taken):.2f} | {aims.get(name, '')} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measure")
    parser.add_argument("--only", nargs="*", default=[], help="parts: iris batched echo overload faults")
    parser.add_argument("--peers", nargs="*", default=[], help="the peers whose names begin so; all when none is named")
    parser.add_argument(
        "--smallest", action="store_true", help="one short round with two peers: whether it runs at all"
    )
    options = parser.parse_args()
    rounds, seconds, wanted = options.rounds, options.seconds, options.peers
    if options.smallest:
        rounds, seconds, wanted = 1, 0.5, ["FastAPI, def", "granian"]
    if os.cpu_count() == 1:
        raise SystemExit("this needs two processors")
    parts = {"iris": iris, "batched": batched, "echo": echo, "overload": faults.overload, "faults": faults.faults}
    with tempfile.TemporaryDirectory(prefix="mmgit-serving-") as name:
        print("| what | measured | mmgit / it | aim |\n|---|---|---|---|")
        for part, measure in parts.items():
            if not options.only or part in options.only:
                folder = Path(name) / part
                folder.mkdir()
                measure(Run(folder, Bench(1, seconds, min(0.5, seconds)), rounds, wanted))
    print(f"\nload {os.getloadavg()[0]:.1f}, {rounds} rounds of {seconds:g} s, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
