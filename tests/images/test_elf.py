"""What binaries ask the loader for, read from real ones and from broken ones."""

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.images.elf import Asked, asked_by, defined_versions
from mmgit.platforms import PLATFORMS, of_machine

if TYPE_CHECKING:
    from tests.images.conftest import Kit

AMD64 = "linux/amd64"
VERSIONS = (("libc.so.6", "GLIBC_2.38"), ("libstdc++.so.6", "GLIBCXX_3.4.32"))


def test_the_libraries_of_a_binary_are_its_needed_entries(kit: "Kit") -> None:
    assert asked_by(kit.elf_of("libc.so.6", "libGL.so.1"), AMD64) == Asked(("libc.so.6", "libGL.so.1"))


def test_versions_of_symbols_are_read_with_their_library(kit: "Kit") -> None:
    assert asked_by(kit.elf_of("libc.so.6", versions=VERSIONS), AMD64).versions == VERSIONS


def test_the_versions_that_a_library_defines_are_read(kit: "Kit") -> None:
    library = kit.elf_of("libc.so.6", defines=("GLIBC_2.2.5", "GLIBC_2.36"))

    assert defined_versions(library, AMD64) == {"GLIBC_2.2.5", "GLIBC_2.36"}
    assert asked_by(library, AMD64).versions == ()


@pytest.mark.parametrize("name", PLATFORMS)
def test_binaries_of_every_platform_are_read_there_and_nowhere_else(kit: "Kit", name: str) -> None:
    binary = kit.elf_of("libc.so.6", versions=VERSIONS, defines=("OWN_1",), elf=PLATFORMS[name].elf)

    asked = {each: asked_by(binary, each) for each in PLATFORMS}
    assert asked.pop(name) == Asked(("libc.so.6",), VERSIONS)
    assert set(asked.values()) == {Asked()}
    assert defined_versions(binary, name) == {"OWN_1"}


def test_a_binary_for_another_machine_asks_for_nothing_here(kit: "Kit") -> None:
    binary = kit.elf_of("libc.so.6", elf=(2, 1, 183))

    assert asked_by(binary, "linux/arm64").libraries == ("libc.so.6",)
    assert asked_by(binary, "linux/amd64") == Asked()


@pytest.mark.skipif(sys.platform != "linux", reason="reads a binary of this machine")
def test_a_real_binary_needs_libc_in_versions_that_the_real_libc_has() -> None:
    here = of_machine(platform.machine()) or ""
    asked = asked_by(Path("/proc/self/exe").read_bytes(), here)
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libc.so.6" in line}

    assert "libc.so.6" in asked.libraries
    needed = {version for library, version in asked.versions if library == "libc.so.6"}
    assert needed
    assert all(needed <= defined_versions(Path(path).read_bytes(), here) for path in mapped)


@pytest.mark.parametrize("binary", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_such_binary_needs_nothing(binary: bytes) -> None:
    assert asked_by(binary, AMD64) == Asked()
    assert defined_versions(binary, AMD64) == frozenset()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 600), damage=st.binary(min_size=1, max_size=16))
def test_a_damaged_binary_is_never_more_than_unknown(kit: "Kit", at: int, damage: bytes) -> None:
    good = kit.elf_of("libc.so.6", "libm.so.6", versions=VERSIONS, defines=("A_1", "A_2"))
    bad = good[:at] + damage + good[at + len(damage) :]

    assert isinstance(asked_by(bad, AMD64), Asked)
    assert isinstance(defined_versions(bad, AMD64), frozenset)
