"""What a model file is and what loading it would import: a file in, its format and `Found` out. Nothing is loaded.

Pickles are followed wherever they lie: bare, packed as joblib packs them, in archives, in arrays of NumPy. To be called
where memory and time have bounds: see `confined`.
"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from tarfile import BLOCKSIZE
from typing import IO, Any

from mmgit.formats.archives import is_tar, objects_in, read_archive, read_hdf5, read_tar
from mmgit.formats.found import Found
from mmgit.formats.marks import HEAD_BYTES, formats_of
from mmgit.formats.pickles import follow
from mmgit.formats.stream import Broken, Reads, Stream
from mmgit.formats.unpacked import Unzlib
from mmgit.spec.project import Format

DEPTH_MAX = 2
"""Of archives in archives: a sparse matrix in a file of skops is one."""
_DAMAGES = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(struct.error, EOFError, OSError, ValueError, RuntimeError),
)
"""What the standard library raises for what is packed and damaged, encrypted, or packed in a way of its own."""
_PACKED: Mapping[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    **dict.fromkeys((b"\xfd7zXZ\x00", b"\x5d\x00"), lzma.LZMAFile),
    **dict.fromkeys((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), Unzlib),
}
_ALSO_A_PICKLE = b"BZh"
"""What may as well be the beginning of a pickle: bytes, of a length that `Zh` begins."""
_UNREAD = (b"\x04\x22\x4d\x18", *(b"ZF%c" % digit for digit in b"0123456789abcdefABCDEF"))
"""LZ4, and what joblib wrote before 0.10."""
_NPY, _ZIP, _HDF5 = b"\x93NUMPY", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_TORCH = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
"""The first of five pickles in a file of PyTorch's before 1.6; numbers follow them."""
_TORCH_PICKLES = 5


def scan(name: str, file: IO[bytes]) -> tuple[Format, Found]:
    """The format of a file, which can seek, and what was found in it."""
    found = Found()
    file.seek(0)  # whoever opened it has read some of it
    formats = formats_of(name, file.read(HEAD_BYTES))
    kind: Format | None = None
    try:
        kind = _read(file, found, 0, is_pickle="pickle" in formats)
    except Broken as broken:
        found.doubt(broken.reason, broken.at)
    except _DAMAGES as error:
        found.doubt(f"it is damaged ({type(error).__name__})", 0)
    return kind or formats[-1], found


def is_plain(name: str, file: IO[bytes]) -> bool:
    """Whether the first bytes tell already that no pickle is in a file, and nothing else that names code."""
    head = file.read(HEAD_BYTES)
    is_packed = head.startswith((_ZIP, _HDF5, _NPY, *_PACKED, *_UNREAD)) or is_tar(head) or zipfile.is_zipfile(file)
    if is_packed or "pickle" in formats_of(name, head):
        return False
    found, is_whole = Found(), len(head) < HEAD_BYTES
    try:
        follow(Stream(io.BytesIO(head)), found)
    except Broken as broken:
        is_whole = is_whole or broken.at < len(head)
    else:
        return False  # another one may follow
    return is_whole and not found.has_imports


def _read(file: IO[bytes], found: Found, depth: int, *, is_pickle: bool = False) -> Format | None:
    """Follow what is in a file; its format, if its content says that."""
    if depth > DEPTH_MAX:
        raise Broken("archives in archives in it have no end", 0)
    file.seek(0)
    head = file.read(len(_TORCH))
    is_archive = head.startswith(_ZIP) or (depth == 0 and zipfile.is_zipfile(file))
    file.seek(0)
    if is_archive:
        kind = read_archive(file, found, partial(_read, found=found, depth=depth + 1))
        if head.startswith(_ZIP):
            return kind
        file.seek(0)
    if head.startswith(_UNREAD):
        raise Broken("it is packed in a way that is not read here; joblib.dump(…, compress=3) is", 0)
    if head.startswith(_HDF5):
        return read_hdf5(file, found)
    if head.startswith(_NPY):
        return _pickles(file, found, is_pickle=True) if objects_in(file) else None
    unpack = next((each for begin, each in _PACKED.items() if head.startswith(begin)), None)
    unpacked = unpack(file) if unpack else file
    if _holds_tar(unpacked):
        return read_tar(unpacked, partial(_read, found=found, depth=depth + 1))
    last = _TORCH_PICKLES if head == _TORCH else None
    kind = _pickles(unpacked, found, is_pickle=is_pickle, last=last)
    if head.startswith(_ALSO_A_PICKLE):
        file.seek(0)
        kind = _pickles(file, found, is_pickle=False) or kind
    return kind


def _holds_tar(file: Any) -> bool:  # noqa: ANN401 - of any way of packing
    if isinstance(file, Unzlib):
        return False
    head = b""
    with suppress(*_DAMAGES):
        head = file.read(BLOCKSIZE)
    file.seek(0)
    return is_tar(head)


def _pickles(file: Reads, found: Found, *, is_pickle: bool, last: int | None = None) -> Format | None:
    """Follow pickle after pickle. What neither is called one nor imports anything is none."""
    stream, own, count = Stream(file), Found(), 0
    try:
        while count != last and stream.peek():
            follow(stream, own)
            count += 1
    except Broken as broken:
        own.doubt(broken.reason if not count else f"behind a pickle, {broken.reason}", broken.at)
    except _DAMAGES as error:
        own.doubt(f"it is damaged ({type(error).__name__})", stream.at)
    if not (is_pickle or own.has_imports):
        return None
    found.take(own)
    return "pickle"
