"""The frames between the front and a scorer, little endian, one request under way at a time; both ends import them.

A scorer's first answer is `READY`, or `FAILED` with the reason as text; later ones are an HTTP status and a JSON body.
"""

from __future__ import annotations

import struct

REQUEST = struct.Struct("<IHBI")
"""Bytes of the body, bytes of the ids, form of the body, bytes at the start of a body of tensors that are JSON
(0: all); then request, correlation and trace id in ASCII, a line each, then the body."""

ARGUMENTS = 0
"""The form of a body that is JSON: the arguments by name. Without a schema it is whatever `run()` takes."""
RAW = 1
"""The form of a body that is itself the only argument, declared as bytes."""
TENSORS = 2
"""The form of a body of the Open Inference Protocol v2."""

ANSWER = struct.Struct("<IHI")
"""Bytes of the payload, status, bytes at its start that are JSON (0: all); then the payload."""

READY = 0
FAILED = 1

BODY_BYTES_MAX = 2**32 - 1
