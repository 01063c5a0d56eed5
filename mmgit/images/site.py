"""Python packages in a layer: a `pylock.toml` is laid out for any platform, without a container or emulation.

uv does it for the machines that it knows, `wheels` for all others.

What would differ between machines is made equal here: scripts in `bin/`, RECORD files, the traces of the installer.
"""

import base64
import csv
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from mmgit.errors import BuildError
from mmgit.images.commands import commands_in
from mmgit.images.dependencies import check_pylock
from mmgit.images.origins import PYPI, Index, Machine
from mmgit.images.scoring import Open
from mmgit.images.tar import READ_BYTES, Entry, file, stream
from mmgit.images.uv import pip

NO_WHEELS: Mapping[str, Open] = {}
_TRACES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock"})
_ENTRY_POINT = re.compile(r"([A-Za-z_][\w.]*)\s*:\s*([A-Za-z_][\w.]*)\s*(?:\[.*\])?", re.ASCII)
_SCRIPT = """#!{python}
import sys
sys.path.insert(0, "/{prefix}")
from {module} import {name}
sys.exit({called}())
"""


def lay_out(
    pylock: bytes,
    machine: Machine,
    folder: Path,
    *,
    index: Index = PYPI,
    wheels: Mapping[str, Open] = NO_WHEELS,
) -> None:
    """Fill `folder` with what the lock names; without the network when uv's cache has it all.

    `wheels` are those that the lock names by path: path -> how to open it.

    Raises:
        BuildError: the lock names something else than wheels with hashes, or has none for this machine.
    """
    check_pylock(pylock, index=index, wheels=wheels)
    if not machine.uv_platform:
        from mmgit.images.choosing import chosen  # noqa: PLC0415 - uv knows most machines
        from mmgit.images.fitting import check_fits  # noqa: PLC0415 - as above
        from mmgit.images.wheels import unpack_all  # noqa: PLC0415 - as above

        check_fits(pylock, [machine])
        unpack_all(chosen(pylock, machine), folder, index=index, wheels=wheels)
        return
    with tempfile.TemporaryDirectory(prefix="mmgit-pylock-") as temporary:
        lock = Path(temporary) / "pylock.toml"
        lock.write_bytes(pylock)
        for path, opened in wheels.items():
            place = Path(temporary) / path
            place.parent.mkdir(exist_ok=True)
            with opened() as source, place.open("wb") as target:
                shutil.copyfileobj(source, target)
        args = ["install", "--target", str(folder), "--requirements", str(lock), *index.options(with_own=True)]
        args += ["--python-platform", machine.uv_platform, "--python-version", machine.python]
        args += ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
        if pip([*args, "--offline"], cwd=Path(temporary)).returncode != 0:
            done = pip(args, cwd=Path(temporary), logins=index.variables)
            if done.returncode != 0:
                from mmgit.images.fitting import check_fits  # noqa: PLC0415 - most locks fit

                check_fits(pylock, [machine])  # it says more than uv does
            done.output(BuildError, f"look at the dependencies: each needs a wheel for {machine.words}")


def lay_out_but(absent: Collection[str], pylock: bytes, machine: Machine, folder: Path, *, index: Index = PYPI) -> None:
    """As `lay_out`, where the packages `absent` may have no wheel for this machine."""
    if not absent:
        lay_out(pylock, machine, folder, index=index)
        return
    from mmgit.images.choosing import chosen  # noqa: PLC0415 - most machines have a wheel of everything
    from mmgit.images.wheels import unpack_all  # noqa: PLC0415 - as above

    check_pylock(pylock, index=index)
    unpack_all(chosen(pylock, machine, absent), folder, index=index, wheels=NO_WHEELS)


def site_entries(folder: Path, prefix: str, python: str) -> Iterator[Entry]:
    """What uv laid out, as entries below `prefix`; scripts run `python`, the path of an interpreter.

    Raises:
        BuildError: a package brought something else than files and folders.
    """
    scripts = dict(_scripts(folder, prefix, python))
    for path, found in _files(str(folder)):
        if path in scripts:
            yield file(f"{prefix}/{path}", scripts[path], is_executable=True)
        elif path.endswith(".dist-info/RECORD"):
            yield file(f"{prefix}/{path}", _record(Path(found.path).read_text(), scripts))
        else:
            status = found.stat(follow_symlinks=False)
            blocks = partial(_read, found.path)
            yield stream(f"{prefix}/{path}", status.st_size, blocks, is_executable=bool(status.st_mode & 0o100))


def _files(folder: str, above: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """The files below `folder` that belong into a layer, with their relative paths."""
    with os.scandir(folder) as found:
        for entry in found:
            path = f"{above}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _files(entry.path, f"{path}/")
            elif not entry.is_file(follow_symlinks=False):
                raise BuildError(f"a package of the dependencies brings {path!r}, which is no file")
            elif not _is_trace(path):
                yield path, entry


def _is_trace(path: str) -> bool:
    above, _, name = path.rpartition("/")
    return name.endswith(".pyc") or (name in _TRACES and (not above or above.endswith(".dist-info")))


def _scripts(folder: Path, prefix: str, python: str) -> Iterator[tuple[str, bytes]]:
    """The files of `bin/`, `path -> bytes`: those of entry points in our own words, others with our interpreter."""
    entry_points = _entry_points(folder)
    for path in sorted((folder / "bin").glob("*")):
        if found := _ENTRY_POINT.fullmatch(entry_points.get(path.name, "")):
            module, called = found.groups()
            name = called.partition(".")[0]
            text = _SCRIPT.format(python=python, prefix=prefix, module=module, name=name, called=called)
            yield f"bin/{path.name}", text.encode()
        elif path.is_file() and not path.is_symlink():
            yield f"bin/{path.name}", _with_interpreter(path.read_bytes(), python)


def _entry_points(folder: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.dist-info/entry_points.txt")):
        found.update(commands_in(path))
    return found


def _with_interpreter(script: bytes, python: str) -> bytes:
    """The script with `python` in its first line if it names a Python there; uv puts its own in its place."""
    first, _, rest = script.partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        return b"#!%b\n%b" % (python.encode(), rest)
    if first == b"#!/bin/sh" and rest.startswith(b"'''exec'"):  # where the path of uv's Python is long
        return b"#!%b\n%b" % (python.encode(), rest.split(b"\n", 2)[2])
    return script


def _record(record: str, scripts: Mapping[str, bytes]) -> bytes:
    """RECORD without what is not in the layer, sorted, with the hashes of rewritten scripts."""
    rows = []
    for row in csv.reader(io.StringIO(record)):
        path = row[0]
        if path in scripts:
            digest = base64.urlsafe_b64encode(hashlib.sha256(scripts[path]).digest()).rstrip(b"=").decode()
            rows.append([path, f"sha256={digest}", str(len(scripts[path]))])
        elif "__pycache__" not in path.split("/") and not _is_trace(path):
            rows.append(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode()


def _read(path: str) -> Iterator[bytes]:
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a file object takes four times as long, and most are small
    try:
        while block := os.read(source, READ_BYTES):
            yield block
    finally:
        os.close(source)
