"""What binaries ask the loader for, read from real ones and from broken ones."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.images.elf import missing_libraries, needed_libraries

if TYPE_CHECKING:
    from tests.images.conftest import Kit


def test_the_libraries_of_a_binary_are_its_needed_entries(kit: "Kit") -> None:
    assert needed_libraries(kit.elf_of("libc.so.6", "libGL.so.1")) == ["libc.so.6", "libGL.so.1"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads a binary of this machine")
def test_a_real_binary_needs_libc() -> None:
    assert "libc.so.6" in needed_libraries(Path("/proc/self/exe").read_bytes())


@pytest.mark.parametrize("binary", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_such_binary_needs_nothing(binary: bytes) -> None:
    assert needed_libraries(binary) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), damage=st.binary(min_size=1, max_size=16))
def test_a_damaged_binary_is_never_more_than_unknown(kit: "Kit", at: int, damage: bytes) -> None:
    good = kit.elf_of("libc.so.6", "libm.so.6")

    found = needed_libraries(good[:at] + damage + good[at + len(damage) :])

    assert isinstance(found, list)


def test_a_library_that_nobody_has_is_told_with_a_file_that_needs_it(kit: "Kit", tmp_path: Path) -> None:
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "cv2.abi3.so").write_bytes(kit.elf_of("libc.so.6", "libGL.so.1", "libown-1a2b.so.3"))
    (tmp_path / "cv2.libs").mkdir()
    (tmp_path / "cv2.libs" / "libown-1a2b.so.3").write_bytes(kit.elf_of("libc.so.6"))
    (tmp_path / "empty.so").write_bytes(b"")

    found = missing_libraries(tmp_path, ["libc.so.6"])

    assert found == {"libGL.so.1": "cv2/cv2.abi3.so"}
