"""Layers: what a layer is made of, and the one pass that writes it into the layout.

A `LayerPlan` names its content by a key before any byte is read, so that a layer that is there is never made again.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from mmgit.frozen import dataclass, replace
from mmgit.images import codec
from mmgit.images.elf import LIBRARY, MAGIC
from mmgit.images.layout import Layout
from mmgit.images.tar import Entry, tar
from mmgit.lock import TAR, Blob, Layer
from mmgit.progress import Watch, told, unwatched
from mmgit.recipe import key_of

MakeEntries = Callable[[Path], Iterable[Entry]]
"""Gets an empty folder that is there until the layer is written."""
Ahead = Callable[[int], AbstractContextManager["Outlet"]]
"""Gets the size of what will be in a layer, in bytes; gives where that goes while it is made."""


@dataclass(frozen=True)
class LayerPlan:
    """A layer to be: `name` for people, `key` over its content, `entries` to call when it must be made.

    Where it is no `is_assembled` one, all its entries lie somewhere, and there is no folder to put them together in.
    A layer of a base that is an image is `given`: nobody makes it.
    """

    name: str
    key: str
    entries: MakeEntries
    is_compressed: bool
    is_assembled: bool = True
    given: Layer | None = None


def plan(name: str, made_of: Mapping[str, object], entries: MakeEntries, **how: bool) -> LayerPlan:
    """The plan of a layer that `made_of` determines to the byte: compressed and assembled unless `how` says no."""
    how = {"is_compressed": True, "is_assembled": True, **how}
    return LayerPlan(name, layer_key(name, made_of), entries, how["is_compressed"], how["is_assembled"])


def layer_key(name: str, made_of: Mapping[str, object]) -> str:
    """64 hex over what a layer is made of."""
    return key_of({"layer": name, "codec": codec.NAME, **made_of})


class Outlet:
    """Where the bytes of a layer go beside the layout, while it is made: nowhere."""

    def passing(self, blocks: Iterable[bytes]) -> Iterable[bytes]:
        """The blocks as they come."""
        return blocks

    def end(self, blob: Blob) -> None:
        """All of it has passed, and was this blob."""


@contextmanager
def nowhere(_: int) -> Iterator[Outlet]:
    """The outlet of a layer that is kept here alone."""
    yield Outlet()


def write(planned: LayerPlan, layout: Layout, watch: Watch = unwatched, ahead: Ahead = nowhere) -> Layer:
    """Make the layer: read, hash, compress, hash, write and send `ahead` in one pass."""
    seen: list[str] = []
    with _folder(is_needed=planned.is_assembled) as scratch:
        entries = list(planned.entries(scratch))
        if not planned.is_assembled:
            entries = [_watched(entry, seen.append) for entry in entries]
        size_bytes = sum(entry.size_bytes for entry in entries)
        with watch(f"writing layer {planned.name}", size_bytes) as advance, ahead(size_bytes) as outlet:
            blocks = told(tar(entries), advance)
            if planned.is_compressed:
                sha256 = hashlib.sha256()
                blob = layout.put(outlet.passing(codec.gzip(_hashed(blocks, sha256.update))))
                diff_id, media_type = f"sha256:{sha256.hexdigest()}", f"{TAR}+gzip"
            else:
                blob = layout.put(outlet.passing(blocks))
                diff_id, media_type = blob.digest, TAR
            outlet.end(blob)
    layer = Layer(blob.digest, blob.size_bytes, diff_id, planned.key, media_type)
    layout.remember(layer)
    if not (planned.is_assembled or seen):
        layout.note(_plain(planned.key), b"1")
    return layer


def holds_no_binary(key: str, layout: Layout) -> bool:
    """Whether it was seen, as the layer of this key was written, that it has nothing that a loader looks at."""
    return bool(layout.noted(_plain(key)))


def _plain(key: str) -> str:
    return f"{key}.plain"


def _watched(entry: Entry, tell: Callable[[str], None]) -> Entry:
    """The entry; its path is told if it links to a library, or once its bytes turn out to be those of a binary."""
    if entry.kind == "link" and LIBRARY in entry.path:
        tell(entry.path)
    return replace(entry, blocks=lambda: _looked_at(entry, tell)) if entry.kind == "file" else entry


def _looked_at(entry: Entry, tell: Callable[[str], None]) -> Iterator[bytes]:
    blocks = iter(entry.blocks())
    first = next(blocks, b"")
    if first[: len(MAGIC)] == MAGIC[: len(first)] and entry.size_bytes >= len(MAGIC):
        tell(entry.path)
    yield first
    yield from blocks


@contextmanager
def _folder(*, is_needed: bool) -> Iterator[Path]:
    if not is_needed:
        yield Path(os.devnull)
        return
    import tempfile  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory(prefix="mmgit-layer-") as folder:
        yield Path(folder)


def _hashed(blocks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for block in blocks:
        update(block)
        yield block
