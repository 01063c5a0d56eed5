"""Times mmgit's compiler, and Helm and kustomize beside it, as whole processes; prints medians of interleaved rounds.

CPU is user and system time of the process and its children, as the kernel counts it (`wait4`). Rounds go through all
measurements in turn, so that noise of the machine meets all of them.
"""

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "compile"))

import generate
import peers

MMGIT = str(Path(sys.executable).parent / "mmgit")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
KUSTOMIZED = 300
TOOLS = {
    "helm": "go install helm.sh/helm/v3/cmd/helm@v3.19.2",
    "kustomize": "go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1",
    "kubeconform": "go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
}
"""The versions that ratios are stated for, and how to get them."""


@dataclass(frozen=True)
class Took:
    """What processes took, in seconds, and the most memory that one of them had."""

    cpu: float
    wall: float
    peak_mib: float

    def __add__(self, other: "Took") -> "Took":
        return Took(self.cpu + other.cpu, self.wall + other.wall, max(self.peak_mib, other.peak_mib))


Measure = Callable[[], Took]


def took(argv: list[str], folder: Path, output: Path | None = None) -> Took:
    """Run a program to its end, which must be a good one."""
    with (output or Path(os.devnull)).open("wb") as stdout:
        began = time.perf_counter()
        process = subprocess.Popen(argv, cwd=folder, stdout=stdout, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, argv
    return Took(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


class Repository:
    """A synthetic repository, and the ways to compile it."""

    def __init__(self, folder: Path, services: int, environments: int) -> None:
        self.folder = folder
        self.services = [generate.service(number, services) for number in range(services)]
        self.environments = generate.ENVIRONMENTS[:environments]
        self._edits = 0
        # by itself: a process counts the memory of the one that starts it as its own
        declaring = Process(target=generate.declare, args=(folder, self.services, self.environments))
        declaring.start()
        declaring.join()
        assert declaring.exitcode == 0
        self.compile()

    def compile(self, *options: str) -> Took:
        """Compile, whatever there is to do."""
        return took([MMGIT, "compile", *options], self.folder)

    def cold(self) -> Took:
        """Compile with nothing rendered and nothing remembered.

        What was there is moved away: for seconds after files were removed, ext4 searches long for each new one.
        """
        old = Path(tempfile.mkdtemp(prefix="old-", dir=self.folder.parent))
        for environment in self.environments:
            (self.folder / f"environments/{environment}/rendered").rename(old / environment)
        (self.folder / ".mmgit").rename(old / ".mmgit")
        os.sync()
        return self.compile()

    def one_change(self, *options: str) -> Took:
        """Compile after one service got another queue."""
        each = self.services[self._edits % len(self.services)]
        self._edits += 1
        path = self.folder / f"environments/{self.environments[-1]}/services/{each.group}/{each.name}.yaml"
        path.write_text(path.read_text().replace("\nqueue: ", "\nqueue: 1"))
        time.sleep(0.05)
        return self.compile(*options)


class Committed(Repository):
    """The same in git, on a branch: its changes are what a pull request would bring."""

    def __init__(self, folder: Path, services: int, environments: int) -> None:
        super().__init__(folder, services, environments)
        (folder / ".gitignore").write_text("/.mmgit/\n")
        for command in (
            "init --quiet --initial-branch=main",
            "config user.name benchmark",
            "config user.email benchmark@example.com",
            "add --all",
            "commit --quiet --message=Declare",
            "switch --quiet --create=change",
        ):
            self.git(*command.split())
        self.compile()

    def git(self, *arguments: str) -> Took:
        """Run git."""
        return took(["git", *arguments], self.folder)

    def review(self) -> Took:
        """Check, plan and judge the last commit, which changes one service."""
        change = "HEAD~1..HEAD"
        commands = (["check", "--since", "HEAD~1"], ["plan", change], ["gate", change])
        return sum((took([MMGIT, *command], self.folder) for command in commands), Took(0, 0, 0))


def compiling(folder: Path, services: int) -> Iterator[tuple[str, int, Measure]]:
    """mmgit by itself: three environments."""
    repository = Repository(folder / "three", services, len(generate.ENVIRONMENTS))
    total = services * len(generate.ENVIRONMENTS)
    yield "python that does nothing", 1, lambda: took([sys.executable, "-c", "pass"], folder)
    yield "mmgit --help", 1, lambda: took([MMGIT, "--help"], folder)
    yield "cold, 3 environments", total, repository.cold
    yield "no-op, 3 environments", total, repository.compile
    times = ["find", "environments", "models", "-printf", "%p %T@ %C@ %s %i\\n"]
    yield "find, the times of these files", total, lambda: took(times, repository.folder)
    yield "one change, 3 environments", total, repository.one_change


def in_git(folder: Path, services: int) -> Iterator[tuple[str, int, Measure]]:
    """mmgit beside git, and what a pull request of one service needs."""
    repository = Committed(folder / "git", services, len(generate.ENVIRONMENTS))
    total = services * len(generate.ENVIRONMENTS)
    yield "git status", total, lambda: repository.git("status")
    yield "one change, committed", total, lambda: repository.one_change("--commit", "--all")
    yield "compile after a commit", total, repository.compile
    yield "no-op in git", total, repository.compile
    yield "check, nothing changed", total, lambda: took([MMGIT, "check"], repository.folder)
    yield "check + plan + gate", total, repository.review


def beside_helm(folder: Path, services: int) -> Iterator[tuple[str, int, Measure]]:
    """The same services in one environment, as mmgit, and as an umbrella chart with and without kubeconform."""
    repository = Repository(folder / "one", services, 1)
    yield "cold, 1 environment", services, repository.cold
    if _lacks("helm") or _lacks("kubeconform"):
        return
    peers.umbrella(folder / "umbrella", repository.services, repository.environments[0])
    output = folder / "umbrella.yaml"
    location = peers.schemas(folder / "schemas")
    conform = ["kubeconform", "-strict", "-skip", "HTTPRoute", "-schema-location", location, str(output)]

    def helm() -> Took:
        return took(["helm", "template", "all", str(folder / "umbrella")], folder, output)

    yield "helm template, umbrella", services, helm
    yield "helm template + kubeconform", services, lambda: helm() + took(conform, folder)


def portals(folder: Path, services: int) -> Iterator[tuple[str, int, Measure]]:
    """The static site of one environment in git, into a new folder and over an older site."""
    repository = Committed(folder / "portal", services, 1)
    numbers = itertools.count()

    def portal(name: str) -> Took:
        return took([MMGIT, "portal", "--output", str(folder / name)], repository.folder)

    yield "portal, 1 environment", services, lambda: portal(f"site-{next(numbers)}")
    yield "portal, nothing changed", services, lambda: portal("site-0")


def beside_kustomize(folder: Path, services: int) -> Iterator[tuple[str, int, Measure]]:
    """Fewer services in one environment, as mmgit, and with `kustomize build` for each."""
    repository = Repository(folder / "fewer", services, 1)
    yield f"cold, 1 environment, {services}", services, repository.cold
    if _lacks("kustomize"):
        return
    peers.overlays(folder / "overlays", repository.services, repository.environments[0])

    def build() -> Took:
        built = [took(["kustomize", "build", each.name], folder / "overlays") for each in repository.services]
        return sum(built, Took(0, 0, 0))

    yield f"kustomize build, each of {services}", services, build


def _lacks(tool: str) -> bool:
    if shutil.which(tool):
        return False
    print(f"{tool} is not on PATH: {TOOLS[tool]}", file=sys.stderr)
    return True


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smallest", action="store_true", help="20 services, one round: whether it runs at all")
    options = parser.parse_args()
    services, rounds = (20, 1) if options.smallest else (options.services, options.rounds)
    with tempfile.TemporaryDirectory(prefix="mmgit-benchmark-") as name:
        folder = Path(name)
        parts = (compiling(folder, services), in_git(folder, services), beside_helm(folder, services))
        measures = [measure for part in parts for measure in part]
        measures += portals(folder, services)
        measures += beside_kustomize(folder, min(KUSTOMIZED, services))
        results: dict[str, list[Took]] = {label: [] for label, _, _ in measures}
        for _ in range(rounds):
            for label, _, measure in measures:
                results[label].append(measure())
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, medians of {rounds} rounds\n")
    print("| what | N | CPU ms | CPU ms each | wall ms | wall ms, least | peak MiB |\n|---|---|---|---|---|---|---|")
    for label, count, _ in measures:
        cpu = 1e3 * statistics.median(each.cpu for each in results[label])
        walls = [1e3 * each.wall for each in results[label]]
        peak_mib = max(each.peak_mib for each in results[label])
        times = f"{cpu:.0f} | {cpu / count:.2f} | {statistics.median(walls):.0f} | {min(walls):.0f}"
        print(f"| {label} | {count} | {times} | {peak_mib:.0f} |")
    _print_ratios(results)


def _print_ratios(results: dict[str, list[Took]]) -> None:
    """What peers need, as a multiple of mmgit's CPU, round by round."""
    fewer = next(label for label in results if label.startswith("cold, 1 environment, "))
    for label, times in results.items():
        if label.startswith(("helm", "kustomize")):
            own = fewer if label.startswith("kustomize") else "cold, 1 environment"
            ratios = [peer.cpu / mine.cpu for peer, mine in zip(times, results[own], strict=True)]
            print(f"\n{label} / {own}: {statistics.median(ratios):.1f} × CPU (N = {len(ratios)})")


if __name__ == "__main__":
    main()
