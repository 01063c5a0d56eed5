"""One request and its answer, from the first header to the last byte; the bytes of responses are put together here alone."""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from mmgit.serving.front.connection import Connection

_encode = msgspec.json.Encoder().encode
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch
_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\ndate: " % (status.value, status.phrase.encode()) for status in HTTPStatus
}
_JSON = b"application/json"

RETRY = b"retry-after: 1\r\n"


class Refusal(NamedTuple):
    """An error answer; `headers` are whole lines."""

    status: int
    code: str
    message: str
    headers: bytes = b""


class Exchange:
    """A request on a connection, and the answer it was given."""

    __slots__ = (
        "body",
        "body_bytes",
        "body_limit",
        "chunks",
        "connection",
        "deadline",
        "headers",
        "held_bytes",
        "is_gone",
        "is_received",
        "is_refused",
        "keep_alive",
        "key_name",
        "method",
        "path",
        "repeated",
        "request_id",
        "response",
        "response_bytes",
        "started_at",
        "status",
        "target",
    )

    def __init__(self, connection: Connection, started_at: float) -> None:
        self.connection = connection
        self.started_at = started_at
        self.deadline = 0.0
        self.method = b""
        self.target = b""
        self.path = b""
        self.headers: dict[bytes, bytes] = {}
        self.repeated = b""
        self.request_id = ""
        self.key_name = ""
        self.chunks: list[bytes] = []
        self.body = b""
        self.body_bytes = 0
        self.body_limit = 0
        self.held_bytes = 0
        self.keep_alive = False
        self.is_received = False
        self.is_refused = False
        self.is_gone = False
        self.status = 0
        self.response: bytes | None = None
        self.response_bytes = 0

    def name_request(self) -> None:
        """Take over the caller's request id if it is a plain one, else make one up."""
        given = self.headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID(given):
            self.request_id = given.decode("ascii")
        else:
            self.request_id = os.urandom(16).hex()

    def answer(self, status: int, body: bytes, *, headers: bytes = b"", content_type: bytes = _JSON) -> None:
        """Give the answer; only the first one counts, and none when the client has left."""
        if self.response is not None or self.is_gone:
            return
        site = self.connection.site
        if site.is_draining and self.connection.is_last(self):
            self.keep_alive = False
        self.status = status
        self.response_bytes = len(body)
        self.response = b"%b%b\r\ncontent-type: %b\r\nx-request-id: %b\r\n%b%bcontent-length: %d\r\n\r\n%b" % (
            _STATUS_LINES[status],
            site.date,
            content_type,
            self.request_id.encode("ascii"),
            headers,
            b"" if self.keep_alive else b"connection: close\r\n",
            len(body),
            b"" if self.method == b"HEAD" else body,
        )
        site.record(self)
        self.connection.send_answers()

    def refuse(self, refusal: Refusal) -> None:
        """Answer with an error document."""
        error = {"code": refusal.code, "message": refusal.message, "request_id": self.request_id}
        self.answer(refusal.status, _encode({"error": error}), headers=refusal.headers)
