"""How layers are compressed: gzip by zlib-ng, the same bytes for the same input on every machine."""

import zlib
from collections.abc import Iterable, Iterator

from mmgit.errors import BuildError

_ZLIB_NG = "2.3.3"
_FORMAT = 1  # how entries become bytes: a change there needs a new number here
_LEVEL = 3
_RAW_DEFLATE = -15
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # no name, no time, unknown system
_U32 = 2**32

NAME = f"gzip zlib-ng {_ZLIB_NG} level {_LEVEL}, layer format {_FORMAT}"
"""Part of every key: another compressor or layer format makes other digests of the same files."""


def gzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """`blocks` as one gzip member. Raises `BuildError` where another compressor is installed."""
    from zlib_ng import zlib_ng  # noqa: PLC0415 - a release of a new model compresses nothing

    if str(zlib_ng.ZLIBNG_VERSION) != _ZLIB_NG:  # its types have a number there
        words = f"zlib-ng {zlib_ng.ZLIBNG_VERSION} is installed, whose bytes may be others than those of {_ZLIB_NG}"
        raise BuildError(words, "install mmgit with the versions that it names")
    deflate = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _RAW_DEFLATE)
    checksum = size_bytes = 0
    yield _HEADER
    for block in blocks:
        checksum = zlib.crc32(block, checksum)
        size_bytes += len(block)
        yield deflate.compress(block)
    yield deflate.flush() + checksum.to_bytes(4, "little") + (size_bytes % _U32).to_bytes(4, "little")
