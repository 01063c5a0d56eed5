import os
import threading
from functools import partial

import pytest

from mmgit.serving.scorer.answering import Request
from mmgit.serving.scorer.frames import ARGUMENTS, REQUEST, TENSORS
from mmgit.serving.scorer.inbox import Inbox

HALF = REQUEST.pack(10, 2, ARGUMENTS, 0, 0, 1, 0.0) + b"r1half"
UNFINISHED = REQUEST.pack(1, 2, ARGUMENTS, 0, 1, 1, 0.0) + b"r1x"
"""One of two requests of a group."""


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_a_frame_arrives_whole_whatever_its_pieces(size: int) -> None:
    scorer, front = os.pipe()
    body = b"a" * size
    frame = REQUEST.pack(len(body), 5, TENSORS, 7, 0, 3, 2.5) + b"r1\nc\n" + body

    def send() -> None:
        with os.fdopen(front, "wb", 0) as pipe:
            for start in (0, 3, 6, 100_000):
                end = {0: 3, 3: 6, 6: 100_000}.get(start)
                pipe.write(frame[start:end])

    sender = threading.Thread(target=send)
    sender.start()
    received = Inbox(partial(os.read, scorer)).group()
    sender.join()
    os.close(scorer)

    assert received == [Request(["r1", "c", ""], TENSORS, 7, body, 3, 2.5)]


@pytest.mark.parametrize("sent", [b"", b"\x01\x00", HALF, UNFINISHED])
def test_a_front_that_closed_ends_the_loop(sent: bytes) -> None:
    scorer, front = os.pipe()
    os.write(front, sent)
    os.close(front)

    with pytest.raises(EOFError):
        Inbox(partial(os.read, scorer)).group()

    os.close(scorer)


def frame(number: int, body: bytes, following: int = 0) -> bytes:
    return REQUEST.pack(len(body), 2, ARGUMENTS, 0, following, number, 9.0) + b"r\n" + body


@pytest.mark.parametrize("piece", [1, 50, 1000])
def test_requests_that_were_sent_behind_each_other_are_taken_one_by_one(piece: int) -> None:
    sent = frame(1, b"one") + frame(2, b"two", 1) + frame(3, b"three") + frame(4, b"") + frame(5, b"five")
    pieces = [sent[at : at + piece] for at in range(0, len(sent), piece)]
    inbox = Inbox(lambda _: pieces.pop(0))

    groups = [inbox.group() for _ in range(4)]

    assert [[(request.number, request.body) for request in group] for group in groups] == [
        [(1, b"one")],
        [(2, b"two"), (3, b"three")],
        [(4, b"")],
        [(5, b"five")],
    ]
    assert pieces == []
