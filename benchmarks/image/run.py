"""Times images side by side: a change of the model, a large model, a build from nothing.

A registry of Debian's (`docker-registry`) runs on loopback for it. `crane` and `docker` (BuildKit, and its old builder)
are measured where they are on PATH. All send what no registry has seen yet, in turn, to repositories of their own.
"""

import argparse
import gzip
import hashlib
import http.client
import os
import shutil
import socket
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from model_only import MMGIT, begin, mmgit

from mmgit.cli.workplace import workshop_of
from mmgit.images import codec
from mmgit.images.assemble import Assembler
from mmgit.images.bases import python_of
from mmgit.images.layers import LayerPlan
from mmgit.images.layout import Layout
from mmgit.images.origins import Machine
from mmgit.images.parallel import parallel
from mmgit.images.recipes import Job, job_of, locks_of
from mmgit.images.serving import INSTALLED, LOCKS
from mmgit.images.site import lay_out
from mmgit.images.workshop import Workshop
from mmgit.repository import layout as paths
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.repository.source import Source

PARTS = ("change", "large", "cold")
REQUIREMENTS = "scikit-learn==1.7.2\npandas==2.3.3\n"
MEMBER = "srv/scoring/models/churn/model.bin"
OURS = "mmgit, in a running process"
_BLOCK_BYTES = 2**20
_DOCKER_BYTES = 10_000_000
"""More takes it a minute."""
_CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/registry}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--megabytes", type=int, default=500, help="of the large model")
    parser.add_argument("--smallest", action="store_true", help="one round, small: whether it all runs")
    options = parser.parse_args()
    rounds, large = (1, 40) if options.smallest else (options.rounds, options.megabytes)
    with tempfile.TemporaryDirectory(prefix="mmgit-benchmark-") as name, registry_in(Path(name)) as host:
        bench = Bench(Path(name), host)
        bench.begin()
        print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
        if "change" in options.only:
            bench.change(1_000_000, rounds)
        if "large" in options.only:
            bench.change(large * 1_000_000, (rounds + 1) // 2)
        if "cold" in options.only:
            bench.cold((rounds + 1) // 2)


@contextmanager
def registry_in(folder: Path) -> Iterator[str]:
    """A registry on loopback: its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "registry.yml"
    config.write_text(_CONFIG.format(folder=folder, port=port))
    server = subprocess.Popen(["docker-registry", "serve", str(config)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@dataclass(frozen=True)
class Change:
    """A new model as each is given it: a version of mmgit's, a folder with a Dockerfile, a layer."""

    manifest: str
    number: int
    folder: Path
    digest: str

    @property
    def model(self) -> Path:
        """Where it lies."""
        return self.folder / "model.bin"

    @property
    def layer(self) -> Path:
        """The same in a tar."""
        return self.folder / "layer.tar"


@dataclass
class Bench:
    """A repository with one service of scikit-learn and pandas, and a registry that has its first image."""

    folder: Path
    host: str
    number: int = 1
    lowers: dict[str, str] = field(default_factory=dict)
    """Platform -> the first image, by digest, on which the others put their layer."""

    @property
    def root(self) -> Path:
        """Of the repository."""
        return self.folder / "models"

    def begin(self) -> None:
        """Make all layers once."""
        self.root.mkdir()
        (self.root / "requirements.txt").write_text(REQUIREMENTS)
        begin(self.root, self.host, "-p", "requirements.txt")
        (lock,) = locks_of(self.source()).values()
        place = f"{self.host}/mmgit-benchmark/churn"
        self.lowers = {platform: f"{place}@{image.manifest.digest}" for platform, image in lock.platforms.items()}
        project = self.root / "mmgit.yaml"
        project.write_text(project.read_text() + f"store: {{uri: 'file://{self.folder}/store'}}\n")
        (self.folder / "store").mkdir()

    def change(self, size_bytes: int, rounds: int) -> None:
        """Seconds that each needs to publish another model of so many bytes."""
        everybody = self._everybody(with_docker=size_bytes <= _DOCKER_BYTES)
        seconds: dict[str, list[float]] = {name: [] for name in everybody}
        for _ in range(rounds + 1):  # the first one warms up
            change = self._changed(size_bytes)
            for name, publish in everybody.items():
                os.sync()
                seconds[name].append(timed(publish, change))
            shutil.rmtree(change.folder)
        print(f"\n{size_bytes / 1e6:.0f} MB, two architectures, N = {rounds}")
        show({name: each[1:] for name, each in seconds.items()})
        print(f"largest process of `mmgit release`: {self._peak(size_bytes) / 2**20:.0f} MiB")

    def cold(self, rounds: int) -> None:
        """Seconds of a build that has the bases' layers alone, beside what uv and the codec need for it."""
        alone, hashing = "uv and the codec alone", "… and the two digests of each layer"
        seconds: dict[str, list[float]] = {OURS: [], alone: [], hashing: []}
        job = job_of(Root(self.root), self.source(), "churn/1", store=self.workshop().store)
        for number in range(rounds + 1):
            layout = Layout(self.folder / f"cold-{number}")
            before = Layout(self.root / paths.LAYOUT)
            assembler = Assembler(layout)
            plans = assembler.plans(job.recipe, job.sources())
            for base, *_ in plans.values():
                take(base, before, layout)
            os.sync()
            seconds[OURS].append(timed(assembler.build, job.recipe, job.sources()))
            made = [*self._made(job, plans, layout)]
            for name, is_hashed in ((alone, False), (hashing, True)):
                os.sync()
                seconds[name].append(timed(together, [partial(laid_out, *each, is_hashed=is_hashed) for each in made]))
            sizes = unpacked(plans["linux/amd64"], layout)
            shutil.rmtree(layout.root)
        print(f"\nwithout any layer but the bases', scikit-learn and pandas, two architectures, N = {rounds}")
        show({name: each[1:] for name, each in seconds.items()})
        wheels = made_bytes(made[0])
        whole = sum(sizes.values())
        ratio = whole / (sizes["base"] + wheels)
        print(f"unpacked, linux/amd64: {whole / 1e6:.1f} MB, {ratio:.3f} x base and wheels as uv lays them out")

    def _made(
        self, job: Job, plans: Mapping[str, list[LayerPlan]], layout: Layout
    ) -> Iterator[tuple[Machine, list[bytes], bytes]]:
        """Of each layer with packages: the machine, the locks that uv lays out, and the layer as it was before gzip."""
        base = job.sources().base
        python = python_of(base)
        for platform, group in plans.items():
            machine = Machine(platform, python.minor, python.path, base.libc)
            locks = {
                "dependencies": [job.sources().pylock or b""],
                "serving": [INSTALLED.files[each] for each in LOCKS],
            }
            for each in group:
                if each.name in locks:
                    layer = layout.recall(each.key)
                    assert layer
                    yield machine, locks[each.name], gzip.decompress(layout.path(layer.digest).read_bytes())

    def source(self) -> Source:
        """What is declared."""
        source = load(Root(self.root)).source
        assert source
        return source

    def workshop(self) -> Workshop:
        """A new one, as a command has it."""
        return workshop_of(Root(self.root))

    def _changed(self, size_bytes: int) -> Change:
        """Another version, of bytes that do not compress."""
        model = self.root / "model.bin"
        sha256 = hashlib.sha256()
        with model.open("wb") as file:
            for left in range(size_bytes, 0, -_BLOCK_BYTES):
                block = os.urandom(min(left, _BLOCK_BYTES))
                sha256.update(block)
                file.write(block)
        mmgit(self.root, "model", "register", "churn", "model.bin")
        self.number += 1
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        model.rename(folder / "model.bin")
        (folder / "Dockerfile").write_text(f"ARG BASE\nFROM $BASE\nCOPY model.bin /{MEMBER}\n")
        (folder / ".dockerignore").write_text("layer.tar\n")
        with tarfile.open(folder / "layer.tar", "w") as tar:
            tar.add(folder / "model.bin", MEMBER)
        return Change(f"churn/{self.number}", self.number, folder, f"sha256:{sha256.hexdigest()}")

    def _everybody(self, *, with_docker: bool) -> dict[str, Callable[[Change], None]]:
        found: dict[str, Callable[[Change], None]] = {OURS: self._publish, "a raw PUT of the model": self._put}
        if shutil.which("crane"):
            found["crane append, one architecture"] = self._crane
        for name, buildkit in (("BuildKit", "1"), ("the old builder", "0")):
            if with_docker and shutil.which("docker") and has_builder(buildkit):
                found[f"docker build and push, {name}"] = partial(self._docker, buildkit)
        return found

    def _publish(self, change: Change) -> None:
        """What `mmgit release` does about an image: load, build, push, prove that it is there."""
        place = f"{self.host}/mmgit-benchmark"
        source, workshop = self.source(), replace(self.workshop(), describes=False, prefix=place)
        made = workshop.build(source, {change.manifest: None})
        assert not made.failures, made.failures
        workshop.push(made.locks[change.manifest], place, "churn")

    def _put(self, change: Change) -> None:
        """The model's bytes in one request; nothing else is made of them, not even their digest."""
        connection = http.client.HTTPConnection(self.host, blocksize=_BLOCK_BYTES)
        connection.request("POST", "/v2/raw/churn/blobs/uploads/")
        start = connection.getresponse()
        start.read()
        place = urlsplit(start.headers["Location"])
        headers = {"Content-Length": str(change.model.stat().st_size), "Content-Type": "application/octet-stream"}
        with change.model.open("rb") as body:
            connection.request("PUT", f"{place.path}?{place.query}&digest={change.digest}", body, headers)
        answer = connection.getresponse()
        assert answer.status == http.HTTPStatus.CREATED, answer.read()
        connection.close()

    def _crane(self, change: Change) -> None:
        lower = self.lowers["linux/amd64"]
        run("crane", "append", "--insecure", "-b", lower, "-f", str(change.layer), "-t", self._tag("crane", change))

    def _docker(self, buildkit: str, change: Change) -> None:
        for platform, lower in self.lowers.items():
            tag = self._tag(f"docker{buildkit}-{platform.rpartition('/')[2]}", change)
            base = ("--build-arg", f"BASE={lower}", "--platform", platform)
            run("docker", "build", "-q", *base, "-t", tag, str(change.folder), DOCKER_BUILDKIT=buildkit)
            run("docker", "push", "-q", tag)

    def _tag(self, who: str, change: Change) -> str:
        return f"{self.host}/{who}/churn:{change.number}"

    def _peak(self, size_bytes: int) -> int:
        """The most memory of a process of a release, in bytes."""
        change = self._changed(size_bytes)
        shutil.rmtree(change.folder)
        mmgit(self.root, "service", "update", "churn", "--env", "staging", "--manifest", change.manifest)
        arguments = [MMGIT, "release", "churn", "--env", "staging"]
        with subprocess.Popen(arguments, cwd=self.root, stdout=subprocess.DEVNULL) as process:
            usage = os.wait4(process.pid, 0)[2]
            process.returncode = 0
        return usage.ru_maxrss * 1024


def has_builder(buildkit: str) -> bool:
    """Whether an engine answers, and has this builder."""
    variables = {**os.environ, "DOCKER_BUILDKIT": buildkit}
    arguments = ["docker", "build", "-q", "-"]
    text = b"FROM scratch\nLABEL of=mmgit\n"
    return subprocess.run(arguments, input=text, capture_output=True, check=False, env=variables).returncode == 0


def laid_out(machine: Machine, locks: list[bytes], tar: bytes, *, is_hashed: bool) -> None:
    """What others do of a layer: uv lays out its packages, the codec compresses it, and both ends may be hashed."""
    with tempfile.TemporaryDirectory(prefix="mmgit-benchmark-") as folder:
        for number, lock in enumerate(locks):
            lay_out(lock, machine, Path(folder) / str(number))
    raw, packed = hashlib.sha256(), hashlib.sha256()
    blocks = [tar[start : start + _BLOCK_BYTES] for start in range(0, len(tar), _BLOCK_BYTES)]
    for block in blocks if is_hashed else ():
        raw.update(block)
    for block in codec.gzip(blocks):
        if is_hashed:
            packed.update(block)


def made_bytes(made: tuple[Machine, list[bytes], bytes]) -> int:
    """How many bytes the files of a layer's packages have, as uv lays them out."""
    machine, locks, _ = made
    with tempfile.TemporaryDirectory(prefix="mmgit-benchmark-") as folder:
        lay_out(locks[0], machine, Path(folder))
        return sum(path.lstat().st_size for path in Path(folder).rglob("*") if not path.is_dir())


def unpacked(plans: list[LayerPlan], layout: Layout) -> dict[str, int]:
    """How many bytes the tar of each layer has."""
    found = {}
    for each in plans:
        layer = layout.recall(each.key)
        assert layer
        data = layout.path(layer.digest).read_bytes()
        found[each.name] = len(gzip.decompress(data)) if layer.media_type.endswith("gzip") else len(data)
    return found


def take(planned: LayerPlan, before: Layout, layout: Layout) -> None:
    """Have a layer in `layout` that was made before, with what was noted about it."""
    layer = before.recall(planned.key)
    assert layer
    os.link(before.path(layer.digest), layout.path(layer.digest))
    layout.remember(layer)
    for note in (before.root / "memo").glob(f"{planned.key}.*"):
        layout.note(note.name, note.read_bytes())


def together(work: list[Callable[[], None]]) -> None:
    """Do all of it, as many at a time as there are processors."""
    parallel(lambda each: each(), work, at_once=os.cpu_count() or 1)


def timed(action: Callable[..., object], *arguments: object) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - began


def show(seconds: Mapping[str, list[float]]) -> None:
    """Medians, and how many times ours each is."""
    ours = seconds[OURS]
    for name, each in seconds.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(each, ours, strict=True))
        print(f"{name:42} {1e3 * statistics.median(each):9,.0f} ms, least {1e3 * min(each):9,.0f}; {ratio:6.2f} x ours")


def run(*command: str, **variables: str) -> None:
    """Run a command, which must end well."""
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **variables}
    )


if __name__ == "__main__":
    main()
