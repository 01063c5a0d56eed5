"""The files of a spool: records in as frames, records out again, whatever the end of the file looks like.

A segment is the line `mmgit spool 1` and then frames: length and CRC-32 of a record, little endian, and the record,
which is JSON in practice and anything to this module. One that is being written is `<nanoseconds>-<number>.open`, one
that is complete `<nanoseconds>-<number>-<records>.seg`. Names sort by age.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = b"mmgit spool 1\n"
STATUS_FILE = "uploader.json"
"""What the uploader of a spool says of itself, in JSON."""
RECORD_BYTES_MAX = 1024 * 1024
FRAME = struct.Struct("<II")
_SEALED = re.compile(r"([0-9]{20}-[0-9]{6})-([0-9]+)\.seg")
_OPEN = re.compile(r"([0-9]{20}-[0-9]{6})\.open")


class Segment(NamedTuple):
    """One file of a spool; `records` of one that is not sealed is not known."""

    file: Path
    records: int
    is_sealed: bool


class Scan(NamedTuple):
    """What a segment holds: its records, the bytes up to their end, and the bytes of the torn frame behind it."""

    records: list[bytes]
    whole_bytes: int
    torn_bytes: int


def name_of(nanoseconds: int, number: int) -> str:
    """The name of a new segment."""
    return f"{nanoseconds:020d}-{number % 1_000_000:06d}.open"


def sealed_name(name: str, records: int) -> str:
    """The name of the same segment when it is complete."""
    return f"{name.partition('.')[0]}-{records}.seg"


def frame_of(record: bytes) -> bytes:
    """A record between others; the checksum covers its length too, so that no run of zeros is a frame."""
    size = len(record)
    return FRAME.pack(size, _checksum(size, record)) + record


def segments_of(folder: Path) -> list[Segment]:
    """The segments of a spool, the oldest first; other files are passed over. None where the folder is not there."""
    found = []
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        sealed = _SEALED.fullmatch(file.name)
        if sealed or _OPEN.fullmatch(file.name):
            found.append(Segment(file, int(sealed[2]) if sealed else 0, bool(sealed)))
    return found


def scan(file: Path) -> Scan:
    """Read one segment as far as it is whole. Raises OSError."""
    with file.open("rb") as stream:
        data = stream.read()
    if not data.startswith(HEAD):
        return Scan([], 0, len(data))
    records, at = [], len(HEAD)
    while at + FRAME.size < len(data):
        size, checksum = FRAME.unpack_from(data, at)
        start = at + FRAME.size
        record = data[start : start + size]
        if not 0 < size <= RECORD_BYTES_MAX or len(record) != size or _checksum(size, record) != checksum:
            break
        records.append(record)
        at = start + size
    return Scan(records, at, len(data) - at)


def read(folder: Path) -> Iterator[bytes]:
    """All records of a spool, the oldest first. What its writer deletes meanwhile is passed over; a torn end too."""
    for segment in segments_of(folder):
        try:
            found = scan(segment.file)
        except FileNotFoundError:
            sealed = sorted(folder.glob(f"{segment.file.stem}-*.seg"))  # it was completed since the folder was listed
            found = scan(sealed[0]) if sealed else Scan([], 0, 0)
        yield from found.records


def _checksum(size: int, record: bytes) -> int:
    return zlib.crc32(record, zlib.crc32(size.to_bytes(4, "little")))
