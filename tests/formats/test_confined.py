"""A scan has a process of its own, which can do little, and whose end is told."""

import bz2
import gzip
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
import pytest

from mmgit.formats import confined
from mmgit.formats.confined import scanned
from mmgit.formats.scanned import Scanned
from tests.formats.hostile import BY_HAND, CANARY

MIB = 2**20
CONFINED = """
import json, os, socket, sys
from pathlib import Path
from mmgit.formats import __main__ as child
child._give_up(9)
tried = {
    "a file": lambda: open("/etc/hostname"),
    "a file to write": lambda: os.write(os.dup(1), b"x"),
    "a socket": lambda: socket.socket(),
    "memory": lambda: bytes(child.MEMORY_BYTES),
}
refused = {}
for what, attempt in tried.items():
    try:
        attempt()
    except (OSError, MemoryError) as error:
        refused[what] = type(error).__name__
sys.stdout.write(json.dumps(refused))
"""


def scan_of(path: Path, data: bytes) -> Scanned:
    path.write_bytes(data)
    with path.open("rb") as file:
        return scanned(path.name, file)


def test_a_pickle_is_scanned_in_another_process_and_nothing_of_it_runs(tmp_path: Path) -> None:
    found = scan_of(tmp_path / "model.pkl", BY_HAND["GLOBAL"])

    assert found == Scanned("pickle", {"posix:system": 2}, ())
    assert not Path("/", CANARY).exists()


def test_a_pickle_that_imports_nothing_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    assert scan_of(tmp_path / "model.onnx", pickle.dumps([1])) == Scanned("pickle")


def test_a_file_that_holds_no_pickle_needs_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmgit.subprocesses.run", lambda *_, **__: pytest.fail("it was started"))

    assert scan_of(tmp_path / "model.onnx", b"\x08\x08" + bytes(MIB)) == Scanned("onnx")


def test_the_process_has_no_files_no_network_and_little_memory() -> None:
    ended = subprocess.run([sys.executable, "-c", CONFINED], check=True, capture_output=True)

    assert json.loads(ended.stdout) == dict.fromkeys(("a file", "a file to write", "a socket"), "OSError") | {
        "memory": "MemoryError"
    }


def bomb() -> bytes:
    """A thousand times as many bytes as it has, of which an unpickler keeps all."""
    return gzip.compress(b"\x80\x04" + b"]" * (64 * MIB) + b".")


def archive_of_bombs() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.pkl", b"\x80\x04" + b"N0" * (16 * MIB) + b".")
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        bomb(),
        archive_of_bombs(),
        b"\x80\x04" + b"(" * MIB + b".",
        b"\x80\x04B" + struct.pack("<I", 2**32 - 1) + bytes(MIB),
        bz2.compress(b"\x80\x04B" + struct.pack("<I", 2**32 - 1) + bytes(2**26)),
        b"\x80\x04" + b"\x8c\x02ab\x8c\x02cd\x93" * 10 + b"".join(b"c%b\nb\n" % f"a{n}".encode() for n in range(600)),
    ],
    ids=["a bomb", "bombs in an archive", "marks", "a length", "a packed length", "names"],
)
def test_a_scan_of_what_an_enemy_made_ends_with_a_doubt(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "CPU_SECONDS", 2)
    begin = os.times()

    found = scan_of(tmp_path / "model.pkl", data)

    took = os.times().children_user + os.times().children_system - begin.children_user - begin.children_system
    assert found.format == "pickle"
    assert found.doubts
    assert took < 4 + len(data) / confined.BYTES_A_SECOND


def test_a_scan_that_takes_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "CPU_SECONDS", 1)

    found = scan_of(tmp_path / "model.pkl", gzip.compress(b"\x80\x04" + b"N0" * (64 * MIB) + b"."))

    assert found.doubts == ("the scan took more than 1 s",)


@pytest.mark.parametrize("compress", [0, 1])
def test_a_large_model_is_scanned_in_little_memory(tmp_path: Path, compress: int) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump([np.zeros(16 * MIB), np.random.default_rng(1).random(MIB), {"a": 1}], path, compress=compress)

    begin = time.monotonic()
    with path.open("rb") as file:
        found = scanned(path.name, file)

    assert (found.format, found.doubts) == ("pickle", ())
    assert "joblib.numpy_pickle:NumpyArrayWrapper" in found.imports
    assert time.monotonic() - begin < 60


def test_what_goes_on_in_a_scan_that_fails_is_a_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    assert scan_of(tmp_path / "model.pkl", pickle.dumps([1])).doubts == ("the scan ended with exit code 1",)
