import pytest

from mmgit.serving.scorer.scalars import ANYTHING, check, choice_of, described, kind_of
from mmgit.serving.scorer.strict_json import Refused


def refusal(cells: list[object], dtype: str, *, is_nullable: bool = False) -> str | None:
    kind = kind_of(dtype).or_null() if is_nullable else kind_of(dtype)
    try:
        check(cells, kind, lambda index: f"x[{index}]")
    except Refused as refused:
        return refused.message
    return None


@pytest.mark.parametrize(
    ("dtype", "cells"),
    [
        ("int8", [-128, 127, 5.0]),
        ("uint8", [0, 255]),
        ("int64", [-(2**63), 2**63 - 1]),
        ("uint64", [2**64 - 1]),
        ("Int64", [1]),
        ("float64", [1, 1.5, 1e308]),
        ("float32", [3.4e38]),
        ("float16", [65504]),
        ("bool", [True, False]),
        ("str", ["", "a"]),
        ("object", ["a"]),
        ("datetime64[ns]", ["2026-02-28", "2026-02-28T12:00:00Z"]),
        ("any", [1, "a", None, [2]]),
        ("float64", []),
    ],
)
def test_cells_of_their_kind_are_taken(dtype: str, cells: list[object]) -> None:
    assert refusal(cells, dtype) is None


@pytest.mark.parametrize(
    ("dtype", "cells", "message"),
    [
        ("int8", [1, 128], "x[1]: expected a whole number from -128 to 127, found the number 128"),
        ("uint8", [-1], "x[0]: expected a whole number from 0 to 255, found the number -1"),
        ("int64", [1, 2.5], "x[1]: expected a whole number from "),
        ("int64", [2**63], "x[0]: expected a whole number from "),
        ("int64", [True], "x[0]: expected a whole number from "),
        ("float64", [1.5, "1.5"], "x[1]: expected a float64 number, found a string"),
        ("float64", [False], "x[0]: expected a float64 number, found false"),
        ("float64", [None], "x[0]: expected a float64 number, found null"),
        ("float64", [[1.5]], "x[0]: expected a float64 number, found a list"),
        ("float64", [10**309], "x[0]: expected a float64 number, found the number 1000"),
        ("float32", [1e39], "x[0]: expected a float32 number, found the number 1e+39"),
        ("bool", [1], "x[0]: expected true or false, found the number 1"),
        ("str", [1], "x[0]: expected a string, found the number 1"),
        ("datetime64[ns]", ["now"], "x[0]: expected a date or time like 2026-02-28T12:00:00, found a string"),
        ("datetime64[ns]", [1], "x[0]: expected a date or time"),
    ],
)
def test_the_first_wrong_cell_is_named(dtype: str, cells: list[object], message: str) -> None:
    assert str(refusal(cells, dtype)).startswith(message)


@pytest.mark.parametrize(
    ("dtype", "cell"), [("float64", 1.5), ("Int8", 1), ("str", "a"), ("datetime64[s]", "2026-01-01")]
)
def test_missing_values_are_taken_only_where_they_may_be(dtype: str, cell: object) -> None:
    assert refusal([None, cell, None], dtype, is_nullable=True) is None
    assert refusal([None, cell], dtype) is not None
    assert "or null" in str(refusal([{}], dtype, is_nullable=True))


def test_a_choice_takes_its_values_and_no_others() -> None:
    kind = choice_of(["a", "b"])

    check(["a", "b"], kind, str)
    with pytest.raises(Refused, match=r"1: expected one of \['a', 'b'\], found a string"):
        check(["a", "c"], kind, str)
    with pytest.raises(Refused):
        check([["a"]], kind, str)


@pytest.mark.parametrize("dtype", ["complex128", "timedelta64[ns]", "void", "int128", "Sparse[float64]"])
def test_a_dtype_without_a_json_form_is_an_error(dtype: str) -> None:
    with pytest.raises(ValueError, match="has no JSON form"):
        kind_of(dtype)


def test_anything_is_not_even_looked_at() -> None:
    check([object()], ANYTHING, str)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "the number 1.5"),
        ("secret", "a string"),
        ([1], "a list"),
        ({}, "an object"),
    ],
)
def test_values_are_described_without_their_content(value: object, words: str) -> None:
    assert described(value) == words
