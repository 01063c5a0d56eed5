"""The loop of a scorer: a frame with a body in, a frame with a status and a JSON document out, until the front closes.

What the user's code raises is told in the log only; the client gets a code and the request's id.
"""

from __future__ import annotations

import json
import os
import socket

from .collecting import collecting
from .frames import ANSWER, BODY_BYTES_MAX, FAILED, READY, REQUEST
from .log import RequestLog, summary
from .results import ResultError, json_of
from .scoring import Assignment, Scoring, load
from .strict_json import Refused

_READ_BYTES = 64 * 1024


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
            request_id, body = receive(front)
            log.begin(request_id)
            status, answer = score(scoring, body, request_id, log)
            log.end()
            _send(front, status, answer)
    except (EOFError, ConnectionError):
        return


def score(scoring: Scoring, body: bytes, request_id: str, log: RequestLog) -> tuple[int, bytes]:
    """The status and document that answer one request."""
    declared = scoring.declared
    try:
        arguments = None if declared is None else declared.arguments(body)
    except Refused as refused:
        return 400, _error(refused.code, refused.message, request_id)
    except Exception as error:  # noqa: BLE001 - nor may what numpy and pandas raise
        log.failure("conversion_failed", error)
        return 500, _error("conversion_failed", "the arguments could not be converted; the log says why", request_id)
    try:
        result = scoring.run(body) if arguments is None else scoring.run(**arguments)
        answer = json_of(result)
        if declared is not None and declared.check_result is not None:
            declared.check_result(answer)
    except ResultError as error:
        log.line("error", "result_refused", message=str(error))
        message = "the result of the scoring code has no JSON form, or not the declared one; the log says why"
        return 500, _error(error.code, message, request_id)
    except BaseException as error:  # noqa: BLE001 - nothing that the user's code raises may end the scorer
        log.failure("run_failed", error)
        return 500, _error("scoring_failed", "the scoring code failed; the log says why", request_id)
    if len(answer) > BODY_BYTES_MAX:
        return 500, _error("result_too_large", "the result of the scoring code is too large", request_id)
    return 200, answer


def receive(front: socket.socket) -> tuple[str, bytes]:
    """The next request's id and body.

    Raises:
        EOFError: the front closed.
    """
    start = _read(front, bytearray(), REQUEST.size)
    body_bytes, id_bytes = REQUEST.unpack_from(start)
    frame = memoryview(_read(front, start, REQUEST.size + id_bytes + body_bytes))
    body_at = REQUEST.size + id_bytes
    return bytes(frame[REQUEST.size : body_at]).decode("ascii"), bytes(frame[body_at:])


def _read(front: socket.socket, have: bytearray, size: int) -> bytearray:
    """Grow `have` to `size` bytes at least; only one frame is ever under way, so no byte of a next one comes."""
    while len(have) < size:
        data = front.recv(max(_READ_BYTES, min(size - len(have), 1 << 20)))
        if not data:
            raise EOFError
        have += data
    return have


def _send(front: socket.socket, status: int, payload: bytes) -> None:
    front.sendall(ANSWER.pack(len(payload), status) + payload)


def _error(code: str, message: str, request_id: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "request_id": request_id}}).encode()
