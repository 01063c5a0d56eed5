"""Scans a file in a process of its own, without network, files, variables, and with bounds of memory and time."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import IO

from mmgit import subprocesses
from mmgit.formats.marks import HEAD_BYTES, formats_of
from mmgit.formats.scan import is_plain
from mmgit.formats.scanned import Scanned
from mmgit.spec.project import Format

CPU_SECONDS = 8
BYTES_A_SECOND = 2 * 2**20
"""A larger file may take a second longer for each so many bytes."""
_ANSWER_BYTES = 2**20


def scanned(name: str, file: IO[bytes]) -> Scanned:
    """What a file on disk holds. Whatever goes wrong with the scan is a doubt."""
    file.seek(0)
    if is_plain(name, file):
        return Scanned(_told(name, file))
    size_bytes = os.fstat(file.fileno()).st_size
    seconds = CPU_SECONDS + size_bytes // BYTES_A_SECOND
    argv = [sys.executable, "-I", "-m", "mmgit.formats", str(file.fileno()), name, str(seconds)]
    ended = subprocesses.run(
        argv,
        cwd=Path("/"),
        timeout_seconds=4.0 * seconds,
        inherited=(file.fileno(),),
        limit_bytes=_ANSWER_BYTES,
    )
    if ended.returncode == 0:
        said = json.loads(ended.stdout)
        kind = said["format"] or _told(name, file)
        return Scanned(_at_worst(kind) if said["doubts"] else kind, said["imports"], tuple(said["doubts"]))
    if ended.returncode in (subprocesses.TIMED_OUT, -signal.SIGXCPU, -signal.SIGKILL):
        reason = f"the scan took more than {seconds} s"
    else:
        reason = f"the scan ended with exit code {ended.returncode}"
    return Scanned(_at_worst(_told(name, file)), doubts=(reason,))


def _at_worst(kind: Format) -> Format:
    """What a file may be of which not all could be read."""
    return "pickle" if kind == "other" else kind


def _told(name: str, file: IO[bytes]) -> Format:
    file.seek(0)
    return formats_of(name, file.read(HEAD_BYTES))[-1]
