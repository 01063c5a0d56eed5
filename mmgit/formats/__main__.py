"""The process that scans one file: `python -I -m mmgit.formats DESCRIPTOR NAME CPU_SECONDS`, its findings as JSON.

Before it reads any of the file it gives up to open files and sockets, to write files, to start processes, and all
memory and time beyond its limits.
"""

import _compat_pickle  # noqa: F401 - as `names` below
import codecs
import json
import os
import resource
import sys

import mmgit.formats.names  # noqa: F401 - no file is found any more when it is asked for
from mmgit.formats.found import Found
from mmgit.formats.scan import scan

MEMORY_BYTES = 512 * 2**20
_ENCODINGS = ("ascii", "cp437", "latin-1", "raw-unicode-escape", "utf-8")
"""Python looks for them in files when they are first needed."""


def main(descriptor: int, name: str, cpu_seconds: int) -> None:
    """Scan the file that is open there."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    with os.fdopen(descriptor, "rb") as file:
        _give_up(cpu_seconds)
        kind, found = None, Found()
        try:
            kind, found = scan(name, file)
        except MemoryError:
            found.doubt(f"the scan took more than {MEMORY_BYTES // 2**20} MiB of memory", 0)
        except RecursionError:
            found.doubt("it is nested too deep", 0)
    sys.stdout.write(json.dumps({"format": kind, "imports": found.names, "doubts": found.doubts}))


def _give_up(cpu_seconds: int) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    if sys.platform == "linux":
        limits[resource.RLIMIT_AS] = MEMORY_BYTES
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
