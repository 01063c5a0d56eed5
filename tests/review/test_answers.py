"""How far answers lie apart, and what is said of two images that gave them."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.golden import Row
from mmgit.review.answers import Answer, compared, distance, unexpected
from mmgit.spec.predictions import Tried

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
RUNNING = Tried(manifest="churn/1", image=f"sha256:{'1' * 64}", size_bytes=100, latency_ms=2)
CANDIDATE = Tried(manifest="churn/2", image=f"sha256:{'2' * 64}", size_bytes=150, latency_ms=3)


def answers(*given: Any) -> list[Answer]:
    return [Answer(200, value) for value in given]


@given(values, values)
def test_distance_is_the_same_from_both_sides_and_none_to_oneself(one: Any, other: Any) -> None:
    assert distance(one, other) == distance(other, one) >= 0
    assert distance(one, json.loads(json.dumps(one))) == 0


@given(values, st.floats(-1e6, 1e6), st.floats(0.01, 1e3))
def test_a_number_that_moves_is_found_wherever_it_is(around: Any, number: float, step: float) -> None:
    old, new = ({"around": around, "deep": [[{"y": value}]]} for value in (number, number + step))

    assert distance(old, new) == pytest.approx(step, rel=1e-3) or math.isclose(number, number + step, rel_tol=1e-6)


@pytest.mark.parametrize(
    ("old", "new"),
    [(1, True), (0, False), (1, "1"), ([1], [1, 1]), ({"a": 1}, {"b": 1}), (None, 0), ("a", "b"), ([], {})],
)
def test_what_differs_otherwise_than_in_numbers_is_infinitely_far(old: Any, new: Any) -> None:
    assert distance(old, new) == math.inf


def test_rounding_is_no_change() -> None:
    assert distance([0.1 + 0.2, 1e9], [0.3, 1e9 + 0.1]) == 0


def test_numbers_beyond_floats_are_the_same_or_infinitely_far() -> None:
    assert distance(10**400, 10**400) == 0
    assert distance(10**400, 10**400 + 1) == math.inf


def test_a_comparison_counts_what_changed_and_shows_it() -> None:
    rows = [Row("sample", {}), Row("golden 1", {}, 5, is_expected=True), Row("golden 2", {})]

    found = compared(rows, (RUNNING, answers(1.0, 5, "a")), (CANDIDATE, answers(1.5, 7, "a")))

    assert (found.rows, found.changed, found.max_difference) == (3, 2, 2.0)
    assert [(each.row, each.running, each.candidate) for each in found.examples] == [
        ("sample", "1.0", "1.5"),
        ("golden 1", "5", "7"),
    ]
    assert (found.candidate.unexpected, found.running and found.running.unexpected) == (1, 0)


def test_what_is_refused_is_counted_and_is_a_change() -> None:
    refused = [Answer(422, {"error": "x"}), Answer(0, "gone")]

    found = compared([Row("sample", {}), Row("golden 1", {})], (RUNNING, answers(1, 1)), (CANDIDATE, refused))

    assert (found.changed, found.candidate.refused, found.max_difference) == (2, 2, None)
    assert found.examples[0].candidate == "422: {'error': 'x'}"


def test_both_refusing_in_the_same_way_is_no_change() -> None:
    refused = [Answer(422, "x")]

    found = compared([Row("sample", {})], (RUNNING, refused), (CANDIDATE, refused))

    assert (found.changed, found.candidate.refused) == (0, 1)


def test_without_anything_that_runs_only_the_answers_are_judged() -> None:
    rows = [Row("golden 1", {}, None, is_expected=True), Row("sample", {})]

    found = compared(rows, None, (CANDIDATE, answers(0, 0)))

    assert (found.running, found.changed, found.candidate.unexpected) == (None, 0, 1)


def test_answers_are_shown_short_and_on_one_line() -> None:
    shown = str(Answer(200, ["::error::\n\u202e", "x" * 1000]))

    assert shown.isprintable()
    assert len(shown) == 120


def test_an_expected_null_is_an_answer() -> None:
    assert not list(unexpected([Row("golden 1", {}, None, is_expected=True)], answers(None)))
    assert list(unexpected([Row("golden 1", {}, None, is_expected=True)], answers(0)))
