"""Brings the data of a training into one folder, and says which data that was: the digest of every set."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from mmgit.edits.model_files import path_of
from mmgit.edits.scoring import is_litter
from mmgit.errors import TrainingFailed, UsageError
from mmgit.repository.files import Root
from mmgit.retraining.order import Order
from mmgit.spec.model import Data
from mmgit.spec.training import TrainingData

MAX_DATA_BYTES = 64 * 2**30
"""Of one file of data."""
_BLOCK_BYTES = 2**20


def bring(order: Order, folder: Path) -> tuple[Data, ...]:
    """Copy each data set to its name in `folder`.

    Raises:
        TrainingFailed: one is too large, or not what is declared.
        UsageError: one cannot be read.
    """
    return tuple(_bring(order, each, folder / each.name) for each in order.training.data)


def uri_of(each: TrainingData, folder: str) -> str:
    """What the lineage says of a data set; `folder` is that of what trains."""
    return each.uri or (f"{folder}/{each.path}" if each.path else f"telemetry:{each.name}")


def copy_folder(root: Root, path: str, target: Path) -> str:
    """Copy the plain files of a folder but hidden ones and compiled Python; the digest of their names and digests."""
    digest = hashlib.sha256()
    target.mkdir(parents=True, exist_ok=True)
    for name in (name for name in root.walk(path) if not is_litter(name)):
        with root.stream(f"{path}/{name}") as source:
            digest.update(f"{copy(source, target / name)}  {name}\n".encode())
    return digest.hexdigest()


def copy(source: IO[bytes], target: Path) -> str:
    """Copy what may be as large as data is. The sha256 of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256()
    with target.open("wb") as file:
        for block in _bounded(source, target.name):
            sha256.update(block)
            file.write(block)
    return sha256.hexdigest()


def _bring(order: Order, each: TrainingData, target: Path) -> Data:
    path = f"{order.folder}/{each.path}"
    if each.path and order.root.kind(path) == "folder":
        sha256 = copy_folder(order.root, path, target)
    else:
        with _opened(order, each) as source:
            sha256 = copy(source, target)
    if each.sha256 and each.sha256 != sha256:
        message = f"data `{each.name}` is not what is declared: its sha256 is {sha256}"
        raise TrainingFailed(message, "look at it, then change or remove sha256 in model.yaml")
    return Data(uri=uri_of(each, order.folder), sha256=sha256)


def _opened(order: Order, each: TrainingData) -> IO[bytes]:
    if each.path:
        return order.root.stream(f"{order.folder}/{each.path}")
    if each.uri and each.uri.startswith("https://"):
        return order.open_uri(each.uri)
    path = path_of(each.uri) if each.uri else order.telemetry
    assert path is not None, each  # noqa: S101 - `refuse_missing_data` was asked
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "look at data: below training: in model.yaml") from error


def _bounded(source: IO[bytes], name: str) -> Iterable[bytes]:
    size_bytes = 0
    while block := source.read(_BLOCK_BYTES):
        size_bytes += len(block)
        if size_bytes > MAX_DATA_BYTES:
            message = f"{name} is larger than {MAX_DATA_BYTES // 2**30} GiB"
            raise TrainingFailed(message, "let the command read it where it lies")
        yield block
