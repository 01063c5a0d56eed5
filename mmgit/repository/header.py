"""The mark of every rendered file, by which mmgit knows its own output again: text in, text out.

It is the first line: a comment, or in JSON, which has none, the first member of the object.
"""

import hashlib
import re
from typing import Literal

FORMAT = 1

_HEADERS = (
    re.compile(rb"# mmgit [0-9]+ sha256:([0-9a-f]{64})\n"),
    re.compile(rb'\{"mmgit": "[0-9]+ sha256:([0-9a-f]{64})",\n'),
)
_BEGINNINGS = (b"# mmgit ", b'{"mmgit": ')

HeaderState = Literal["ours", "edited", "foreign"]


def with_header(body: bytes) -> bytes:
    """`body` under the line that names its hash."""
    return b"# mmgit %d sha256:%s\n%s" % (FORMAT, hashlib.sha256(body).hexdigest().encode(), body)


def with_json_header(body: bytes) -> bytes:
    """A JSON object that begins with `{` alone on its line, with the member that names the hash of all other lines."""
    rest = body.removeprefix(b"{\n")
    return b'{"mmgit": "%d sha256:%s",\n%s' % (FORMAT, hashlib.sha256(rest).hexdigest().encode(), rest)


def header_state(data: bytes) -> HeaderState:
    """Whether mmgit wrote `data` as it is, somebody edited it afterwards, or mmgit never wrote it."""
    header = _HEADERS[data.startswith(b"{")].match(data)
    if header and hashlib.sha256(memoryview(data)[header.end() :]).hexdigest().encode() == header[1]:
        return "ours"
    return "edited" if data.startswith(_BEGINNINGS) else "foreign"
