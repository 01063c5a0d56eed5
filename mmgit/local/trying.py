"""Tries candidates beside what runs: starts both images, one after the other, and asks them the same rows.

What is started is people's code, in a container or in a process of this machine; nobody gives it a secret.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from mmgit import golden
from mmgit.errors import ServingError, UsageError, visible
from mmgit.frozen import dataclass
from mmgit.golden import Row
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.local import process, served
from mmgit.local.asking import Address, Asked, Start, Started, ask
from mmgit.lock import Lock
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.review.answers import compared
from mmgit.review.predictions import Pair
from mmgit.spec.predictions import Comparison, Tried
from mmgit.subprocesses import child
from mmgit.untrusted import json_value

_LOG_CHARACTERS = 2000


Images: TypeAlias = Callable[[str, str], Lock]
"""The lock of a manifest's image, all of it present; the digest that it must have, or empty for any."""


@dataclass(frozen=True)
class Trial:
    """What trying needs: the declarations, images, and a way to start them."""

    root: Root
    source: Source
    images: Images
    start: Start
    platform: str

    def compare(self, pair: Pair) -> Comparison:
        """A candidate beside what runs.

        Raises:
            ServingError: the candidate does not start, or does not answer its own rows.
        """
        own = self._rows(pair.candidate.manifest)
        rows = [*own, *self._other_rows(pair, own)]
        running = self._tried(pair.running.manifest, pair.running.image, rows)[:2] if pair.running else None
        tried, asked, log = self._tried(pair.candidate.manifest, pair.candidate.image, rows)
        if not asked.has_started:
            raise ServingError(f"manifest {tried.manifest} does not start: {_end(log)}", f"mmgit serve {_model(tried)}")
        found = compared(rows, (running[0], running[1].answers) if running else None, (tried, asked.answers))
        for row, answer in zip(own, asked.answers, strict=False):
            if not answer.is_given:
                message = f"manifest {tried.manifest} does not answer its own {row.name}: {answer}; {_end(log)}"
                raise ServingError(message, f"mmgit serve {_model(tried)}")
        return found

    def _tried(self, manifest: str, image: str, rows: Sequence[Row]) -> tuple[Tried, Asked, str]:
        lock = self.images(manifest, image)
        with self.start(manifest, lock) as started:
            asked = ask(started.address, rows, started.is_running)
            log = started.log() if not all(answer.is_given for answer in asked.answers) else ""
        size = _size_bytes(lock, self.platform)
        return (
            Tried(manifest=manifest, image=lock.index.digest, size_bytes=size, latency_ms=asked.latency_ms),
            asked,
            log,
        )

    def _other_rows(self, pair: Pair, own: Sequence[Row]) -> Iterator[Row]:
        """What the running manifest asks beyond that: a candidate does not choose alone what it is asked."""
        known = {json.dumps(row.request, sort_keys=True) for row in own}
        for row in self._rows(pair.running.manifest) if pair.running else ():
            if json.dumps(row.request, sort_keys=True) not in known and pair.running:
                yield Row(f"{row.name} of {pair.running.manifest}", row.request)

    def _rows(self, reference: str) -> list[Row]:
        manifest = self.source.manifest(reference)
        if manifest is None:
            raise UsageError(f"manifest {reference} is not declared here", "mmgit check")
        folder, spec = layout.manifest_folder(reference), manifest.spec
        rows = [Row("sample", _sample(self.root, f"{folder}/{spec.sample}"))] if spec.sample else []
        recorded = self.root.read(f"{folder}/{spec.golden}", MAX_SCORING_BYTES) if spec.golden else b""
        try:
            return [*rows, *golden.rows_of(recorded)]
        except ValueError as error:
            raise UsageError(f"golden rows of manifest {reference}: {error}", "mmgit check") from error


def in_processes(root: Root, source: Source) -> Start:
    """Start a manifest as `mmgit serve` does: the same server and packages, on this machine's Python."""

    @contextmanager
    def start(manifest: str, _: Lock) -> Iterator[Started]:
        wanted = served.of_manifest(root, source, manifest)
        if wanted.is_customised:
            message = f"manifest {manifest} has steps, of which a process of this machine has nothing"
            raise ServingError(message, "mmgit try --runner container")
        port = process.free_port()
        log = root.path / layout.STATE / "serve" / "try.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = process.command_of(root.path, wanted, port=port)
        with log.open("wb") as sink, child(command, sink, env_allow=[process.JAVA_HOME]) as server:
            address = Address("127.0.0.1", port, f"/api/v1/service/{wanted.name}/score")
            yield Started(address, lambda: server.poll() is None, lambda: log.read_text(errors="replace"))

    return start


def _size_bytes(lock: Lock, platform: str) -> int:
    """What a node of the platform pulls. Raises `ServingError` if there is no such image."""
    image = lock.platforms.get(platform)
    if image is None:
        there = ", ".join(lock.platforms)
        raise ServingError(f"image {lock.index.digest} is not for {platform}, only for {there}", "mmgit base update")
    return sum(blob.size_bytes for blob in (image.manifest, image.config, *image.layers))


def _sample(root: Root, path: str) -> dict[str, Any]:
    try:
        sample = json_value(root.read(path, MAX_SCORING_BYTES))
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}", "write it with mmgit.sdk.generate_schema") from error
    if not isinstance(sample, dict):
        raise UsageError(f"{path} is not a JSON object", "write it with mmgit.sdk.generate_schema")
    return sample


def _model(tried: Tried) -> str:
    return tried.manifest.partition("/")[0]


def _end(log: str) -> str:
    lines = log.strip()[-_LOG_CHARACTERS:].splitlines()
    return "\n  ".join(["its log ends:", *map(visible, lines)]) if lines else "it wrote nothing"
