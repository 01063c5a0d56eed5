from typing import Any, cast

import pytest

from mmgit.serving.front.exchange import Exchange
from mmgit.serving.front.scorer_wire import JOINED_BYTES_MAX, Answer, AnswerReader, frames_of
from mmgit.serving.scorer.answering import Request
from mmgit.serving.scorer.frames import ALONE, ANSWER, ARGUMENTS, TENSORS
from mmgit.serving.scorer.inbox import Inbox


class Wire:
    """What `receive` reads from: bytes in pieces of one size."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._pieces = [data[at : at + piece] for at in range(0, len(data), piece)]

    def read(self, _: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def exchange(request_id: str, body: bytes, **fields: Any) -> Exchange:
    made = Exchange(cast("Any", None), 0.0)
    made.request_id, made.body = request_id, body
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_group_arrives_as_it_was_sent_whatever_its_pieces(piece: int) -> None:
    group = {
        7: exchange("r1", b"one"),
        8: exchange("r2", b"", correlation_id="c", trace_id="t", deadline=1.5),
        9: exchange("r3", b"three", form=TENSORS, json_bytes=2),
    }

    received = Inbox(Wire(b"".join(frames_of(group)), piece).read).group()

    assert received == [
        Request(["r1", "", ""], ARGUMENTS, 0, b"one", 7),
        Request(["r2", "c", "t"], ARGUMENTS, 0, b"", 8, 1.5),
        Request(["r3", "", ""], TENSORS, 2, b"three", 9),
    ]


def test_a_group_goes_out_in_one_piece_but_for_large_bodies() -> None:
    large = b"l" * (JOINED_BYTES_MAX + 1)
    small = {number: exchange("r", b"small") for number in (1, 2)}
    mixed = {3: exchange("r", b"small"), 4: exchange("r", large), 5: exchange("r", b""), 6: exchange("r", large)}

    received = Inbox(Wire(b"".join(frames_of(mixed)), 100_000).read).group()

    assert len(frames_of(small)) == 1
    assert [piece for piece in frames_of(mixed) if len(piece) > JOINED_BYTES_MAX] == [large, large]
    assert [request.body for request in received] == [b"small", large, b"", large]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_answers_are_put_together_from_their_pieces(piece: int) -> None:
    sent = [Answer(200, b"[1]", 0, 1), Answer(ALONE, b"", 0, 2), Answer(500, b"x" * 50, 3, 0)]
    data = b"".join(
        ANSWER.pack(len(each.payload), each.status, each.json_bytes, each.number) + each.payload for each in sent
    )
    reader = AnswerReader()

    received = [answer for at in range(0, len(data), piece) for answer in reader.feed(data[at : at + piece])]

    assert received == sent
