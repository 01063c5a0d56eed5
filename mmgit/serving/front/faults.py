"""The wanted headers and the version of a request in; what is wrong with a head that llhttp accepts out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mmgit.serving.front.exchange import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

REPEATED = b""
"""The key under which headers name one that stands twice."""
_LENGTH_DIGITS_MAX = 19
_HOST = lru_cache(64)(re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[\w.:~!$&'()*+,;=]+\])(?::[0-9]*)?").fullmatch)


def fault_of(headers: Mapping[bytes, bytes], version: str) -> Refusal | None:
    """Why a request is not taken, whatever it asks for."""
    if version not in ("1.0", "1.1"):
        return Refusal(505, "http_version", "this server speaks HTTP/1.1")
    reason = _broken_rule(headers, version)
    if reason:
        return Refusal(400, "bad_request", reason)
    if headers.get(b"expect", b"100-continue").lower() != b"100-continue":
        return Refusal(417, "expectation_failed", "the only expectation is 100-continue")
    return None


def _broken_rule(headers: Mapping[bytes, bytes], version: str) -> str:
    """What RFC 9112 forbids, or leaves to the server."""
    if REPEATED in headers:
        return f"the header {headers[REPEATED].decode()} stands twice"
    host = headers.get(b"host")
    if host is None and version == "1.1":
        return "the header host is missing"
    if host and not _HOST(host):
        return "the header host is not a name or an address, with or without a port"
    if len(headers.get(b"content-length", b"")) > _LENGTH_DIGITS_MAX:
        return f"the header content-length has more than {_LENGTH_DIGITS_MAX} digits"
    coding = headers.get(b"transfer-encoding")
    if coding is not None and (coding.lower() != b"chunked" or version != "1.1"):
        return "the only transfer coding is chunked, with HTTP/1.1"
    return ""
