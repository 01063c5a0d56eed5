"""The files of a new model version: found on this machine or at a URI, measured, and each given its place.

Reads what the user named, in blocks; writes nothing. Small files go into git, larger ones into Git LFS or the store.
"""

import hashlib
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from mmgit.errors import UnsafePath, UsageError
from mmgit.formats.scanned import Scanned
from mmgit.frozen import dataclass, field
from mmgit.images.runs import Run
from mmgit.repository import layout
from mmgit.spec.fields import bytes_of
from mmgit.spec.project import Store

_BLOCK_BYTES = 1 << 20
_MIB = 1 << 20
_RESERVED = "version.yaml"
_URI = re.compile(r"[a-z][a-z0-9]+:/").match
_UPLOADED_TO = ("file", "s3", "gs", "abfs", "abfss")
_USER_IS_CONTAINER = ("abfs", "abfss")


@dataclass(frozen=True)
class FoundFile:
    """A file by content; `path` is the name under which scoring code finds it."""

    path: str
    sha256: str
    size_bytes: int
    source: Path | None = None
    """Where it lies on this machine; None if it stays at `uri`."""
    uri: str | None = None
    run: Run | None = None
    """What made it, where a tracking server knows that."""
    scanned: Scanned | None = None
    """What it holds, where somebody has looked."""


@dataclass(frozen=True)
class Placed:
    """What `version.yaml` says of the files, and what must be copied where."""

    rows: list[dict[str, Any]]
    copies: dict[str, Path] = field(default_factory=dict)
    uploads: dict[str, Path] = field(default_factory=dict)
    """URI in a store -> the file that it gets."""


Remote = Callable[[str], Iterable[FoundFile]]
"""The files that a URI of another scheme than `file` names."""


def find(arguments: Sequence[str], remote: Remote) -> tuple[FoundFile, ...]:
    """The files that paths and URIs name, sorted; a folder stands for all files in it, under its own name.

    Raises `UsageError` for what is not there, names no file or comes twice.
    """
    found: dict[str, FoundFile] = {}
    for argument in arguments:
        for file in _at_uri(argument, remote) if _URI(argument) else _on_disk(Path(argument)):
            if file.path in found:
                raise UsageError(f"two files are named {file.path}", "a version holds each name once; rename one")
            if file.path == _RESERVED:
                raise UsageError(f"{argument}: {_RESERVED} is mmgit's own name for a version", "rename the file")
            found[file.path] = file
    if not found:
        raise UsageError(f"no file in {', '.join(arguments)}", "name the model's files, its folder or its URI")
    return tuple(found[path] for path in sorted(found))


def place(files: Iterable[FoundFile], folder: str, store: Store, is_in_lfs: Callable[[str], bool]) -> Placed:
    """Where each file goes: `folder` up to the store's limit or when Git LFS tracks it there, else the store."""
    placed = Placed([])
    for file in files:
        row: dict[str, Any] = {"path": file.path, "sha256": file.sha256, "size": file.size_bytes}
        target = f"{folder}/{file.path}"
        if file.source is None:
            row["uri"] = file.uri
        elif file.size_bytes <= bytes_of(store.git_limit) or is_in_lfs(target):
            placed.copies[target] = file.source
        else:
            row["uri"] = _stored(file, store)
            placed.uploads[row["uri"]] = file.source
        placed.rows.append(row | _facts(file.scanned))
    return placed


def _facts(seen: Scanned | None) -> dict[str, Any]:
    """What a version records of what a file holds."""
    facts = {"format": seen.format, "imports": sorted(seen.imports), "unclear": "; ".join(seen.doubts)} if seen else {}
    return {name: value for name, value in facts.items() if value}


def path_of(uri: str) -> Path:
    """The file that a `file://` URI names. Raises `UsageError` if it names another machine."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.is_absolute():
        raise UsageError(
            f"{uri} names no file on this machine", "write file:// and an absolute path: file:///srv/models"
        )
    if parts.query or parts.fragment:
        raise UsageError(f"{uri} ends at ? or #, which is no part of a path", "write %3F for ? and %23 for #")
    return path


def _stored(file: FoundFile, store: Store) -> str:
    """The URI of a file that is too large for git. Raises `UsageError` where there is no way to put it there."""
    size = f"{file.path} has {file.size_bytes / _MIB:.1f} MiB, and git takes up to {store.git_limit} a file"
    suffix = Path(file.path).suffix
    lfs = f"git lfs track 'models/**/*{suffix or Path(file.path).name}'"
    if store.uri is None:
        raise UsageError(f"{size} (mmgit.yaml: store.git_limit)", f"{lfs}   or set store.uri in mmgit.yaml")
    scheme = urlsplit(store.uri).scheme
    if scheme not in _UPLOADED_TO:
        hint = f"{lfs}   or upload it yourself and register its {scheme}:// address"
        raise UsageError(f"{size}; mmgit only reads from {scheme}:// stores", hint)
    uri = f"{store.uri.rstrip('/')}/{file.sha256}"
    if scheme == "file":
        path_of(uri)
    return uri


def _at_uri(uri: str, remote: Remote) -> Iterable[FoundFile]:
    parts = urlsplit(uri)
    is_user = parts.username and parts.scheme not in _USER_IS_CONTAINER
    if is_user or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"{parts.scheme}://{parts.hostname}{parts.path}: a URI in git holds no user, query or fragment"
        )
    if parts.scheme != "file":
        return remote(uri)
    name = name_in(uri)
    with _open(path_of(uri)) as stream:
        return [FoundFile(name, *measure(blocks_of(stream)), uri=uri.replace(" ", "%20"))]


def name_in(uri: str) -> str:
    """The name of the file at an address. Raises `UsageError` where there is none."""
    name = unquote(urlsplit(uri).path).rpartition("/")[2]
    if not name:
        raise UsageError(f"{uri} names no file", "give the URI of each file")
    return name


def _on_disk(path: Path) -> Iterator[FoundFile]:
    """One file, or all files below a folder. A link that the user names is followed, one inside a folder is not."""
    if not path.is_dir():
        yield measured(path, path.name)
        return
    for name in (layout.PROJECT, ".git"):
        if (path / name).exists():
            message = f"{path} is a repository, as it has {name}, and a version has nothing but a model's files"
            raise UsageError(message, "name these files, or a folder that has only them")
    prefix = path.resolve().name if path.name in ("", "..") else path.name
    for entry in sorted(path.rglob("*")):
        if entry.is_symlink():
            raise UnsafePath(f"{entry} is a symbolic link", f"cp -rL {path} …   copies what links point to")
        if not entry.is_dir():
            yield measured(entry, f"{prefix}/{entry.relative_to(path).as_posix()}")


def measured(path: Path, name: str) -> FoundFile:
    """A file of this machine, by content, under a name. Raises `UnsafePath` for what is no plain file."""
    with _open(path) as stream:
        return FoundFile(name, *measure(blocks_of(stream)), source=path.resolve())


def blocks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """What a file holds from here on."""
    return iter(partial(stream.read, _BLOCK_BYTES), b"")


def measure(blocks: Iterable[bytes]) -> tuple[str, int]:
    """The sha256 and the size of what comes in blocks."""
    sha256, size_bytes = hashlib.sha256(), 0
    for block in blocks:
        sha256.update(block)
        size_bytes += len(block)
    return sha256.hexdigest(), size_bytes


def _open(path: Path) -> IO[bytes]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnsafePath(f"{path} is not a plain file", "name plain files, or a folder of them")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name the model's files, its folder or its URI") from error
