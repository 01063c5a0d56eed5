"""Images of today's Debian and PyPI, for both platforms, and programs that run in them."""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.images.apt import DEFAULT_PACKAGES, BaseRequest, host_proxy, resolve_base
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.bases import packages_of
from mmgit.images.builder import Sources
from mmgit.images.contents import holders_of
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.layout import Layout
from mmgit.images.origins import Mirror
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile
from mmgit.spec.base import BaseSpec

if TYPE_CHECKING:
    from tests.images.conftest import Kit

pytestmark = pytest.mark.network

EMULATORS = {"linux/amd64": "qemu-x86_64", "linux/arm64": "qemu-aarch64"}
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
SCORE = b"import numpy\n"
PROGRAM = """
import sys; sys.path.insert(0, {dependencies!r})
import bz2, ctypes, decimal, hashlib, lzma, readline, sqlite3, ssl, zoneinfo
import numpy
print(sys.version_info[:2], numpy.ones(3).sum(), zoneinfo.ZoneInfo("Europe/Berlin"))
print(len(ssl.create_default_context().get_ca_certs()) > 100)
"""


@pytest.fixture(scope="module")
def base() -> BaseSpec:
    return resolve_base(BaseRequest(), Mirror())


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout(tmp_path_factory.mktemp("network") / "oci")


@pytest.fixture(scope="module")
def lock(base: BaseSpec, layout: Layout) -> Lock:
    pylock = lock_dependencies(Asked("numpy\n", "3.11")).pylock
    files = (RecipeFile("score.py", hashlib.sha256(SCORE).hexdigest(), len(SCORE)),)
    inputs = Inputs("python", "3.11", "score.py", files, (), hashlib.sha256(pylock).hexdigest())
    sources = Sources(base, {"score.py": lambda: io.BytesIO(SCORE)}, {}, pylock)
    recipe = Recipe(inputs, foundation_of(base, base.platforms))
    return Assembler(layout, Mirror(proxy=host_proxy)).build(recipe, sources)


@pytest.fixture(params=["linux/amd64", "linux/arm64"])
def root(request: pytest.FixtureRequest, lock: Lock, layout: Layout, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A platform, and the root file system of its image."""
    folder = tmp_path / "root"
    for layer in lock.platforms[request.param].layers:
        with tarfile.open(layout.path(layer.digest)) as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # not before CPython 3.11.4
            archive.extractall(folder)  # noqa: S202 - we made the archive
    yield request.param, folder
    shutil.rmtree(folder)


def test_todays_base_has_the_least_that_numpy_needs(base: BaseSpec) -> None:
    names = {each.name for each in packages_of(base, "linux/arm64")}

    assert set(DEFAULT_PACKAGES) <= names
    assert not names & {"dpkg", "bash", "dash", "perl-base", "debconf", "openssl"}
    assert base.python is not None
    assert base.python.minor == "3.11"


def test_numpy_runs_in_the_image(root: tuple[str, Path]) -> None:
    name, folder = root
    is_native = MACHINES[name] == platform.machine()
    emulator = shutil.which(EMULATORS[name])
    if is_native and os.geteuid() == 0:
        command = ["chroot", "--userspec=65532:65532", str(folder), "/usr/bin/python3"]
        dependencies = "/opt/dependencies"
    elif emulator:
        command = [emulator, "-L", str(folder), str(folder / "usr/bin/python3.11")]
        dependencies = str(folder / "opt/dependencies")
    else:
        pytest.skip(f"running {name} here needs root or {EMULATORS[name]}")

    done = subprocess.run(
        [*command, "-I", "-B", "-c", PROGRAM.format(dependencies=dependencies)],
        capture_output=True,
        check=False,
        timeout=250,
        env={"PATH": os.environ["PATH"]},
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "(3, 11) 3.0 Europe/Berlin"
    assert is_native is False or done.stdout.splitlines()[1] == "True"


def test_our_server_takes_15_mb_at_most_and_adds_no_package_to_the_users(root: tuple[str, Path]) -> None:
    _, folder = root

    ours = sum(file.lstat().st_size for file in (folder / "opt/mmgit").rglob("*") if file.is_file())
    theirs = {path.name.partition("-")[0] for path in (folder / "opt/dependencies").iterdir()}

    assert 1_000_000 < ours < 15_000_000
    assert theirs <= {"numpy", "numpy.libs", "bin"}


def test_there_is_no_shell_in_the_image(root: tuple[str, Path]) -> None:
    _, folder = root

    assert not [path for name in ("sh", "bash", "dash", "busybox") for path in folder.glob(f"usr/bin/{name}")]


def test_the_base_of_the_image_is_small(lock: Lock) -> None:
    for image in lock.platforms.values():
        assert image.layers[0].size_bytes < 30 * 2**20


@pytest.mark.parametrize("platform_", ["linux/amd64", "linux/arm64"])
def test_another_suite_has_another_python(platform_: str) -> None:
    base = resolve_base(BaseRequest(suite="trixie", platforms=(platform_,)), Mirror())

    assert base.python is not None
    assert (base.python.minor, base.libc) == ("3.13", "2.41")
    assert {each.path.rpartition("_")[2] for each in packages_of(base, platform_)} == {
        f"{platform_.removeprefix('linux/')}.deb",
        "all.deb",
    }


def test_the_packages_of_libraries_are_those_of_the_archive() -> None:
    libraries = ["libGL.so.1", "libtbb.so.12", "libgthread-2.0.so.0"]

    found = holders_of(libraries, "bookworm", "linux/arm64", Mirror(proxy=host_proxy))

    assert [found[library].package for library in libraries] == ["libgl1", "libtbb12", "libglib2.0-0"]
    assert not any(holder.is_guessed for holder in found.values())


def test_a_lock_of_real_packages_names_pypi_only(kit: "Kit") -> None:
    lock = lock_dependencies(Asked("numpy\nscikit-learn\n", "3.11")).pylock.decode()

    assert lock.count("https://") == lock.count("https://files.pythonhosted.org/")
    assert kit.sha256(lock_dependencies(Asked("scikit-learn\nnumpy\n", "3.11")).pylock) == kit.sha256(lock.encode())
