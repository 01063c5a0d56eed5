"""One conda package, `.conda` or `.tar.bz2`: its files come out as it declares them. No script of it is ever run.

The lock vouches for the bytes, yet nothing in them is trusted: paths, types and sizes are bounded.
Source: conda-package-handling; conda CEP 34.
"""

import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from mmgit.errors import BuildError
from mmgit.frozen import dataclass, field
from mmgit.untrusted import json_value

UNPACKED_LIMIT_BYTES = 8 * 2**30
FILES_LIMIT = 200_000
_DOCUMENTS = ("info/paths.json", "info/index.json", "info/link.json")


@dataclass(frozen=True)
class Declared:
    """How a file of a package is put in place: what is to be replaced in it by the place of the environment."""

    kind: Literal["hardlink", "softlink", "directory"]
    placeholder: str = ""
    is_binary: bool = False


@dataclass(frozen=True)
class Contents:
    """What a package says of itself: its files by path, whether it is noarch Python, and its commands."""

    files: Mapping[str, Declared]
    is_python: bool
    commands: Mapping[str, str] = field(default_factory=dict)
    """Name -> `module:function`."""


@dataclass(frozen=True)
class Member:
    """One member of the archive, with its bytes, the target of a link, or the path of an earlier one that it equals."""

    path: str
    is_executable: bool = False
    data: bytes = b""
    target: str | None = None
    same_as: str | None = None


def contents(path: Path, name: str) -> Contents:
    """What the package in a file says of itself. Raises `BuildError` for what is no package."""
    with _refused(name):
        found: dict[str, Any] = {}
        for member in _members(path, name, "info"):
            if member.path in _DOCUMENTS:
                found[member.path] = json_value(member.data, values_max=20 * FILES_LIMIT)
        rows = found["info/paths.json"]["paths"]
        link = found.get("info/link.json", {}).get("noarch", {})
        commands = dict(_command(line) for line in link.get("entry_points", ()) or ())
        is_python = found["info/index.json"].get("noarch") == "python"
        return Contents({row["_path"]: _declared(row) for row in rows}, is_python, commands)


def members(path: Path, name: str) -> Iterator[Member]:
    """The files and links of a package, but those about it. Raises `BuildError` for what is no package."""
    with _refused(name):
        for member in _members(path, name, "pkg"):
            if not member.path.startswith("info/"):
                yield member


@contextmanager
def _refused(name: str) -> Iterator[None]:
    try:
        yield
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise BuildError(f"{name} is not a sound conda package: {type(error).__name__}: {error}") from error


def _declared(row: Mapping[str, Any]) -> Declared:
    kind = row.get("path_type", "hardlink")
    if kind not in {"hardlink", "softlink", "directory"}:
        raise ValueError(f"a path is a {kind}")
    return Declared(kind, row.get("prefix_placeholder") or "", row.get("file_mode") == "binary")


def _command(line: str) -> tuple[str, str]:
    name, _, called = line.partition("=")
    return name.strip(), called.strip()


def _members(path: Path, name: str, part: Literal["info", "pkg"]) -> Iterator[Member]:
    if name.endswith(".tar.bz2"):
        with tarfile.open(path, "r:bz2") as archive:
            yield from _of_tar(archive)
        return
    import zstandard  # noqa: PLC0415 - older packages need none

    with zipfile.ZipFile(path) as outer:
        inner = f"{part}-{name.removesuffix('.conda')}.tar.zst"
        with (
            outer.open(inner) as packed,
            zstandard.ZstdDecompressor().stream_reader(packed) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as archive,
        ):
            yield from _of_tar(archive)


def _of_tar(archive: tarfile.TarFile) -> Iterator[Member]:
    size_bytes = 0
    for count, info in enumerate(archive):
        size_bytes += info.size
        if count > FILES_LIMIT or size_bytes > UNPACKED_LIMIT_BYTES:
            raise ValueError("it unpacks to more than any package")
        path = info.name.removeprefix("./")
        if info.issym():
            yield Member(path, target=info.linkname)
        elif info.islnk():
            yield Member(path, same_as=info.linkname.removeprefix("./"))
        elif info.isreg():
            opened = archive.extractfile(info)
            yield Member(path, bool(info.mode & 0o100), opened.read() if opened else b"")
        elif not info.isdir():
            raise ValueError(f"{path!r} is neither a file, a folder nor a link")
