from typing import Any

import pytest

from mmgit.blueprints.plain import NotPlain, described, fresh, not_plain


def test_a_copy_shares_no_list_and_no_map() -> None:
    value: dict[str, Any] = {"a": [{"b": 1}], "c": {}, "d": None, "e": True, "f": 0.5}

    copy = fresh(value)

    assert copy == value
    assert copy["a"] is not value["a"]
    assert copy["a"][0] is not value["a"][0]
    assert copy["c"] is not value["c"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**63, "a number of more than 64 bits"),
        (float("inf"), "a number that is not finite"),
        ({1: "a"}, "a map with a key that is no text"),
        ([1, {"a": b"x"}], "a list with a map with a bytes, which is no text, number, boolean, list or map"),
    ],
)
def test_what_is_not_plain_is_refused_and_described(value: Any, said: str) -> None:
    with pytest.raises(NotPlain):
        fresh(value)

    assert not_plain(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(None, "nothing"), (True, "true"), (1, "the number 1"), ("a", "text"), ([], "a list")]
)
def test_a_value_is_described_in_words(value: object, said: str) -> None:
    assert described(value) == said
