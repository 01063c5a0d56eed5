from typing import Any, cast

import pytest

from mmgit.serving.front.exchange import Exchange
from mmgit.serving.front.turns import AHEAD_MAX, NUMBER_MAX, Turns
from mmgit.serving.scorer.frames import RECALL_SLOTS


@pytest.fixture
def turns() -> Turns:
    return Turns()


def request() -> Exchange:
    return Exchange(cast("Any", None), 0.0)


def test_every_request_has_a_number_that_is_never_0(turns: Turns) -> None:
    numbers = [number for _ in range(NUMBER_MAX) for number in turns.begin([request()])]

    [again, following] = turns.begin([request(), request()])

    assert sorted(numbers) == list(range(1, NUMBER_MAX + 1))
    assert (again, following) == (1, 2)


def test_some_are_sent_ahead_and_begin_in_their_order(turns: Turns) -> None:
    ahead = [request() for _ in range(AHEAD_MAX)]

    rooms = [turns.has_room]
    turns.begin([request()])
    for exchange in ahead:
        rooms.append(turns.has_room)
        turns.send_ahead(exchange)
    rooms.append(turns.has_room)

    assert rooms == [False, *[True] * AHEAD_MAX, False]
    assert [turns.go_on() for _ in ahead] == ahead
    assert list(turns.current.values()) == [ahead[-1]]
    assert turns.has_room


def test_an_answer_to_what_is_not_scored_is_to_nothing(turns: Turns) -> None:
    [number] = turns.begin([request()])
    [ahead] = turns.send_ahead(request())

    assert turns.answered(ahead) is None
    assert turns.answered(number) is not None
    assert turns.answered(number) is None


def test_what_was_sent_ahead_can_be_called_back_until_it_is_answered(turns: Turns) -> None:
    first, second, third = request(), request(), request()
    turns.begin([first])
    numbers = [number for exchange in (second, third) for number in turns.send_ahead(exchange)]

    for exchange in (first, third, second):
        turns.call_back(exchange)
    recalled = set(turns.recall.numbers)
    turns.go_on()
    turns.answered(numbers[0])

    assert recalled == set(numbers)
    assert turns.recall.numbers == {numbers[1]}


def test_as_many_can_be_called_back_as_can_be_under_way() -> None:
    assert AHEAD_MAX + 1 <= RECALL_SLOTS


def test_what_did_not_begin_can_be_sent_to_another_scorer(turns: Turns) -> None:
    begun, waiting = request(), request()
    turns.begin([begun])
    turns.send_ahead(waiting)
    was_ahead = waiting.is_ahead

    turns.drop_ahead()

    assert (was_ahead, waiting.is_ahead, turns.ahead) == (True, False, {})
    assert list(turns.current.values()) == [begun]
