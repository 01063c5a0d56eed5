"""The frames between the front and a scorer, little endian, one request under way at a time; both ends import them.

A scorer's first answer is `READY`, or `FAILED` with the reason as text; later ones are an HTTP status and a JSON body.
"""

from __future__ import annotations

import struct

REQUEST = struct.Struct("<IH")
"""Bytes of the body, bytes of the ids; then request, correlation and trace id in ASCII, a line each, then the body."""

ANSWER = struct.Struct("<IH")
"""Bytes of the payload, status; then the payload."""

READY = 0
FAILED = 1

BODY_BYTES_MAX = 2**32 - 1
