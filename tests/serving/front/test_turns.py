from typing import Any, cast

import pytest

from mmgit.serving.front.exchange import Exchange
from mmgit.serving.front.turns import NUMBER_MAX, Turns


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


def test_one_at_a_time_is_sent_ahead_of_its_turn(turns: Turns) -> None:
    first, second = request(), request()

    before = turns.has_room
    [number] = turns.begin([first])
    while_it_scores = turns.has_room
    turns.send_ahead(second)
    afterwards = turns.has_room

    assert (before, while_it_scores, afterwards) == (False, True, False)
    assert turns.answered(number) is first
    assert turns.go_on() is second
    assert list(turns.current.values()) == [second]
    assert turns.has_room


def test_an_answer_to_what_is_not_scored_is_to_nothing(turns: Turns) -> None:
    [number] = turns.begin([request()])
    [ahead] = turns.send_ahead(request())

    assert turns.answered(ahead) is None
    assert turns.answered(number) is not None
    assert turns.answered(number) is None


def test_what_was_sent_ahead_can_be_called_back_and_nothing_else(turns: Turns) -> None:
    first, second = request(), request()
    turns.begin([first])
    [number] = turns.send_ahead(second)

    turns.call_back(first)
    before = turns.recall.number
    turns.call_back(second)

    assert (before, turns.recall.number) == (0, number)


def test_none_is_sent_ahead_until_one_that_was_called_back_is_answered(turns: Turns) -> None:
    [number] = turns.begin([request()])
    recalled = request()
    [ahead] = turns.send_ahead(recalled)
    turns.call_back(recalled)

    turns.answered(number)
    turns.go_on()
    has_room = turns.has_room
    answered = turns.answered(ahead)

    assert not has_room
    assert answered is recalled
    assert turns.recall.number == 0
