"""What tests of images share: packages and wheels made on the spot, servers on loopback, and a small world to build.

`World` is everything that a tiny image for two platforms is made of, served by real servers on this machine.
"""

import base64
import csv
import functools
import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.layout import Layout
from mmgit.images.origins import Index, Mirror
from mmgit.images.serving import Serving
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile, RecipeModel
from mmgit.spec.base import BaseSpec

PLATFORMS = ("linux/amd64", "linux/arm64")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def member(name: str, data: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:  # noqa: ANN401 - TarInfo's
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


def wheel_of(name: str, files: Mapping[str, str], *, entry_points: str = "", version: str = "1.0") -> tuple[str, bytes]:
    """A pure wheel: its file name and bytes. Source: PyPA, "Binary distribution format"."""
    info = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": entry_points} if entry_points else {}),
    }
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for path, text in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(text.encode())])
    rows.writerow([f"{info}/RECORD", "", ""])
    content[f"{info}/RECORD"] = record.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-py3-none-any.whl", out.getvalue()


@dataclass
class Site:
    """A web server on loopback: what it serves, `path -> bytes`, and what it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """Path -> statuses to answer with first, one a request."""
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


class _SiteHandler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site, path = self.site, self.path
        site.asked.append(path)
        if site.statuses.get(path):
            self._answer(site.statuses[path].pop(0), b"")
        elif path in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path in site.files:
            self._answer(200, site.files[path])
        else:
            self._answer(404, b"")

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

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
            models=(RecipeModel("digits", (RecipeFile("model.bin", sha256(self.model), len(self.model)),)),),
            dependencies=sha256(self.pylock),
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
            {("digits", "model.bin"): lambda: io.BytesIO(model)},
            self.pylock,
        )

    @property
    def assembler(self) -> Assembler:
        mirror = Mirror(f"{self.site.url}/debian", f"{self.site.url}/security", f"{self.site.url}/snapshot")
        return Assembler(self.layout, mirror, self.index, self.serving)

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
    base = BaseSpec.model_validate(
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
        "serving/__init__.py": "",
        "serving/front/main.py": "serve()\n",
        "serving/front/pylock.toml": pylock_of(site, wheel_of("frontier", {"frontier.py": ""})).decode(),
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


class Kit:
    """The functions above, for tests."""

    ar_of = staticmethod(ar_of)
    deb_of = staticmethod(deb_of)
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
