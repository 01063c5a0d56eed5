"""What tests of images share: packages and wheels made on the spot, servers on loopback, and a small world to build.

`World` is everything that a tiny image for two platforms is made of, served by real servers on this machine.
"""

import base64
import csv
import functools
import hashlib
import http.server
import io
import json
import os
import socket
import struct
import tarfile
import threading
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import pytest

from mmgit.images import wire
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.customise import RunSteps, without_engine
from mmgit.images.layout import Layout
from mmgit.images.origins import Index, Mirror
from mmgit.images.serving import Serving
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile, RecipeModel
from mmgit.spec.base import BaseSpec

PLATFORMS = ("linux/amd64", "linux/arm64")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def member(name: str, data: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def tar_of(*members: tuple[tarfile.TarInfo, bytes], compression: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def ar_of(*members: tuple[str, bytes]) -> bytes:
    """An ar archive. Source: ar(5)."""
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


def deb_of(*members: tuple[tarfile.TarInfo, bytes], compression: str = "xz") -> bytes:
    data = tar_of(*members, compression=compression)
    suffix = f".{compression}" if compression else ""
    return ar_of(("debian-binary", b"2.0\n"), ("control.tar.xz", b""), (f"data.tar{suffix}", data))


def wheel_of(
    name: str,
    files: Mapping[str, str | bytes],
    *,
    entry_points: str = "",
    version: str = "1.0",
    requires: tuple[str, ...] = (),
) -> tuple[str, bytes]:
    """A pure wheel: its file name and bytes. Source: PyPA, "Binary distribution format"."""
    name = name.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    content: dict[str, str | bytes] = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {each}\n" for each in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": entry_points} if entry_points else {}),
    }
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for path, text in content.items():
        data = text if isinstance(text, bytes) else text.encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(data)])
    rows.writerow([f"{info}/RECORD", "", ""])
    content[f"{info}/RECORD"] = record.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-py3-none-any.whl", out.getvalue()


def elf_of(
    *needed: str,
    versions: Iterable[tuple[str, str]] = (),
    defines: Sequence[str] = (),
    elf: tuple[int, int, int] = (2, 1, 62),
) -> bytes:
    """The least shared library: one LOAD and one DYNAMIC segment. Source: System V ABI, and LSB for versions.

    `elf` are its class, byte order and machine.
    """
    width, byte_order, machine = elf
    order, is_wide = {1: "<", 2: ">"}[byte_order], width == 2

    def pack(form: str, *values: Any) -> bytes:
        return struct.pack(order + form, *values)

    versions = tuple(versions)
    names = dict.fromkeys([*needed, *(name for pair in versions for name in pair), *defines])
    strings, at = b"\0", {}
    for name in names:
        at[name] = len(strings)
        strings += name.encode() + b"\0"
    asked = b"".join(
        pack("HHIII", 1, 1, at[library], 16, 32 if left else 0) + pack("IHHII", 0, 0, 2, at[version], 0)
        for left, (library, version) in zip(range(len(versions) - 1, -1, -1), versions, strict=True)
    )
    defined = b"".join(
        pack("HHHHIII", 1, 0, 2, 1, 0, 20, 28 if left else 0) + pack("II", at[version], 0)
        for left, version in zip(range(len(defines) - 1, -1, -1), defines, strict=True)
    )
    begin = 64 + 2 * 56 if is_wide else 52 + 2 * 32
    tables = strings + asked + defined
    places = [(5, 0x1000 + begin)]
    places += [(0x6FFFFFFE, 0x1000 + begin + len(strings))] if asked else []
    places += [(0x6FFFFFFC, 0x1000 + begin + len(strings + asked))] if defined else []
    entries = [*((1, at[name]) for name in needed), *places, (0, 0)]
    dynamic = b"".join(pack("qQ" if is_wide else "iI", *entry) for entry in entries)
    dynamic_at = begin + len(tables)
    size = dynamic_at + len(dynamic)
    ident = b"\x7fELF" + bytes([width, byte_order, 1])
    if is_wide:
        head = pack("16sHHIQQQIHHHHHH", ident, 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        load = pack("IIQQQQQQ", 1, 4, 0, 0x1000, 0x1000, size, size, 1)
        place = pack("IIQQQQQQ", 2, 4, dynamic_at, 0x1000 + dynamic_at, 0, len(dynamic), len(dynamic), 8)
    else:
        head = pack("16sHHIIIIIHHHHHH", ident, 3, machine, 1, 0, 52, 0, 0, 52, 32, 2, 0, 0, 0)
        load = pack("IIIIIIII", 1, 0, 0x1000, 0x1000, size, size, 4, 1)
        place = pack("IIIIIIII", 2, dynamic_at, 0x1000 + dynamic_at, 0, len(dynamic), len(dynamic), 4, 4)
    return head + load + place + tables + dynamic


@dataclass
class Site:
    """A web server on loopback: what it serves, `path -> bytes`, and what it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """Path -> statuses to answer with first, one a request."""
    cut: dict[str, list[int]] = field(default_factory=dict)
    """Path -> how many bytes of the body come before the server breaks off, one a request."""
    redirects: dict[str, str] = field(default_factory=dict)
    anywhere: bytes | None = None
    """What it serves at any other path."""
    asked: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    wants: str = ""
    """The Authorization header without which it answers 401."""
    bodies: list[bytes] = field(default_factory=list)


class _SiteHandler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site, path = self.site, self.path
        site.asked.append(path)
        site.authorizations.append(self.headers.get("Authorization", ""))
        site.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        statuses = site.statuses.get(path.partition("?")[0])
        if site.wants and site.authorizations[-1] != site.wants:
            self._answer(401, b"")
        elif statuses:
            self._answer(statuses.pop(0), b"")
        elif path in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path in site.files:
            self._answer(200, site.files[path])
        elif site.anywhere is not None:
            self._answer(200, site.anywhere)
        else:
            self._answer(404, b"")

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: self.site.cut[self.path].pop(0)] if self.site.cut.get(self.path) else data)

    def log_message(self, *_: object) -> None:
        pass


def running(server: http.server.ThreadingHTTPServer) -> Iterator[str]:
    """The address of a server that runs until the generator is closed."""
    thread = threading.Thread(target=functools.partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    yield from _served()


@pytest.fixture
def private_site() -> Iterator[Site]:
    """A second server, which may want a login."""
    yield from _served()


def _served() -> Iterator[Site]:
    found = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_SiteHandler,), {"site": found}))
    for address in running(server):
        found.url = f"http://{address}"
        yield found


@pytest.fixture(autouse=True)
def _own_cache_of_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests make never enters the cache of whoever runs them, unless real packages are wanted."""
    if "MMGIT_TEST_NETWORK" not in os.environ:
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "oci")


def publish(site: Site, *wheels: tuple[str, bytes]) -> Index:
    """A simple index over `wheels` on `site`. Source: PEP 503."""
    pages: dict[str, str] = {}
    for name, data in wheels:
        site.files[f"/files/{name}"] = data
        project = name.partition("-")[0].replace("_", "-")
        page = f'<a href="{site.url}/files/{name}#sha256={sha256(data)}">{name}</a>'
        pages[project] = pages.get(project, "") + page
    site.files.update({f"/simple/{project}/": page.encode() for project, page in pages.items()})
    return Index(f"{site.url}/simple", ("127.0.0.1",))


def pylock_of(site: Site, *wheels: tuple[str, bytes]) -> bytes:
    """A lock of `wheels`, as uv would write it. Source: PEP 751."""
    lock = 'lock-version = "1.0"\ncreated-by = "test"\npackages = [\n'
    for name, data in wheels:
        site.files[f"/files/{name}"] = data
        project, version = name.split("-")[:2]
        wheel = f'{{ url = "{site.url}/files/{name}", size = {len(data)}, hashes = {{ sha256 = "{sha256(data)}" }} }}'
        lock += f'  {{ name = "{project}", version = "{version}", wheels = [{wheel}] }},\n'
    return f"{lock}]\n".encode()


def package_files(architecture: str) -> tuple[tuple[tarfile.TarInfo, bytes], ...]:
    return (
        member("./", type=tarfile.DIRTYPE),
        member("./lib/libc.so.6", b"libc " + architecture.encode()),
        member("./usr/bin/python3", b"\x7fELF", mode=0o755),
        member("./usr/share/ca-certificates/mozilla/A.crt", b"A certificate\n"),
    )


@dataclass
class World:
    """All that a tiny image is made of; change `score` or `model`, then `build()`."""

    site: Site
    layout: Layout
    base: BaseSpec
    serving: Serving
    pylock: bytes
    score: bytes = b"def run(x):\n    return x\n"
    model: bytes = b"weights"
    volume: bool = False
    model_file: str = "model.bin"
    steps: bytes | None = None
    run_steps: RunSteps = without_engine

    @property
    def index(self) -> Index:
        return Index(f"{self.site.url}/simple", ("127.0.0.1",))

    @property
    def inputs(self) -> Inputs:
        return Inputs(
            runtime="python",
            python="3.11",
            scoring="score.py",
            files=(RecipeFile("score.py", sha256(self.score), len(self.score)),),
            models=(RecipeModel("digits", (RecipeFile(self.model_file, sha256(self.model), len(self.model)),)),),
            dependencies=sha256(self.pylock),
            volume=self.volume,
            steps=sha256(self.steps) if self.steps is not None else None,
        )

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.inputs, foundation_of(self.base, PLATFORMS, serving=self.serving))

    @property
    def sources(self) -> Sources:
        score, model = self.score, self.model
        return Sources(
            self.base,
            {"score.py": lambda: io.BytesIO(score)},
            {("digits", self.model_file): lambda: io.BytesIO(model)},
            self.pylock,
            steps=self.steps,
        )

    @property
    def assembler(self) -> Assembler:
        mirror = Mirror(f"{self.site.url}/debian", f"{self.site.url}/security", f"{self.site.url}/snapshot")
        return Assembler(self.layout, mirror, self.index, self.serving, run_steps=self.run_steps)

    def build(self) -> Lock:
        return self.assembler.build(self.recipe, self.sources)

    def elsewhere(self, folder: Path) -> "World":
        """The same world with an empty layout."""
        return replace(self, layout=Layout(folder))


@pytest.fixture
def world(site: Site, layout: Layout, tmp_path: Path) -> World:
    platforms = {}
    for platform in PLATFORMS:
        architecture = platform.removeprefix("linux/")
        deb = deb_of(*package_files(architecture))
        path = f"pool/main/p/python3_3.11.2_{architecture}.deb"
        site.files[f"/debian/{path}"] = deb
        locked = {"name": "python3-minimal", "version": "3.11.2", "path": path, "size": len(deb), "sha256": sha256(deb)}
        platforms[platform] = [locked]
    base = BaseSpec.read(
        {
            "apiVersion": "mmgit.dev/v1",
            "kind": "Base",
            "suite": "bookworm",
            "packages": ["python3-minimal"],
            "python": {"path": "/usr/bin/python3", "minor": "3.11"},
            "libc": "2.36",
            "platforms": platforms,
        }
    )
    package = tmp_path / "package"
    for name, text in {
        "__init__.py": "",
        "sdk/__init__.py": "",
        "sdk/schema.py": "",
        "shim/packages/azureml/assets.py": "",
        "serving/__init__.py": "",
        "serving/front/main.py": "serve()\n",
        "serving/front/pylock.toml": pylock_of(site, wheel_of("frontier", {"frontier.py": ""})).decode(),
        "serving/scorer/pylock.toml": pylock_of(site, wheel_of("quick", {"quick.py": ""})).decode(),
        "serving/tests/test_it.py": "never in an image",
        "serving/__pycache__/x.pyc": "never in an image",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    pylock = pylock_of(site, wheel_of("tiny", {"tiny.py": "x = 1\n"}, entry_points="[console_scripts]\nt=tiny:x\n"))
    return World(site, layout, base, Serving(package), pylock)


def files_in(archive: bytes) -> dict[str, bytes]:
    """The regular files of a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {info.name: opened.extractfile(info).read() for info in opened if info.isreg()}  # type: ignore[union-attr]


@dataclass
class FakeRegistry:
    """A small image registry on loopback, and the ways in which it can misbehave."""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method and path of every request, in order."""
    faults: list[tuple[str, str, int | str]] = field(default_factory=list)
    """(method, part of the path, status, `reset` or `short`), each used once."""
    retry_after: str = ""
    says: str = ""
    """The digest that it says it stored."""
    lies: bytes | None = None
    """What it gives instead of any blob or manifest."""
    wants: str = ""
    """The Authorization header without which it answers 401."""
    challenge: str = ""
    mounts: bool = True
    uploads: list[bytes] = field(default_factory=list)
    """What was sent of each upload that was not made a blob in one request."""
    cuts: list[int] = field(default_factory=list)
    """After how many bytes of a stream the connection is reset, each used once."""
    remembers: bool = True
    """Whether it knows how far an upload is."""
    lists_referrers: bool = False
    """Whether it has the referrers API."""
    meanwhile: list[tuple[str, bytes]] = field(default_factory=list)
    """(tag, data): what somebody else puts there right before somebody writes that tag, each once."""
    redirect_blobs_to: str = ""
    seen_authorization: list[str] = field(default_factory=list)


class _RegistryHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: FakeRegistry

    def do_any(self) -> None:
        registry = self.registry
        data = b"" if self.command == "PATCH" else self.rfile.read(int(self.headers.get("Content-Length") or 0))
        registry.asked.append(f"{self.command} {self.path}")
        registry.seen_authorization.append(self.headers.get("Authorization", ""))
        for fault in registry.faults:
            method, part, status = fault
            if method == self.command and part in self.path:
                registry.faults.remove(fault)
                if self.command == "PATCH" and status != "reset":
                    deque(self._stream(), maxlen=0)  # who is answered before is still sending
                self._fail(status)
                return
        if registry.wants and self.headers.get("Authorization") != registry.wants:
            self._answer(401, b"{}", {"WWW-Authenticate": registry.challenge})
            return
        getattr(self, f"_{self.command.lower()}")(urlsplit(self.path), data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_any  # noqa: N815 - the names that http.server looks for

    def _fail(self, status: int | str) -> None:
        if status == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if status == "short":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
            return
        body = b'{"errors": [{"code": "DENIED", "message": "the secret is hunter2"}]}'
        headers = {"Retry-After": self.registry.retry_after} if self.registry.retry_after else {}
        self._answer(int(status), body, headers)

    def _get(self, url: SplitResult, _: bytes) -> None:
        registry, reference = self.registry, url.path.rpartition("/")[2]
        if url.path == "/v2/":
            self._answer(200, b"{}")
            return
        if "/blobs/uploads/" in url.path:
            self._answer_upload(204 if registry.remembers else 404, url)
            return
        if registry.redirect_blobs_to and "/blobs/" in url.path:
            self._answer(307, b"", {"Location": f"{registry.redirect_blobs_to}/{reference}"})
            return
        if "/referrers/" in url.path and registry.lists_referrers:
            self._answer(200, json.dumps({"schemaVersion": 2, "manifests": self._referrers(reference)}).encode())
            return
        if "/referrers/" in url.path:
            self._answer(404, b"404 page not found")
            return
        data = (registry.blobs if "/blobs/" in url.path else registry.manifests).get(reference)
        if data is None:
            self._answer(404, b'{"errors": [{"code": "UNKNOWN"}]}')
        else:
            said = {"Docker-Content-Digest": registry.says} if registry.says else {}
            self._answer(200, data if registry.lies is None else registry.lies, said)

    _head = _get

    def _referrers(self, subject: str) -> list[dict[str, Any]]:
        found = {digest: json.loads(data) for digest, data in self.registry.manifests.items() if ":" in digest}
        return [
            {"digest": digest, "size": 1, "mediaType": "m", "artifactType": manifest["artifactType"]}
            for digest, manifest in found.items()
            if manifest.get("subject", {}).get("digest") == subject
        ]

    def _post(self, url: SplitResult, _: bytes) -> None:
        query = parse_qs(url.query)
        if self.registry.mounts and query.get("mount", [""])[0] in self.registry.blobs:
            self._answer(201, b"")
        else:
            self.registry.uploads.append(b"")
            self._answer(202, b"", {"Location": f"{url.path}upload-{len(self.registry.uploads)}?state=x"})

    def _patch(self, url: SplitResult, _: bytes) -> None:
        number = int(url.path.rpartition("-")[2]) - 1
        begin = int((self.headers.get("Content-Range") or "0-").partition("-")[0])
        if begin != len(self.registry.uploads[number]):
            self._answer(416, b"")
            return
        room = self.registry.cuts.pop(0) if self.registry.cuts else None
        for block in self._stream():
            self.registry.uploads[number] += block[:room]
            room = room if room is None else room - len(block)
            if room is not None and room <= 0:
                self._fail("reset")
                return
        self._answer_upload(202, url)

    def _stream(self) -> Iterator[bytes]:
        if "Content-Length" in self.headers:
            for left in range(int(self.headers["Content-Length"]), 0, -1000):
                yield self.rfile.read(min(left, 1000))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer_upload(self, status: int, url: SplitResult) -> None:
        there = len(self.registry.uploads[int(url.path.rpartition("-")[2]) - 1])
        self._answer(status, b"", {"Location": f"{url.path}?state=y", "Range": f"0-{max(0, there - 1)}"})

    def _put(self, url: SplitResult, data: bytes) -> None:
        if "/blobs/uploads/" in url.path:
            data = self.registry.uploads[int(url.path.rpartition("-")[2]) - 1] + data
        found = f"sha256:{sha256(data)}"
        if "/manifests/" in url.path:
            reference = url.path.rpartition("/")[2]
            other = next((each for each in self.registry.meanwhile if each[0] == reference), None)
            if other:
                self.registry.meanwhile.remove(other)
                data = other[1]  # the other one wrote last
            self.registry.manifests.update({reference: data, f"sha256:{sha256(data)}": data})
            headers = {"Docker-Content-Digest": self.registry.says or found}
            if self.registry.lists_referrers and b'"subject"' in data:
                headers["OCI-Subject"] = json.loads(data)["subject"]["digest"]
            self._answer(201, b"", headers)
        elif parse_qs(url.query)["digest"] == [found]:
            self.registry.blobs[found] = data
            self._answer(201, b"", {"Docker-Content-Digest": self.registry.says or found})
        else:
            self._answer(400, b'{"errors": [{"code": "DIGEST_INVALID"}]}')

    def _answer(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    yield from fake_registry_running()


@pytest.fixture
def other_registry(fake_registry: FakeRegistry) -> Iterator[FakeRegistry]:  # noqa: ARG001 - it sets the pauses
    yield from fake_registry_running()


def fake_registry_running() -> Iterator[FakeRegistry]:
    """A registry that runs until the generator is closed."""
    found = FakeRegistry()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (_RegistryHandler,), {"registry": found})
    )
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    for address in running(server):
        found.host = address
        yield found


class Kit:
    """The functions above, for tests."""

    ar_of = staticmethod(ar_of)
    deb_of = staticmethod(deb_of)
    elf_of = staticmethod(elf_of)
    files_in = staticmethod(files_in)
    member = staticmethod(member)
    publish = staticmethod(publish)
    pylock_of = staticmethod(pylock_of)
    running = staticmethod(running)
    sha256 = staticmethod(sha256)
    tar_of = staticmethod(tar_of)
    wheel_of = staticmethod(wheel_of)


@pytest.fixture
def kit() -> Kit:
    return Kit()
