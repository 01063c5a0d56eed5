"""One request and its answer, from the first header to the last byte. Responses are put together here alone."""

from __future__ import annotations

import itertools
import math
import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mmgit.serving.scorer.frames import ARGUMENTS

if TYPE_CHECKING:
    from mmgit.serving.front.connection import Connection
    from mmgit.serving.front.keys import Key

_encode = msgspec.json.Encoder().encode
_PLAIN_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\ndate: " % (status.value, status.phrase.encode()) for status in HTTPStatus
}
_RESPONSE = b"%b%b\r\ncontent-type: %b\r\nx-request-id: %b\r\nx-ms-request-id: %b\r\n%b%b%bcontent-length: %d\r\n\r\n%b"
"""The id of the request is there under the reference's name too."""
_JSON = b"application/json"
_ID_PREFIX = os.urandom(10).hex()
_ID_NUMBERS = itertools.count(int.from_bytes(os.urandom(5), "big"))

RETRY = b"retry-after: 1\r\n"


class Refusal(NamedTuple):
    """An error answer; `headers` are whole lines."""

    status: int
    code: str
    message: str
    headers: bytes = b""


class Exchange:
    """A request on a connection, and the answer it was given."""

    method = b""
    target = b""
    path = b""
    request_id = ""
    correlation_id = ""
    trace_id = ""
    key: Key | None = None
    key_name = ""
    body = b""
    kept_body: bytes | None = None
    form = ARGUMENTS
    is_gzip = False
    json_bytes = 0
    is_inference = False
    is_preflight = False
    shared = b""
    declared_bytes = 0
    body_bytes = 0
    body_limit = 0
    held_bytes = 0
    deadline = math.inf
    queued_at = 0.0
    queue_seconds: float | None = None
    keep_alive = False
    is_asking = False
    is_received = False
    is_refused = False
    is_gone = False
    is_alone = False
    is_ahead = False
    status = 0
    response: bytes | None = None
    response_bytes = 0

    def __init__(self, connection: Connection, started_at: float) -> None:
        self.connection = connection
        self.started_at = started_at
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes | bytearray] = []

    def name_request(self) -> None:
        """Take over the caller's ids if they are plain ones; a request id is made up where there is none."""
        headers = self.headers
        given = headers.get(b"x-request-id") or headers.get(b"x-ms-request-id")
        self.request_id = (given and _plain(given)) or f"{_ID_PREFIX}{next(_ID_NUMBERS):012x}"
        if b"x-correlation-id" in headers:
            self.correlation_id = _plain(headers[b"x-correlation-id"])
        if b"traceparent" in headers:
            trace = _TRACEPARENT(headers[b"traceparent"])
            self.trace_id = trace[1].decode("ascii") if trace else ""

    def answer(self, status: int, body: bytes, *, headers: bytes = b"", content_type: bytes = _JSON) -> None:
        """Give the answer; only the first one counts, and none when the client has left."""
        if self.response is not None or self.is_gone:
            return
        site = self.connection.site
        if site.is_draining and self.connection.ends_with(self):
            self.keep_alive = False
        self.status = status
        self.response_bytes = len(body)
        self.response = _RESPONSE % (
            _STATUS_LINES[status],
            site.date,
            content_type,
            self.request_id.encode("ascii"),
            self.request_id.encode("ascii"),
            b"x-correlation-id: %b\r\n" % self.correlation_id.encode("ascii") if self.correlation_id else b"",
            headers + self.shared,
            b"" if self.keep_alive else b"connection: close\r\n",
            len(body),
            b"" if self.method == b"HEAD" else body,
        )
        site.record(self)
        self.connection.send_answers()

    def refuse(self, refusal: Refusal) -> None:
        """Answer with an error document, which is a text in the Open Inference Protocol."""
        told = {"code": refusal.code, "message": refusal.message, "request_id": self.request_id}
        error = refusal.message if self.is_inference else told
        self.answer(refusal.status, _encode({"error": error}), headers=refusal.headers)


def _plain(given: bytes) -> str:
    return given.decode("ascii") if _PLAIN_ID(given) else ""
