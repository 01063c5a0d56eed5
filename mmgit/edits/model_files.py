"""The files of a new model version: found on this machine or at a URI, measured, and each given its place.

Reads what the user named, in blocks; writes nothing. Small files go into git, larger ones into Git LFS or the store.
"""

import hashlib
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from mmgit.errors import UnsafePath, UsageError
from mmgit.frozen import dataclass, field
from mmgit.spec.fields import bytes_of
from mmgit.spec.project import Store

_BLOCK_BYTES = 1 << 20
_MIB = 1 << 20
_RESERVED = "version.yaml"

OpenUri = Callable[[str], IO[bytes]]


@dataclass(frozen=True)
class FoundFile:
    """A file by content; `path` is the name under which scoring code finds it."""

    path: str
    sha256: str
    size_bytes: int
    source: Path | None = None
    """Where it lies on this machine; None if it stays at `uri`."""
    uri: str | None = None


@dataclass(frozen=True)
class Placed:
    """What `version.yaml` says of the files, and what must be copied where."""

    rows: list[dict[str, Any]]
    copies: dict[str, Path] = field(default_factory=dict)
    uploads: dict[Path, Path] = field(default_factory=dict)


def find(arguments: Sequence[str], open_uri: OpenUri) -> tuple[FoundFile, ...]:
    """The files that paths and URIs name, sorted; a folder stands for all files in it, under its own name.

    `open_uri` opens what an https URI names. Raises `UsageError` for what is not there, names no file or comes twice.
    """
    found: dict[str, FoundFile] = {}
    for argument in arguments:
        for file in _at_uri(argument, open_uri) if "://" in argument else _on_disk(Path(argument)):
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
            uri = _stored(file, store)
            placed.uploads[path_of(uri)] = file.source
            row["uri"] = uri
        placed.rows.append(row)
    return placed


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
    if urlsplit(store.uri).scheme != "file":
        hint = f"{lfs}   or upload it yourself and register its https:// address"
        raise UsageError(f"{size}; mmgit {_why_not(store.uri)}", hint)
    return f"{store.uri.rstrip('/')}/{file.sha256}"


def _why_not(uri: str) -> str:
    scheme = urlsplit(uri).scheme
    return "only reads an https store" if scheme == "https" else f"uploads to file:// stores, not yet to {scheme}://"


def _at_uri(uri: str, open_uri: OpenUri) -> Iterator[FoundFile]:
    parts = urlsplit(uri)
    name = unquote(parts.path).rpartition("/")[2]
    if parts.scheme not in ("https", "file"):
        raise UsageError(f"{parts.scheme}:// is not read yet: {uri}", "give an https:// or file:// URI, or a path")
    if not name:
        raise UsageError(f"{uri} names no file", "give the URI of each file")
    if parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"{parts.scheme}://{parts.hostname}{parts.path}: a URI in git holds no user, query or fragment"
        )
    with _open(path_of(uri)) if parts.scheme == "file" else open_uri(uri) as stream:
        sha256, size_bytes = _measure(stream)
    yield FoundFile(name, sha256, size_bytes, uri=uri.replace(" ", "%20"))


def _on_disk(path: Path) -> Iterator[FoundFile]:
    """One file, or all files below a folder. A link that the user names is followed, one inside a folder is not."""
    if not path.is_dir():
        yield measured(path, path.name)
        return
    prefix = path.resolve().name if path.name in ("", "..") else path.name
    for entry in sorted(path.rglob("*")):
        if entry.is_symlink():
            raise UnsafePath(f"{entry} is a symbolic link", f"cp -rL {path} …   copies what links point to")
        if not entry.is_dir():
            yield measured(entry, f"{prefix}/{entry.relative_to(path).as_posix()}")


def measured(path: Path, name: str) -> FoundFile:
    """A file of this machine, by content, under a name. Raises `UnsafePath` for what is no plain file."""
    with _open(path) as stream:
        sha256, size_bytes = _measure(stream)
    return FoundFile(name, sha256, size_bytes, source=path.resolve())


def _open(path: Path) -> IO[bytes]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnsafePath(f"{path} is not a plain file", "name plain files, or a folder of them")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name the model's files, its folder or its URI") from error


def _measure(stream: IO[bytes]) -> tuple[str, int]:
    """The sha256 and the size of what a stream holds."""
    sha256, size_bytes = hashlib.sha256(), 0
    while block := stream.read(_BLOCK_BYTES):
        sha256.update(block)
        size_bytes += len(block)
    return sha256.hexdigest(), size_bytes
