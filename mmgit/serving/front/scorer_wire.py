"""Requests in, the frames that a scorer reads out; the bytes that it writes in, its answers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mmgit.serving.scorer.frames import ANSWER, REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmgit.serving.front.exchange import Exchange


class Answer(NamedTuple):
    """One frame of a scorer; `request` is which of the group it answers, counted from 0."""

    status: int
    payload: bytes
    json_bytes: int
    request: int


def frames_of(group: Sequence[Exchange]) -> Iterator[bytes]:
    """What is written for requests that are to be scored together."""
    following = len(group)
    for exchange in group:
        following -= 1
        ids = f"{exchange.request_id}\n{exchange.correlation_id}\n{exchange.trace_id}".encode("ascii")
        yield REQUEST.pack(len(exchange.body), len(ids), exchange.form, exchange.json_bytes, following) + ids
        yield exchange.body


class AnswerReader:
    """Puts answers together from the pieces in which they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        """The answers that are complete now."""
        buffer = self._buffer
        buffer += data
        answers = []
        at = 0
        while len(buffer) - at >= ANSWER.size:
            size, status, json_bytes, request = ANSWER.unpack_from(buffer, at)
            start = at + ANSWER.size
            if len(buffer) < start + size:
                break
            at = start + size
            answers.append(Answer(status, bytes(memoryview(buffer)[start:at]), json_bytes, request))
        if at:
            self._buffer = buffer[at:]
        return answers
