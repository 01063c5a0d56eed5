"""The first line of every rendered file, by which mmgit knows its own output again: text in, text out."""

import hashlib
import re
from typing import Literal

FORMAT = 1

_HEADER = re.compile(rb"# mmgit [0-9]+ sha256:([0-9a-f]{64})\n")

HeaderState = Literal["ours", "edited", "foreign"]


def with_header(body: bytes) -> bytes:
    """`body` under the line that names its hash."""
    return b"# mmgit %d sha256:%s\n%s" % (FORMAT, hashlib.sha256(body).hexdigest().encode(), body)


def header_state(data: bytes) -> HeaderState:
    """Whether mmgit wrote `data` as it is, somebody edited it afterwards, or mmgit never wrote it."""
    header = _HEADER.match(data)
    if header and hashlib.sha256(memoryview(data)[header.end() :]).hexdigest().encode() == header[1]:
        return "ours"
    return "edited" if data.startswith(b"# mmgit ") else "foreign"
