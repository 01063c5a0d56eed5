"""A CPython of any minor version: from the PATH, else of Debian, unpacked into a folder and started by its own libc."""

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

import mmgit.images
from tests.serving.conftest import interpreter_of

_KEYRING = Path(mmgit.images.__file__).parent / "keyrings" / "debian-archive-keyring.gpg"
_SUITES = {"3.13": "trixie", "3.14": "forky"}
_PACKAGES = ("python{}-minimal", "libpython{}-stdlib", "libstdc++6")


@cache
def any_interpreter_of(minor: str) -> str:
    """The path of an interpreter, on the PATH or of Debian; skips the test when neither has one."""
    try:
        return interpreter_of(minor)
    except pytest.skip.Exception:
        if minor not in _SUITES:
            raise
    folder = Path(mkdtemp(prefix=f"mmgit-python{minor}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _debians(minor, folder)


def _debians(minor: str, folder: Path) -> str:
    """A command that runs Debian's; nothing is installed. Suites that are not released yet may have an old list."""
    for name in ("lists/partial", "archives/partial", "etc"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb [signed-by={_KEYRING}] http://deb.debian.org/debian {_SUITES[minor]} main\n"
    (folder / "etc" / "sources.list").write_text(source)
    places = {
        "Dir::Etc": folder / "etc",
        "Dir::State": folder,
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Acquire::Check-Valid-Until": "false",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "false",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in places.items())]
    subprocess.run([*apt, "update"], check=True, capture_output=True, timeout=200)
    names = [name.format(minor) for name in _PACKAGES]
    subprocess.run([*apt, "install", "-y", "--download-only", *names], check=True, capture_output=True, timeout=200)
    for package in (folder / "archives").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
    usr = folder / "root" / "usr"
    [loader], [libraries] = usr.glob("lib*/ld-linux-*.so.*"), usr.glob("lib/*-linux-gnu")
    command = folder / f"python{minor}"
    command.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {usr}/bin/python{minor} "$@"\n')
    command.chmod(0o755)
    return str(command)
