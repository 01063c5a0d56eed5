"""The frames between the front and a scorer, little endian; both ends import them.

A scorer's first answer is `READY`, or `FAILED` with the reason as text; later ones, one a request of a group in any
order, are an HTTP status and a JSON body, or what to do instead. A group is of one request unless `run()` is row-wise.
Groups are scored in their order, and nothing of one begins before all of the one before it is answered.
"""

from __future__ import annotations

import struct

REQUEST = struct.Struct("<IHBIHHd")
"""Bytes of the body, bytes of the ids, form of the body, bytes at the start of a body of tensors that are JSON
(0: all), how many requests of the same group follow, its number (never 0), by when it has to begin, in seconds of the
monotonic clock, which the processes of a machine share; then request, correlation and trace id in ASCII, a line each,
then the body."""

RECALL = struct.Struct("<H")
RECALL_SLOTS = 16
"""Memory that both share: in slot `number % RECALL_SLOTS` the number of a request that is not to begin, or 0. No more
requests than that are under way at a time."""

ARGUMENTS = 0
"""The form of a body that is JSON: the arguments by name. Without a schema it is whatever `run()` takes."""
RAW = 1
"""The form of a body that is itself the only argument, declared as bytes."""
TENSORS = 2
"""The form of a body of the Open Inference Protocol v2."""

ANSWER = struct.Struct("<IHIH")
"""Bytes of the payload, status, bytes at its start that are JSON (0: all), the number of the request that it answers
(0: of none); then the payload."""

READY = 0
FAILED = 1
ALONE = 2
"""A request that does not fit to the others of its group was not scored: it is to come again, alone."""
COLLECTED = 4
"""Before the answers of a group: what `collect()` was given, a record of JSON a line. The number of bytes that are JSON
is that of records which could not be kept."""
REPLAY = 3
"""A request was scored with others in vain: it is to come again, alone."""
PASSED_OVER = 5
"""A request that came alone was not scored: it was recalled, or it was too late."""

ROW_WISE = b"row-wise"
"""What a scorer is `READY` with that takes groups of several requests."""

BODY_BYTES_MAX = 2**32 - 1
