"""Images of real packages in conda's form, for both platforms: Debian's Python, and NumPy and joblib of PyPI."""

import hashlib
import http.client
import io
import json
import os
import platform
import shutil
import socket
import stat
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mmgit.images import deb
from mmgit.images.apt import BaseRequest, host_proxy, resolve_base
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.conda.asked import conda_file
from mmgit.images.conda.layer import CondaSource
from mmgit.images.conda.solving import names_in, solve
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.layout import Layout
from mmgit.images.origins import Machine, Mirror
from mmgit.images.packages import fetch
from mmgit.images.site import lay_out, site_entries
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile
from mmgit.spec.base import BaseSpec
from tests.conda_channel import Channel, Given, Package

pytestmark = pytest.mark.network

SUBDIRS = {"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
NATIVE = {machine: name for name, machine in MACHINES.items()}[platform.machine()]
PATH = {"PATH": os.environ["PATH"]}
PYTHON = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")
SCORE = b"""import json, sys
import joblib, numpy, threadpoolctl

def run(x):
    total = sum(joblib.Parallel(n_jobs=1)(joblib.delayed(numpy.square)(each) for each in json.loads(x)["x"]))
    return {"total": float(total), "python": sys.executable, "numpy": numpy.__file__, "pip": threadpoolctl.__file__}
"""
BODY = b'{"x": [1, 2, 3]}'
PLACE = "/opt/dependencies"


def python_of(base: BaseSpec, name: str, layout: Layout) -> Package:
    """Debian's Python as a package: where it looks for packages, it finds those of conda's folder."""
    files = {"lib/python3.11/dist-packages/conda.pth": Given(f"{PLACE}/lib/python3.11/site-packages\n".encode())}
    packages = next(each for key, each in base.platforms.items() if key == name)
    assert isinstance(packages, tuple)
    for package in packages:
        if package.name in PYTHON:
            for entry in deb.entries(fetch(package, layout, Mirror(proxy=host_proxy)), package.name):
                path = entry.path.removeprefix("usr/")
                if entry.kind == "file" and path.startswith(("bin/python3.11", "lib/python3.11/")):
                    files[path] = Given(b"".join(entry.blocks()), entry.mode)
    return Package("python", files, version="3.11.2")


def package_of(requirement: str, machine: Machine, folder: Path, noarch: str = "") -> Package:
    """A wheel of PyPI as a package."""
    name, _, version = requirement.partition("==")
    lay_out(lock_dependencies(Asked(f"{requirement}\n", "3.11")).pylock, machine, folder)
    below = "" if noarch else "lib/python3.11/"
    files = {
        f"{below}{entry.path}": Given(b"".join(entry.blocks()), entry.mode)
        for entry in site_entries(folder, "site-packages", f"{PLACE}/bin/python3.11")
        if not entry.path.startswith("site-packages/bin/")
    }
    return Package(name, files, version, ("python >=3.11,<3.12.0a0",), noarch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conda")


@pytest.fixture(scope="module")
def built(place: Path) -> tuple[Lock, Layout]:
    """An image of score.py with an environment from a channel in a folder, and a package of `pip:` beside it."""
    base, layout = resolve_base(BaseRequest(), Mirror()), Layout(place / "oci")
    channel = Channel(place / "channels/real")
    machines = [Machine(name, "3.11", "/usr/bin/python3", base.libc) for name in SUBDIRS]
    for machine in machines:
        channel.add(SUBDIRS[machine.platform], python_of(base, machine.platform, layout))
        numpy = package_of("numpy==2.1.0", machine, place / machine.architecture)
        channel.add(SUBDIRS[machine.platform], numpy)
    channel.add("noarch", package_of("joblib==1.4.2", machines[0], place / "joblib", noarch="python"))
    said = {"channels": ["./channels/real"], "dependencies": ["numpy >=2", "joblib", {"pip": ["threadpoolctl"]}]}
    conda = solve(conda_file(said), machines, place)
    pylock = lock_dependencies(Asked("threadpoolctl\n", "3.11", excluded=names_in(conda))).pylock
    digests = [hashlib.sha256(data).hexdigest() for data in (SCORE, pylock, conda)]
    score = RecipeFile("score.py", digests[0], len(SCORE))
    inputs = Inputs("python", "3.11", "score.py", (score,), (), digests[1], digests[2])
    opened = {"score.py": lambda: io.BytesIO(SCORE)}
    source = CondaSource(conda, lambda path: (place / path).open("rb"))
    recipe = Recipe(inputs, foundation_of(base, base.platforms))
    assembler = Assembler(layout, Mirror(proxy=host_proxy))
    return assembler.build(recipe, Sources(base, opened, {}, pylock, conda=source)), layout


@pytest.fixture(params=SUBDIRS)
def root(request: pytest.FixtureRequest, built: tuple[Lock, Layout], tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A platform, and the root file system of its image."""
    lock, layout = built
    folder = tmp_path / "root"
    for layer in lock.platforms[request.param].layers:
        with tarfile.open(layout.path(layer.digest)) as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # not before CPython 3.11.4
            archive.extractall(folder)  # noqa: S202 - we made the archive
    yield request.param, folder
    shutil.rmtree(folder)


def answer(port: int) -> dict[str, object]:
    """What the server in the image says to a score, once it is up."""
    for _ in range(300):
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", "/api/v1/service/iris/score", BODY, {"content-type": "application/json"})
            response = connection.getresponse()
            if response.status == 200:
                found: dict[str, object] = json.loads(response.read())
                return found
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.mark.parametrize("root", [NATIVE], indirect=True)
def test_the_image_starts_and_predicts_with_condas_python(root: tuple[str, Path], tmp_path: Path) -> None:
    _, folder = root
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"service": "iris", "authentication": "none", "bind": "127.0.0.1", "port": port, "admin_port": 0}
    (folder / "etc/mmgit/settings").mkdir(parents=True)
    (folder / "etc/mmgit/settings/settings.json").write_text(json.dumps(settings))
    (folder / "dev").mkdir(exist_ok=True)
    os.mknod(folder / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    command = ["chroot", str(folder), "/usr/bin/python3", "-I", "/opt/mmgit/front/main.py"]

    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=PATH) as server:
        try:
            found = answer(port)
        finally:
            server.terminate()

    assert found["total"] == 14.0
    assert found["python"] == f"{PLACE}/bin/python3.11"
    assert str(found["numpy"]).startswith(f"{PLACE}/lib/python3.11/site-packages/numpy/")
    assert str(found["pip"]).startswith(f"{PLACE}/lib/python3.11/site-packages/")


def test_the_environment_runs_on_its_platform(root: tuple[str, Path]) -> None:
    name, folder = root
    emulator = shutil.which(f"qemu-{MACHINES[name]}")
    if emulator is None:
        pytest.skip(f"running {name} here needs qemu-{MACHINES[name]}")
    site = folder / "opt/dependencies/lib/python3.11/site-packages"
    program = f"import sys; sys.path[:0] = [{str(site)!r}, {str(folder / 'srv/scoring')!r}]\n"
    program += f"import json, score; print(json.dumps(score.run({BODY!r})))"
    interpreter = str(folder / "opt/dependencies/bin/python3.11")

    done = subprocess.run(
        [emulator, "-L", str(folder), interpreter, "-I", "-B", "-c", program],
        env=PATH,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["total"] == 14.0


def test_the_layers_of_both_platforms_are_made_of_what_each_locked(built: tuple[Lock, Layout]) -> None:
    lock, layout = built
    found = {}
    for name, image in lock.platforms.items():
        with tarfile.open(layout.path(image.layers[1].digest)) as archive:
            python = archive.extractfile("opt/dependencies/bin/python3.11")
            found[name] = python.read(20)[18:20] if python else b""
            assert not [each for each in archive.getnames() if each.endswith(".pyc")]

    assert found == {"linux/amd64": b"\x3e\0", "linux/arm64": b"\xb7\0"}
