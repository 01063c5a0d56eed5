"""Which format a model file has: its name and its first bytes come in. Nothing is loaded, and no pickle is run."""

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress

from mmgit.formats.endings import claimed_by
from mmgit.formats.found import Found
from mmgit.formats.pickles import follow
from mmgit.formats.stream import Broken, Stream
from mmgit.spec.project import Format

HEAD_BYTES = 64 * 2**10

_UNMARKED = frozenset({"other", "xgboost", "lightgbm"})
"""Formats that no first bytes tell."""
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LZ4 = b"\x04\x22\x4d\x18"  # of what stores models, only joblib
_LEARNER_WITHIN = 32
_PACKED: Mapping[bytes, Callable[[bytes], bytes]] = {
    **dict.fromkeys(
        (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b"),
        lambda head: zlib.decompressobj(wbits=47).decompress(head, HEAD_BYTES),
    ),
    b"BZh": lambda head: bz2.BZ2Decompressor().decompress(head, HEAD_BYTES),
    **dict.fromkeys(
        (b"\xfd7zXZ\x00", b"\x5d\x00\x00"),
        lambda head: lzma.LZMADecompressor(memlimit=2**26).decompress(head, HEAD_BYTES),
    ),
}
"""What joblib packs pickles with, by how it begins."""


def formats_of(name: str, head: bytes | None) -> tuple[Format, ...]:
    """The format that a file's name claims, and those that its first `HEAD_BYTES` are of instead, if they are.

    Without bytes (None), or for a pointer of Git LFS, the name alone counts.
    """
    claimed = claimed_by(name)
    if head is None or head.startswith(_LFS_POINTER):
        return (claimed,)
    found = _formats_in(head)
    if claimed in found or (not found and claimed in _UNMARKED):
        return (claimed,)
    return (claimed, *(found or ("other",)))


def found_in(head: bytes) -> Found:
    """What a pickle that begins so imports, and what of it cannot be told, as far as it is there."""
    for begin, unpack in _PACKED.items():
        if head.startswith(begin):
            with suppress(zlib.error, OSError, lzma.LZMAError, EOFError):
                head = unpack(head)
    found = Found()
    with suppress(Broken):  # not a pickle, or cut
        follow(Stream(io.BytesIO(head)), found)
    return found


def _formats_in(head: bytes, *, is_packed: bool = False) -> tuple[Format, ...]:
    """What bytes that begin so may be; empty if nothing tells."""
    for is_it, formats in _MARKS:
        if is_it(head):
            return formats
    for begin, unpack in _PACKED.items() if not is_packed else ():
        if head.startswith(begin):
            with suppress(zlib.error, OSError, lzma.LZMAError, EOFError):
                return _formats_in(unpack(head), is_packed=True)
    return ()


def _is_pickle(head: bytes) -> bool:
    """Whether loading it would name something to call: by the mark of protocol 2 and later, else by its first steps."""
    if re.match(rb"\x80[\x02-\x05]", head) or head.startswith(_LZ4):
        return True
    if head.startswith(b"\x93NUMPY"):
        return _has_objects(head)
    return found_in(head).has_imports


def _has_objects(head: bytes) -> bool:
    from mmgit.formats.archives import objects_in  # noqa: PLC0415 - few files are arrays

    try:
        return objects_in(io.BytesIO(head))
    except Broken:
        return True


def _is_safetensors(head: bytes) -> bool:
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= 100 * 2**20  # the size of its header


def _is_zip(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def _is_pytorch(head: bytes) -> bool:
    return _is_zip(head) and b"data.pkl" in head


_MARKS: tuple[tuple[Callable[[bytes], bool], tuple[Format, ...]], ...] = (
    (_is_pickle, ("pickle",)),
    (lambda head: _is_pytorch(head) and b"/code/" in head, ("pickle", "torchscript")),
    (_is_pytorch, ("pickle",)),
    (_is_zip, ("skops", "keras", "other")),
    (lambda head: head.startswith(b"\x89HDF\r\n\x1a\n"), ("keras",)),
    (lambda head: head.startswith(b"GGUF"), ("other",)),
    (lambda head: head.startswith(b"tree\nversion="), ("lightgbm",)),
    (lambda head: head[:1] == b"{" and b"learner" in head[:_LEARNER_WITHIN], ("xgboost",)),
    (_is_safetensors, ("safetensors",)),
    # A protobuf that begins with a small number: the version of its form.
    (lambda head: head[:1] == b"\x08" and b"\x01" <= head[1:2] <= b"\x20", ("onnx",)),
)
