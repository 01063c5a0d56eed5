"""Which Debian package has a library: looked up in the archive's own index of files, else guessed by its naming rule.

What comes out is for people to read and type: nothing is installed by it, so the index is bounded but not verified.
"""

import re
import zlib
from collections.abc import Collection, Iterable, Iterator

from mmgit.frozen import dataclass
from mmgit.images.download import UnavailableError, stream
from mmgit.images.origins import Mirror
from mmgit.platforms import PLATFORMS

_INDEX_LIMIT_BYTES = 128 * 2**20
_UNPACKED_LIMIT_BYTES = 2**32
_STEP_BYTES = 2**20
_LIBRARY = re.compile(r"[A-Za-z0-9+_.-]{1,200}")
_PACKAGE = re.compile(rb"[a-z0-9][a-z0-9+.-]{1,127}")


@dataclass(frozen=True)
class Holder:
    """A package that should have a library; one that is guessed may not even be there."""

    package: str
    is_guessed: bool


def holders_of(libraries: Collection[str], suite: str, platform: str, mirror: Mirror) -> dict[str, Holder]:
    """Library -> the package that has it, for all that are libraries by their names. Never fails."""
    wanted = [library for library in libraries if _LIBRARY.fullmatch(library)]
    try:
        found = dict(_found(wanted, suite, platform, mirror))
    except (UnavailableError, zlib.error):
        found = {}
    named = {library: found.get(library) or named_by_rule(library) for library in wanted}
    return {library: Holder(package, library not in found) for library, package in named.items() if package}


def named_by_rule(library: str) -> str:
    """The package of a library as Debian would name it, or nothing. Source: Debian Policy 8.1."""
    name = re.sub(r"([0-9])\.so\.", r"\1-", library)
    name = re.sub(r"\.so(\.|$)", "", name).replace("_", "-").lower()
    return name if _PACKAGE.fullmatch(name.encode()) else ""


def _found(libraries: list[str], suite: str, platform: str, mirror: Mirror) -> Iterator[tuple[str, str]]:
    of = PLATFORMS[platform]
    url = f"{mirror.debian}/dists/{suite}/main/Contents-{of.debian}.gz"
    names = "|".join(map(re.escape, libraries))
    line = re.compile(rf"^(?:usr/)?lib/(?:{of.triplet}/)?({names})\s+(\S+)$".encode(), re.MULTILINE)
    left = set(libraries)
    for text in _lines(stream(url, _INDEX_LIMIT_BYTES, proxy=mirror.proxy())):
        for library, holders in line.findall(text):
            packages = [each.rpartition(b"/")[2] for each in holders.split(b",")]
            if library.decode() in left and (sound := [each for each in packages if _PACKAGE.fullmatch(each)]):
                left.discard(library.decode())
                yield library.decode(), sound[0].decode()
        if not left:
            return


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpacked text in pieces that end with a line."""
    unpacker, rest, size_bytes = zlib.decompressobj(wbits=31), b"", 0
    for block in blocks:
        packed = block
        while packed:
            piece = rest + unpacker.decompress(packed, _STEP_BYTES)
            packed = unpacker.unconsumed_tail
            size_bytes += len(piece) - len(rest)
            if size_bytes > _UNPACKED_LIMIT_BYTES or len(piece) > 2 * _STEP_BYTES:
                raise UnavailableError("an index of files is longer than any")
            text, end, rest = piece.rpartition(b"\n")
            yield text + end
    yield rest
