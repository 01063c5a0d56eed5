"""Runs steps in a container of a Docker engine, as root, with a network, and gives back what they changed.

The engine gets arguments and variables as values, one command after another in one container; it builds nothing and
keeps nothing. Devices, sockets, file capabilities and times are left behind, and what lies where nothing is kept.
"""

import io
import stat
import tarfile
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from docker.utils.config import load_general_config

from mmgit.errors import BuildError, EngineError, visible
from mmgit.frozen import replace
from mmgit.images.customise import Ground
from mmgit.images.layout import Layout
from mmgit.images.tar import OWNER_LIMIT, READ_BYTES, Blocks, Entry, blocks_of
from mmgit.images.untar import MEMBERS_LIMIT, UNPACKED_LIMIT_BYTES
from mmgit.local.container import Engine, engine, pulled
from mmgit.steps import SHELL, Run

TIMEOUT_SECONDS = 3600.0
_WAIT = "read _"
_ROOT = "0:0"
_NAME = "steps"
_NOT_KEPT = ("tmp", "run", "proc", "sys", "dev")
_MADE_BY_ENGINE = frozenset({"etc/hosts", "etc/hostname", "etc/resolv.conf", ".dockerenv"})
_LINES, _SHOWN_CHARACTERS = 20, 2000
_GONE = 2
"""Source: Docker Engine API, "Get changes on a container's filesystem"."""


def run_steps(images: Layout, ground: Ground, runs: Sequence[Run], scratch: Path) -> list[Entry]:
    """What commands change of an image of the layout; the bytes of files lie in `scratch`.

    Raises:
        EngineError: there is no engine, or it cannot run programs of that platform.
        BuildError: a command failed or took too long, or left what no layer can hold.
    """
    found = engine()
    if found is None:
        hint = "start one here, or say by DOCKER_HOST where it is: docker info; images without RUN need none"
        raise EngineError("steps with RUN need a Docker engine, and none answers", hint)
    refuse_logins(load_general_config().get("proxies", {}))
    try:
        with (
            pulled(found.client, images, _NAME, ground.index.digest, ground.platform) as image,
            _started(found.client, image, ground.platform) as container,
        ):
            if ground.platform != found.platform:
                _refuse_foreign(found, container, ground.platform)
            with _limited(container) as is_over:
                for run in runs:
                    _run(found.client.api, container, run, is_over)
            container.kill()
            container.wait()
            return _changed(found.client.api, str(container.id), scratch)
    except (DockerException, OSError, tarfile.TarError) as error:  # what requests raises is an OSError
        message = f"the Docker engine did not run the steps for {ground.platform} to their end: {error}"
        raise EngineError(message, "docker info") from error


def refuse_logins(proxies: Mapping[str, Mapping[str, str]]) -> None:
    """Raise `EngineError` for a proxy with a login, which commands could leave in the image."""
    for host, each in proxies.items():
        if any("@" in str(address) for address in each.values()):
            hint = "take it out of config.json while you build: a proxy without a login, or none"
            raise EngineError(
                f"the proxy for `{host}` in docker's config.json holds a login, which RUN would see", hint
            )


@contextmanager
def _started(client: docker.DockerClient, image: str, platform: str) -> Iterator[Container]:
    """A container that waits for commands."""
    container = client.containers.create(
        image,
        name=f"mmgit-{_NAME}-{uuid.uuid4().hex[:12]}",
        entrypoint=[SHELL, "-c", _WAIT],
        stdin_open=True,
        user=_ROOT,
        platform=platform,
        use_config_proxy=True,
        security_opt=["no-new-privileges"],
    )
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)


def _refuse_foreign(engine: Engine, container: Container, platform: str) -> None:
    """Raise `EngineError` where programs of a platform do not run."""
    try:
        code, _ = _executed(engine.client.api, container, (SHELL, "-c", ":"), {})
    except DockerException:
        code = None
    if code != 0:
        hint = f"build on a machine of {platform}, or let this one emulate it, as Docker's multi-platform guide says; "
        hint += "or have no images for it: platforms in mmgit.yaml"
        raise EngineError(f"the Docker engine is of {engine.platform}, and cannot run steps for {platform}", hint)


@contextmanager
def _limited(container: Container) -> Iterator[Callable[[], bool]]:
    """Ends the container when its time is over, so that whoever reads from it goes on; tells whether it is."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(DockerException):
            container.kill()

    timer = threading.Timer(TIMEOUT_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()


def _run(api: docker.APIClient, container: Container, run: Run, is_over: Callable[[], bool]) -> None:
    try:
        code, said = _executed(api, container, run.arguments, run.variables)
    except (DockerException, OSError):
        if not is_over():
            raise
    if is_over():
        message = f"the steps took more than {TIMEOUT_SECONDS / 60:.0f} minutes, up to RUN of line {run.line}"
        raise BuildError(
            message, "let them do less, or a base bring what they install; then: mmgit manifest create NAME"
        )
    if code != 0:
        message = f"RUN of line {run.line} ended with exit code {code}: {said or 'it gave no reason'}"
        raise BuildError(message, "correct the steps, then: mmgit manifest create NAME")


def _executed(
    api: docker.APIClient, container: Container, arguments: Sequence[str], variables: Mapping[str, str]
) -> tuple[int | None, str]:
    """How a program ended, and the end of what it wrote."""
    made = api.exec_create(container.id, [*arguments], environment={**variables}, user=_ROOT, workdir="/")["Id"]
    output: deque[bytes] = deque(maxlen=_LINES)
    for block in api.exec_start(made, stream=True):
        output.extend(block.splitlines())
    said = "\n".join(visible(line.decode(errors="replace")) for line in output)
    return api.exec_inspect(made)["ExitCode"], said[-_SHOWN_CHARACTERS:]


def _changed(api: docker.APIClient, container: str, scratch: Path) -> list[Entry]:
    """What differs from the image, as the engine tells it: by names, and by an archive of everything."""
    changes = {each["Path"].strip("/"): each["Kind"] for each in api.diff(container) or []}
    kept = {path: kind for path, kind in changes.items() if not _is_left(path)}
    if len(kept) > MEMBERS_LIMIT:
        raise BuildError(f"the steps change more than {MEMBERS_LIMIT} files")
    entries = [Entry(path, "gone", 0o644) for path, kind in kept.items() if kind == _GONE]
    wanted = {path for path, kind in kept.items() if kind != _GONE}
    layer = _Kept(scratch)
    with tarfile.open(fileobj=_stream(api.export(container)), mode="r|") as archive:
        for member in archive:
            path = member.name.strip("/")
            if path in wanted:
                layer.take(path, member, archive)
                wanted.discard(path)
    if unreadable := [path for path in wanted if "\ufffd" in path]:
        raise BuildError(f"the steps leave {unreadable[0]!r}, whose name is not UTF-8")
    return [*entries, *layer.entries.values()]


def _is_left(path: str) -> bool:
    top, _, below = path.partition("/")
    return (bool(below) and top in _NOT_KEPT) or path in _MADE_BY_ENGINE


class _Kept:
    """What of an archive becomes a layer: path -> entry; the bytes of files lie in `scratch`."""

    def __init__(self, scratch: Path) -> None:
        self.entries: dict[str, Entry] = {}
        self._scratch = scratch
        self._left_bytes = UNPACKED_LIMIT_BYTES

    def take(self, path: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Keep a member, unless a layer has no use for it. Raises `BuildError`: no layer can hold it."""
        mode, owner = stat.S_IMODE(member.mode), (member.uid, member.gid)
        if max(owner) >= OWNER_LIMIT:
            raise BuildError(f"the steps give {path!r} to user {owner[0]}, group {owner[1]}: too large a number")
        if member.isreg():
            self.entries[path] = Entry(path, "file", mode, member.size, self._bytes(member, archive), owner=owner)
        elif member.islnk():
            same = self.entries.get(member.linkname.strip("/"))
            if same is None:
                raise BuildError(f"the steps make {path!r} a hard link to a file of the base", "let them copy it: cp")
            self.entries[path] = replace(same, path=path)
        elif member.issym():
            self.entries[path] = Entry(path, "link", 0o777, target=member.linkname, owner=owner)
        elif member.isdir():
            self.entries[path] = Entry(path, "folder", mode, owner=owner)

    def _bytes(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> Blocks:
        self._left_bytes -= member.size
        if self._left_bytes < 0:
            raise BuildError(f"the steps leave more than {UNPACKED_LIMIT_BYTES} bytes")
        place, source = self._scratch / str(len(self.entries)), archive.extractfile(member)
        with place.open("wb") as file:
            file.writelines(blocks_of(source) if source else ())
        return lambda: blocks_of(place.open("rb"))


def _stream(blocks: Iterable[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Blocks(iter(blocks)), READ_BYTES)


class _Blocks(io.RawIOBase):
    """Blocks as a file that is read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever a buffer is
        """Fill a buffer with what there is; nothing at the end."""
        while not self._rest and (block := next(self._blocks, None)) is not None:
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
