from collections.abc import Callable
from typing import Any

import pytest

from mmgit.edits.references import checked_name, manifest_in_words, newest, next_number, version_of
from mmgit.errors import UsageError

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""


def test_both_numbers_are_always_spelled() -> None:
    assert manifest_in_words("churn/5", ["churn/4"]) == "manifest churn/5 (model churn/4)"
    assert manifest_in_words("churn/5", ["churn/4", "encoder/2"]) == "manifest churn/5 (models churn/4, encoder/2)"


def test_the_next_number_follows_the_highest_even_over_gaps() -> None:
    assert [next_number(numbers) for numbers in ([], [1], [1, 7, 3])] == [1, 2, 8]
    assert newest([1, 7, 3], "churn") == "churn/7"
    assert newest([], "churn") is None


@pytest.mark.parametrize("name", ["abc", "a-b", "0" * 32])
def test_good_names_come_back_as_they_are(name: str) -> None:
    assert checked_name(name, "a model") == name


def test_a_bad_name_is_repeated_with_the_rule() -> None:
    with pytest.raises(UsageError, match=r"'A b' is no name for a model: expected 3 to 32 lower-case letters"):
        checked_name("A b", "a model")


@pytest.mark.parametrize("reference", ["churn/2", "churn", "churn/0", "churn/-1", "churn/1x", "nothing/1"])
def test_a_version_that_is_not_declared_is_refused(edited: Callable[..., Edited], reference: str) -> None:
    with pytest.raises(UsageError, match="there is no model"):
        version_of(edited().source, reference)
