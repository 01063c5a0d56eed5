"""Golden rows are requests, one a line; whatever else a file holds is refused with its line."""

import pytest

from mmgit.golden import MAX_ROWS, Row, rows_of


def test_rows_are_named_by_their_lines_and_an_answer_may_be_null() -> None:
    data = b'{"request": {"x": 1}}\n\n{"request": {}, "response": null}\n'

    assert list(rows_of(data)) == [Row("golden 1", {"x": 1}), Row("golden 3", {}, None, is_expected=True)]


def test_an_empty_file_has_no_row() -> None:
    assert list(rows_of(b"\n \n")) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"request": {}}\n{', "line 2 is not JSON"),
        (b"[" * 100_000, "line 1 is not JSON"),
        (b'{"request": {}, "\xff": 1}', "line 1 is not JSON"),
        (b"[1]", "line 1 is not"),
        (b'{"request": [1]}', "line 1 is not"),
        (b'{"request": {}, "expected": 1}', "line 1 says 'expected'"),
        (b'{"request": {}}\n' * (MAX_ROWS + 1), "1001 rows are more than 1000"),
    ],
)
def test_what_is_no_row_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(rows_of(data))
