"""The loop of a scorer: frames of a group of requests in, frames of their answers out, until the front closes."""

from __future__ import annotations

import mmap
import os
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from .answering import Answer, Request, score
from .collecting import collecting
from .frames import ANSWER, COLLECTED, FAILED, PASSED_OVER, READY, RECALL, RECALL_SLOTS, REPLAY, ROW_WISE
from .groups import score_group
from .inbox import Inbox
from .log import RequestLog, summary
from .native_json import native_json
from .scoring import Assignment, Scoring, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

_PASSED_OVER = Answer(PASSED_OVER, b"")


def main(assignment: Assignment) -> None:
    """Load the user's code, say so, then score until the front is gone."""
    for fd in (assignment.requests_fd, assignment.answers_fd, assignment.log_fd):
        os.set_inheritable(fd, False)  # noqa: FBT003 - a flag by position is what it takes
    inbox = Inbox(partial(os.read, assignment.requests_fd))
    recalled = mmap.mmap(assignment.recall_fd, RECALL.size * RECALL_SLOTS, access=mmap.ACCESS_READ)
    os.close(assignment.recall_fd)
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
        write(_frame_of(0, Answer(FAILED, summary(error).encode())))
        return
    log.end()
    try:
        write(_frame_of(0, Answer(READY, ROW_WISE if scoring.is_row_wise else b"")))
        while True:
            group = inbox.group()
            write(frames_of(group, answers_to(scoring, group, log, recalled)))
    except (EOFError, ConnectionError):
        return


def answers_to(scoring: Scoring, group: Sequence[Request], log: RequestLog, recalled: Buffer) -> Sequence[Answer]:
    """The answers to requests that came together, in their order. `recalled` has the numbers of those not to begin."""
    if len(group) > 1:
        answers = score_group(scoring, group, log)
        if any(answer.status == REPLAY for answer in answers):
            collecting.forget()  # it comes again
        return answers
    [request] = group
    slot = request.number % RECALL_SLOTS * RECALL.size
    if monotonic() >= request.deadline or request.number in RECALL.unpack_from(recalled, slot):
        return (_PASSED_OVER,)
    log.begin(*request.ids)
    answer = score(scoring, request, log)
    log.end()
    return (answer,)


def frames_of(group: Sequence[Request], answers: Sequence[Answer]) -> bytes:
    """What is written for answers, in one piece: the front wakes up once."""
    if len(answers) == 1 and not collecting.has_news:
        return _frame_of(group[0].number, answers[0])
    frames: list[bytes] = []
    if collecting.has_news:
        records, lost = collecting.take()
        frames.append(_frame_of(0, Answer(COLLECTED, records, lost)))
    frames += [_frame_of(request.number, answer) for request, answer in zip(group, answers)]
    return b"".join(frames)


def _frame_of(number: int, answer: Answer) -> bytes:
    status, payload, json_bytes = answer
    return ANSWER.pack(len(payload), status, json_bytes, number) + payload


def _write(fd: int, frames: bytes) -> None:
    written = os.write(fd, frames)
    while written < len(frames):
        with memoryview(frames) as rest:
            written += os.write(fd, rest[written:])
