"""The one table of platforms agrees with what is declared, with the locks of the server's packages, and with Debian."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import mmgit
from mmgit.images.fitting import fits
from mmgit.images.origins import Machine
from mmgit.platforms import PLATFORMS, of_architecture, of_machine
from mmgit.spec.fields import Platform

SERVING = Path(mmgit.__file__).parent / "serving"


def test_declared_files_may_name_every_platform_of_the_table() -> None:
    assert get_args(Platform) == tuple(PLATFORMS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_name_is_system_architecture_and_variant(name: str) -> None:
    described = PLATFORMS[name].described

    assert "/".join([described["os"], described["architecture"], *filter(None, [described.get("variant")])]) == name


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platform_is_found_by_its_processor_and_by_what_an_engine_says(name: str) -> None:
    assert of_machine(PLATFORMS[name].machine) == name
    assert of_architecture("linux", PLATFORMS[name].architecture) == name


def test_what_is_no_platform_stays_what_it_was_called() -> None:
    assert of_machine("sparc64") is None
    assert of_architecture("linux", "mips64le") == "linux/mips64le"
    assert of_architecture("windows", "amd64") == "windows/amd64"


@pytest.mark.parametrize("minor", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("name", PLATFORMS)
def test_the_server_goes_without_what_its_locks_have_no_wheel_of(name: str, minor: str) -> None:
    machine = Machine(name, minor, "/usr/bin/python3", "2.41")
    wheels: dict[str, list[str]] = {}
    for part in ("front", "scorer"):
        for package in tomllib.loads((SERVING / part / "pylock.toml").read_text())["packages"]:
            if "3.9.*" not in package.get("marker", ""):
                wheels[package["name"]] = [each["url"].rpartition("/")[2] for each in package["wheels"]]

    without = {package for package, files in wheels.items() if not any(fits(each, machine) for each in files)}

    assert sorted(without) == sorted(PLATFORMS[name].without)


@pytest.mark.skipif(shutil.which("dpkg-architecture") is None, reason="dpkg-dev is not installed")
@pytest.mark.parametrize("name", PLATFORMS)
def test_debian_says_the_same_of_an_architecture(name: str) -> None:
    of = PLATFORMS[name]

    shown = subprocess.run(
        ["dpkg-architecture", f"-a{of.debian}", "-f"], capture_output=True, text=True, check=True
    ).stdout
    said = dict(re.findall(r"^DEB_HOST_(\w+)=(.*)$", shown, re.MULTILINE))

    assert said["MULTIARCH"] == of.triplet
    assert (said["ARCH_BITS"], said["ARCH_ENDIAN"]) == (str(32 * of.elf[0]), {1: "little", 2: "big"}[of.elf[1]])
