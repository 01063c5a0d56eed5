"""The loop of a scorer: frames of a group of requests in, frames of their answers out, until the front closes."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from .answering import Answer, Request, score
from .collecting import collecting
from .frames import ANSWER, COLLECTED, FAILED, READY, REPLAY, REQUEST, ROW_WISE
from .groups import score_group
from .log import RequestLog, summary
from .native_json import native_json
from .scoring import Assignment, Scoring, load

if TYPE_CHECKING:
    from collections.abc import Sequence

_READ_BYTES = 16 * 1024


def main(assignment: Assignment) -> None:
    """Load the user's code, say so, then score until the front is gone."""
    front = socket.socket(fileno=assignment.socket_fd)
    front.set_inheritable(False)
    os.set_inheritable(assignment.log_fd, False)  # noqa: FBT003 - a flag by position is what it takes
    log = RequestLog(assignment.log_fd)
    log.take_over_streams()
    collecting.begin(log, assignment.recording)
    lack = native_json.load(assignment.packages)
    if lack:
        log.line("info", "json_by_standard_library", message=f"orjson is not used: {lack}")
    try:
        scoring = load(assignment)
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a score file is a reason too
        log.end()
        log.failure("init_failed", error)
        _send(front, (Answer(FAILED, summary(error).encode()),))
        return
    log.end()
    try:
        _send(front, (Answer(READY, ROW_WISE if scoring.is_row_wise else b""),))
        while True:
            _send(front, answers_to(scoring, receive(front), log))
    except (EOFError, ConnectionError):
        return


def answers_to(scoring: Scoring, group: Sequence[Request], log: RequestLog) -> Sequence[Answer]:
    """The answers to requests that came together, in their order."""
    if len(group) > 1:
        answers = score_group(scoring, group, log)
        if any(answer.status == REPLAY for answer in answers):
            collecting.forget()  # it comes again
        return answers
    [request] = group
    log.begin(*request.ids)
    answer = score(scoring, request, log)
    log.end()
    return (answer,)


def receive(front: socket.socket) -> list[Request]:
    """The next group of requests.

    Raises:
        EOFError: the front closed.
    """
    frames = bytearray(_received(front, _READ_BYTES))
    requests: list[Request] = []
    at = 0
    following = 1
    while following:
        ids_at = at + REQUEST.size
        _read(front, frames, ids_at)
        body_bytes, ids_bytes, form, json_bytes, following = REQUEST.unpack_from(frames, at)
        body_at = ids_at + ids_bytes
        at = body_at + body_bytes
        _read(front, frames, at)
        with memoryview(frames) as view:
            ids = bytes(view[ids_at:body_at]).decode("ascii").split("\n")
            requests.append(Request(ids, form, json_bytes, bytes(view[body_at:at])))
    return requests


def _read(front: socket.socket, have: bytearray, size: int) -> None:
    """Grow `have` to `size` bytes at least; only one group is ever under way, so no byte of a next one comes."""
    while len(have) < size:
        have += _received(front, max(_READ_BYTES, min(size - len(have), 1 << 20)))


def _received(front: socket.socket, most: int) -> bytes:
    data = front.recv(most)
    if not data:
        raise EOFError
    return data


def _send(front: socket.socket, answers: Sequence[Answer]) -> None:
    """Send all of them at once: the front wakes up once."""
    frames: list[bytes] = []
    if collecting.has_news:
        records, lost = collecting.take()
        frames += (ANSWER.pack(len(records), COLLECTED, lost, 0), records)
    for index, (status, payload, json_bytes) in enumerate(answers):
        frames += (ANSWER.pack(len(payload), status, json_bytes, index), payload)
    front.sendall(b"".join(frames))
