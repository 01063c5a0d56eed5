"""The loop of a scorer: frames of a group of requests in, frames of their answers out, until the front closes."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from .answering import Answer, Request, score
from .collecting import collecting
from .frames import ANSWER, COLLECTED, FAILED, READY, REPLAY, REQUEST, ROW_WISE
from .groups import score_group
from .log import RequestLog, summary
from .native_json import native_json
from .scoring import Assignment, Scoring, load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Read = Callable[[int], bytes]
    """Takes the most bytes to read, gives those that are there, none at the end."""

_READ_BYTES = 16 * 1024


def main(assignment: Assignment) -> None:
    """Load the user's code, say so, then score until the front is gone."""
    for fd in (assignment.requests_fd, assignment.answers_fd, assignment.log_fd):
        os.set_inheritable(fd, False)  # noqa: FBT003 - a flag by position is what it takes
    read = partial(os.read, assignment.requests_fd)
    write = partial(_write, assignment.answers_fd)
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
        write(frames_of((Answer(FAILED, summary(error).encode()),)))
        return
    log.end()
    try:
        write(frames_of((Answer(READY, ROW_WISE if scoring.is_row_wise else b""),)))
        while True:
            write(frames_of(answers_to(scoring, receive(read), log)))
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


def receive(read: Read) -> list[Request]:
    """The next group of requests.

    Raises:
        EOFError: the front closed.
    """
    data = _received(read, _READ_BYTES)
    if len(data) >= REQUEST.size:
        body_bytes, ids_bytes, form, json_bytes, following = REQUEST.unpack_from(data)
        body_at = REQUEST.size + ids_bytes
        if not following and len(data) == body_at + body_bytes:  # as nearly all come
            return [Request(_ids_in(data[REQUEST.size : body_at]), form, json_bytes, data[body_at:])]
    return _put_together(bytearray(data), read)


def frames_of(answers: Sequence[Answer]) -> bytes:
    """What is written for answers, in one piece: the front wakes up once."""
    if len(answers) == 1 and not collecting.has_news:
        [(status, payload, json_bytes)] = answers
        return ANSWER.pack(len(payload), status, json_bytes, 0) + payload
    frames: list[bytes] = []
    if collecting.has_news:
        records, lost = collecting.take()
        frames += (ANSWER.pack(len(records), COLLECTED, lost, 0), records)
    for index, (status, payload, json_bytes) in enumerate(answers):
        frames += (ANSWER.pack(len(payload), status, json_bytes, index), payload)
    return b"".join(frames)


def _put_together(frames: bytearray, read: Read) -> list[Request]:
    """A group of which `frames` is the beginning."""
    requests: list[Request] = []
    at = 0
    following = 1
    while following:
        ids_at = at + REQUEST.size
        _read(read, frames, ids_at)
        body_bytes, ids_bytes, form, json_bytes, following = REQUEST.unpack_from(frames, at)
        body_at = ids_at + ids_bytes
        at = body_at + body_bytes
        _read(read, frames, at)
        with memoryview(frames) as view:
            requests.append(Request(_ids_in(view[ids_at:body_at]), form, json_bytes, bytes(view[body_at:at])))
    return requests


def _ids_in(frame: bytes | memoryview) -> list[str]:
    return str(frame, "ascii").split("\n")


def _read(read: Read, have: bytearray, size: int) -> None:
    """Grow `have` to `size` bytes at least; only one group is ever under way, so no byte of a next one comes."""
    while len(have) < size:
        have += _received(read, max(_READ_BYTES, min(size - len(have), 1 << 20)))


def _received(read: Read, most: int) -> bytes:
    data = read(most)
    if not data:
        raise EOFError
    return data


def _write(fd: int, frames: bytes) -> None:
    written = os.write(fd, frames)
    while written < len(frames):
        with memoryview(frames) as rest:
            written += os.write(fd, rest[written:])
