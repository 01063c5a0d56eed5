"""The loop of a scorer: a frame with a body in, a frame with a status and a JSON document out, until the front closes.

What the user's code raises is told in the log only; the client gets a code and the request's id.
"""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, NamedTuple

from .collecting import collecting
from .frames import ANSWER, BODY_BYTES_MAX, FAILED, READY, REQUEST, TENSORS
from .log import RequestLog, summary
from .results import ResultError, json_of
from .scoring import Assignment, Scoring, load
from .strict_json import Refused

if TYPE_CHECKING:
    from .inference import Asked

_READ_BYTES = 64 * 1024


class Request(NamedTuple):
    """One request as the front sends it: its ids (request, correlation, trace), what its body is, its body."""

    ids: list[str]
    form: int
    json_bytes: int
    body: bytes


class Answer(NamedTuple):
    """What goes back; `json_bytes` of the payload are JSON, 0 for all of it."""

    status: int
    payload: bytes
    json_bytes: int = 0


def main(assignment: Assignment) -> None:
    """Load the user's code, say so, then score until the front is gone."""
    front = socket.socket(fileno=assignment.socket_fd)
    front.set_inheritable(False)
    os.set_inheritable(assignment.log_fd, False)  # noqa: FBT003 - a flag by position is what it takes
    log = RequestLog(assignment.log_fd)
    log.take_over_streams()
    collecting.begin(log)
    try:
        scoring = load(assignment)
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a score file is a reason too
        log.end()
        log.failure("init_failed", error)
        _send(front, FAILED, summary(error).encode())
        return
    log.end()
    try:
        _send(front, READY, b"")
        while True:
            request = receive(front)
            log.begin(*request.ids)
            answer = score(scoring, request, log)
            log.end()
            _send(front, *answer)
    except (EOFError, ConnectionError):
        return


def score(scoring: Scoring, request: Request, log: RequestLog) -> Answer:
    """What answers one request."""
    asked: Asked | None = None
    try:
        if request.form == TENSORS:
            asked = scoring.inference.read(request.body, request.json_bytes)
            arguments = asked.arguments
        elif scoring.declared is None:
            arguments = request.body
        else:
            arguments = scoring.declared.arguments.of(request.body, request.form)
    except Refused as refused:
        return _error(request, 400, refused.code, refused.message)
    except Exception as error:  # noqa: BLE001 - nor may what numpy and pandas raise
        log.failure("conversion_failed", error)
        return _error(request, 500, "conversion_failed", "the arguments could not be converted; the log says why")
    try:
        result = scoring.call(arguments)
    except Refused as refused:  # by a runtime: the library does not take these values
        return _error(request, 400, refused.code, refused.message)
    except BaseException as error:  # noqa: BLE001 - nothing that the user's code raises may end the scorer
        log.failure("run_failed", error)
        return _error(request, 500, "scoring_failed", "the scoring code failed; the log says why")
    return _answer(scoring, request, asked, result, log)


def _answer(scoring: Scoring, request: Request, asked: Asked | None, result: object, log: RequestLog) -> Answer:
    check = scoring.declared.check_result if scoring.declared else None
    try:
        document = json_of(result) if check or not asked else b""
        if check:
            check(document)
        payload, json_bytes = asked.answer(result) if asked else (document, 0)
    except Refused as refused:
        return _error(request, 400, refused.code, refused.message)
    except ResultError as error:
        log.line("error", "result_refused", message=str(error))
        message = "the result of the scoring code has no JSON form, or not the declared one; the log says why"
        return _error(request, 500, error.code, message)
    except BaseException as error:  # noqa: BLE001 - a result may be an object of the user's, which does anything
        log.failure("run_failed", error)
        return _error(request, 500, "scoring_failed", "the scoring code failed; the log says why")
    if len(payload) > BODY_BYTES_MAX:
        return _error(request, 500, "result_too_large", "the result of the scoring code is too large")
    return Answer(200, payload, json_bytes)


def receive(front: socket.socket) -> Request:
    """The next request.

    Raises:
        EOFError: the front closed.
    """
    start = _read(front, bytearray(), REQUEST.size)
    body_bytes, ids_bytes, form, json_bytes = REQUEST.unpack_from(start)
    frame = memoryview(_read(front, start, REQUEST.size + ids_bytes + body_bytes))
    body_at = REQUEST.size + ids_bytes
    ids = bytes(frame[REQUEST.size : body_at]).decode("ascii").split("\n")
    return Request(ids, form, json_bytes, bytes(frame[body_at:]))


def _read(front: socket.socket, have: bytearray, size: int) -> bytearray:
    """Grow `have` to `size` bytes at least; only one frame is ever under way, so no byte of a next one comes."""
    while len(have) < size:
        data = front.recv(max(_READ_BYTES, min(size - len(have), 1 << 20)))
        if not data:
            raise EOFError
        have += data
    return have


def _send(front: socket.socket, status: int, payload: bytes, json_bytes: int = 0) -> None:
    front.sendall(ANSWER.pack(len(payload), status, json_bytes) + payload)


def _error(request: Request, status: int, code: str, message: str) -> Answer:
    told = {"code": code, "message": message, "request_id": request.ids[0]}
    return Answer(status, json.dumps({"error": message if request.form == TENSORS else told}).encode())
