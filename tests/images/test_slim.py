"""What is left of the front's own packages: as little as runs."""

import importlib.metadata
import os
import platform
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.images.elf import Asked, asked_by
from mmgit.images.origins import Machine
from mmgit.images.serving import INSTALLED
from mmgit.images.slim import loadable, slim
from mmgit.platforms import of_machine
from tests.serving.conftest import MAIN, launch, lay_out, running, until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.images.conftest import Kit

MEGABYTE = 10**6
PACKAGES = ("httptools", "msgspec", "uvloop")


def copy_installed(names: "Iterable[str]", folder: Path) -> None:
    """The files of installed packages, as an installer lays them out."""
    for name in names:
        for file in importlib.metadata.files(name) or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file() and source.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(sys.platform != "linux", reason="ELF files are those of Linux")
def test_front_scorer_sdk_and_shim_take_15_megabytes_at_most(tmp_path: Path) -> None:
    copy_installed((*PACKAGES, "orjson"), tmp_path)

    slim(tmp_path)

    own = sum(
        len(data) * (2 if path.startswith("__") else 1) for path, data in INSTALLED.files.items()
    )  # the first file lies beside front and SDK
    assert size_of(tmp_path) + own < 15 * MEGABYTE
    assert size_of(tmp_path) < 6 * MEGABYTE  # what it is, and a little room


def test_a_server_runs_from_packages_that_were_slimmed(tmp_path: Path) -> None:
    copy_installed(PACKAGES, tmp_path / "packages")
    slim(tmp_path / "packages")
    options = lay_out(tmp_path / "service")
    command = [sys.executable, "-I", "-S", str(MAIN), f"--packages={tmp_path}/packages", *options]

    service = launch(tmp_path / "service", command)

    until(service.is_ready)
    assert service.score(x=1).document == 1
    assert service.logged("listening", loop="uvloop")
    assert service.stop() == 0


def test_a_server_without_uvloop_falls_back_and_says_so(tmp_path: Path) -> None:
    copy_installed(("httptools", "msgspec"), tmp_path / "packages")
    options = lay_out(tmp_path / "service")
    command = [sys.executable, "-I", "-S", str(MAIN), f"--packages={tmp_path}/packages", *options]

    service = launch(tmp_path / "service", command)

    until(service.is_ready)
    assert service.score(x=1).document == 1
    assert service.logged("listening", loop="asyncio")
    assert service.stop() == 0


def test_nothing_of_ours_but_the_sdk_can_be_imported_where_the_users_code_runs(tmp_path: Path) -> None:
    for path, data in INSTALLED.files.items():
        if not path.startswith("serving/"):
            (tmp_path / "sdk" / "mmgit" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "sdk" / "mmgit" / path).write_bytes(data)
    bare = f"{sys.base_prefix}/bin/python3"
    score = """
import importlib.metadata, importlib.util

def run(x):
    names = ("httptools", "msgspec", "uvloop", "mmgit.serving", "mmgit.sdk")
    found = [name for name in names if importlib.util.find_spec(name)]
    return {"found": found, "installed": sorted(each.metadata["Name"] for each in importlib.metadata.distributions())}
"""
    question = "import importlib.metadata as m; print(sorted(each.metadata['Name'] for each in m.distributions()))"
    alone = subprocess.run([bare, "-c", question], capture_output=True, text=True, check=True)

    with running(tmp_path / "service", score=score, interpreter=bare, sdk_folder=str(tmp_path / "sdk")) as service:
        seen = service.score(x=1).document

    assert seen["found"] == ["mmgit.sdk"]
    assert str(seen["installed"]) == alone.stdout.strip()


def test_sources_and_lists_of_files_are_removed_and_licences_kept(tmp_path: Path) -> None:
    info = tmp_path / "a-1.dist-info"
    info.mkdir()
    kept = [info / "METADATA", info / "LICENSE", tmp_path / "a.py", tmp_path / "RECORD"]
    gone = [tmp_path / "a.pyx", tmp_path / "a.c", tmp_path / "a.pyi", info / "RECORD"]
    for path in (*kept, *gone):
        path.write_text("x")

    slim(tmp_path)

    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_a_file_that_shares_its_bytes_with_a_cache_is_replaced_and_not_written(kit: "Kit", tmp_path: Path) -> None:
    cached = tmp_path / "cached"
    cached.write_bytes(kit.elf_of("libc.so.6") + b"tables")
    (tmp_path / "site").mkdir()
    os.link(cached, tmp_path / "site" / "a.so")

    slim(tmp_path / "site")

    assert cached.read_bytes().endswith(b"tables")
    assert (tmp_path / "site" / "a.so").stat().st_ino != cached.stat().st_ino


@pytest.mark.skipif(sys.platform != "linux", reason="reads a binary of this machine")
def test_a_real_binary_loses_its_sections_and_nothing_that_is_loaded() -> None:
    [path] = [Path(str(file.locate())) for file in importlib.metadata.files("uvloop") or () if file.suffix == ".so"]
    whole = path.read_bytes()

    less = loadable(whole)

    here = of_machine(platform.machine()) or ""
    assert asked_by(less, here) == asked_by(whole, here) != Asked()
    assert less[64:] == whole[64 : len(less)]
    assert struct.unpack_from("<Q", less, 40) == (0,)


@pytest.mark.parametrize(
    "binary", [b"", b"\x7fELF", b"text", b"\x7fELF\x01\x01" + bytes(100), b"\x7fELF\x02\x01" + bytes(58)]
)
def test_what_is_no_such_binary_stays(binary: bytes) -> None:
    assert loadable(binary) == binary


@given(st.binary(max_size=300))
def test_noise_is_never_more_than_shortened(noise: bytes) -> None:
    data = b"\x7fELF\x02\x01" + noise

    assert len(loadable(data)) <= len(data)


@pytest.mark.network
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_layer_takes_15_megabytes_at_most_for_every_python(tmp_path: Path, minor: str, architecture: str) -> None:
    machine = Machine(f"linux/{architecture}", minor, "/usr/bin/python3", "2.36")

    entries = list(INSTALLED.entries(tmp_path, machine=machine))

    assert 2 * MEGABYTE < sum(entry.size_bytes for entry in entries) < 8 * MEGABYTE
    assert any("/uvloop/loop" in entry.path for entry in entries)
