"""Wheels that mmgit fetches and unpacks itself, for machines that uv does not know. Nothing of a wheel runs.

A wheel is verified by its SHA-256 before anything of it is read. What comes out lies as `uv pip install --target` lays
it out. Source: PyPA, "Binary distribution format" and "Recording installed projects".
"""

import csv
import hashlib
import io
import lzma
import re
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mmgit.errors import BuildError
from mmgit.images.choosing import Chosen
from mmgit.images.commands import commands_in
from mmgit.images.download import PAUSES_SECONDS, UnavailableError, blocks, shown
from mmgit.images.logins import login_of
from mmgit.images.origins import Index, normal
from mmgit.images.parallel import parallel
from mmgit.images.scoring import Open
from mmgit.images.tar import READ_BYTES

WHEEL_BYTES_MAX = 4 * 2**30
UNPACKED_BYTES_MAX = 8 * 2**30
FILES_MAX = 200_000
RECORD_BYTES_MAX = 64 * 2**20
ENTRY_POINTS_BYTES_MAX = 2**20
_DOWNLOADS_AT_ONCE = 4
_UNSOUND = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, csv.Error),
    *(OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError),
)
"""What Python says of archives and documents that are none."""
_SAFE = re.compile(r"(?!.*(?:^|/)\.{0,2}(?:/|$))[^\\\x00-\x1f\x7f:]+")
"""A relative path without '..', empty parts or what another system reads as a root."""


def unpack_all(found: Sequence[Chosen], folder: Path, *, index: Index, wheels: Mapping[str, Open]) -> None:
    """Fill `folder` with what was chosen of a lock; `wheels` are those that it names by path. Scripts are empty yet.

    Raises:
        BuildError: a wheel cannot be had, is not what the lock says, or is none.
    """
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mmgit-wheels-") as scratch:

        def fetched(each: Chosen) -> Path:
            return _fetched(each, index, wheels, Path(scratch))

        for each, path in zip(found, parallel(fetched, found, at_once=_DOWNLOADS_AT_ONCE), strict=True):
            unpack(path, each.file_name, folder)


def unpack(wheel: Path, name: str, folder: Path) -> None:
    """Put the files of a wheel where they are installed, below `folder`. Raises `BuildError`: it is not sound."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = dict(_members(archive, name))
            [info] = {path.partition("/")[0] for path in members if re.fullmatch(r"[^/]+\.dist-info/METADATA", path)}
            _check_name(info.removesuffix(".dist-info"), name)
            places = {path: _place(path, info.removesuffix(".dist-info")) for path in members}
            for path, member in members.items():
                if path != f"{info}/RECORD":
                    is_program = places[path].startswith("bin/") or bool(member.external_attr >> 16 & 0o111)
                    _write(archive, member, folder / places[path], is_program=is_program)
            scripts = list(_scripts(folder / info / "entry_points.txt"))
            for script in scripts:
                place = folder / "bin" / script
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(b"")
            record = archive.read(members[f"{info}/RECORD"]).decode()
            (folder / info / "RECORD").write_text(_record(record, places, scripts))
    except _UNSOUND as error:
        raise BuildError(f"{name} is no sound wheel: {type(error).__name__}: {error}") from error


def _fetched(each: Chosen, index: Index, wheels: Mapping[str, Open], scratch: Path) -> Path:
    """The wheel as a file, once its bytes are those that the lock names."""
    path = scratch / each.sha256
    for pause_seconds in (*PAUSES_SECONDS, None):
        try:
            sha256 = _copy(each, index, wheels, path)
            break
        except UnavailableError as error:
            if pause_seconds is None:
                raise BuildError(f"{each.file_name} cannot be had: {error}", "try again later") from error
            time.sleep(pause_seconds)
    if sha256 != each.sha256:
        where = shown(each.url) if each.url else each.path
        raise BuildError(f"{where} has another SHA-256 than is locked: hash mismatch", "lock the dependencies again")
    return path


def _copy(each: Chosen, index: Index, wheels: Mapping[str, Open], path: Path) -> str:
    """Write the bytes of a wheel; their SHA-256."""
    sha256, left_bytes = hashlib.sha256(), min(each.size_bytes or WHEEL_BYTES_MAX, WHEEL_BYTES_MAX)
    with path.open("wb") as target:
        for block in _blocks(each, index, wheels):
            left_bytes -= len(block)
            if left_bytes < 0:
                raise BuildError(
                    f"{each.file_name} has more bytes than is locked: size mismatch", "lock the dependencies again"
                )
            sha256.update(block)
            target.write(block)
    return sha256.hexdigest()


def _blocks(each: Chosen, index: Index, wheels: Mapping[str, Open]) -> Iterator[bytes]:
    if each.url:
        yield from blocks(each.url.partition("#")[0], authorization=login_of(index, each.url))
        return
    with wheels[each.path]() as source:
        while block := source.read(READ_BYTES):
            yield block


def _members(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """The files of a wheel by path: plain files with safe names, each once, and no more than a disk can take."""
    seen, left_bytes = set[str](), UNPACKED_BYTES_MAX
    if len(archive.infolist()) > FILES_MAX:
        raise ValueError(f"it holds more than {FILES_MAX} files")
    for member in archive.infolist():
        if member.is_dir():
            continue
        path, mode = member.filename, member.external_attr >> 16
        if _SAFE.fullmatch(path) is None or member.orig_filename != path:
            raise BuildError(f"{name} holds {path!r}, which is no safe path")
        if path in seen or stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            raise BuildError(f"{name} holds {path!r} twice, or as something else than a file")
        seen.add(path)
        left_bytes -= member.file_size
        if left_bytes < 0 or (path.endswith(".dist-info/RECORD") and member.file_size > RECORD_BYTES_MAX):
            raise ValueError(f"it unpacks to more than {UNPACKED_BYTES_MAX // 2**30} GiB")
        yield path, member


def _check_name(found: str, name: str) -> None:
    """That a wheel holds the version of the package that its file name says, and no other one."""
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - most layers are there already
    from packaging.version import Version  # noqa: PLC0415 - as above

    project, version, _, _ = parse_wheel_filename(name)
    held, _, held_version = found.rpartition("-")
    if (normal(held), Version(held_version)) != (project, version):
        raise ValueError(f"it holds {found!r}")


def _place(path: str, name: str) -> str:
    """Where a member is installed; `name` is that of the wheel with its version."""
    data = f"{name}.data/"
    if not path.startswith(data):
        return path
    scheme, _, rest = path.removeprefix(data).partition("/")
    above = {
        "purelib": "",
        "platlib": "",
        "data": "",
        "scripts": "bin/",
        "headers": f"include/{name.partition('-')[0]}/",
    }
    if scheme not in above or not rest:
        raise ValueError(f"{path!r} is nowhere to be installed")
    return above[scheme] + rest


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, *, is_program: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, place.open("wb") as target:
        shutil.copyfileobj(source, target, READ_BYTES)
    place.chmod(0o755 if is_program else 0o644)


def _scripts(entry_points: Path) -> Iterator[str]:
    """The names of the commands that a wheel declares."""
    if not entry_points.is_file():
        return
    if entry_points.stat().st_size > ENTRY_POINTS_BYTES_MAX:
        raise ValueError(f"its entry points take more than {ENTRY_POINTS_BYTES_MAX // 2**20} MiB")
    for name in sorted(commands_in(entry_points)):
        if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) is None:
            raise ValueError(f"it has a command {name!r}")
        yield name


def _record(record: str, places: Mapping[str, str], scripts: Iterable[str]) -> str:
    """RECORD with the places of files; the hashes of scripts are filled in by whoever writes them."""
    rows = [[places.get(row[0], row[0]), *row[1:]] for row in csv.reader(io.StringIO(record)) if row]
    rows += [[f"bin/{script}", "", ""] for script in scripts]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
