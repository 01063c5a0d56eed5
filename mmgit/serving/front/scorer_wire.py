"""Requests in, the frames that a scorer reads out; the bytes that it writes in, its answers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mmgit.serving.scorer.frames import ANSWER, REQUEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmgit.serving.front.exchange import Exchange


JOINED_BYTES_MAX = 64 * 1024
"""Small bodies go out with their heads in one write: between two, the scorer would wake up and wait again."""


class Answer(NamedTuple):
    """One frame of a scorer; `number` is that of the request which it answers."""

    status: int
    payload: bytes
    json_bytes: int
    number: int


def frames_of(group: Mapping[int, Exchange]) -> list[bytes]:
    """What is written for requests, by number, that are to be scored together: in one piece, but for large bodies."""
    pieces: list[bytes] = []
    small: list[bytes] = []
    following = len(group)
    for number, exchange in group.items():
        following -= 1
        ids = f"{exchange.request_id}\n{exchange.correlation_id}\n{exchange.trace_id}".encode("ascii")
        body = exchange.body
        sizes = len(body), len(ids), exchange.form, exchange.json_bytes, following
        small += (REQUEST.pack(*sizes, number, exchange.deadline), ids)
        if len(body) <= JOINED_BYTES_MAX:
            small.append(body)
        else:
            pieces += (b"".join(small), body)
            small.clear()
    if small:
        pieces.append(b"".join(small))
    return pieces


class AnswerReader:
    """Puts answers together from the pieces in which they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        """The answers that are complete now."""
        if not self._buffer:
            answers, at = _answers_in(data)  # as nearly all come
            if at < len(data):
                self._buffer += memoryview(data)[at:]
            return answers
        self._buffer += data
        with memoryview(self._buffer) as buffer:
            answers, at = _answers_in(buffer)
        del self._buffer[:at]
        return answers


def _answers_in(data: bytes | memoryview) -> tuple[list[Answer], int]:
    """The answers that are complete, and where they end."""
    answers = []
    at = 0
    end = len(data)
    while end - at >= ANSWER.size:
        size, status, json_bytes, number = ANSWER.unpack_from(data, at)
        start = at + ANSWER.size
        if end < start + size:
            break
        at = start + size
        answers.append(Answer(status, bytes(data[start:at]), json_bytes, number))
    return answers, at
