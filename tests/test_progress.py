from collections.abc import Iterator

import pytest

from mmgit.progress import told, unwatched


def broken() -> Iterator[bytes]:
    yield b"one"
    yield b"three"
    raise OSError("reset")


def test_blocks_pass_through_and_each_is_told_once_it_was_taken() -> None:
    heard: list[int] = []

    blocks = told([b"one", b"three"], heard.append)

    assert (next(blocks), list(heard)) == (b"one", [])
    assert (next(blocks), list(heard)) == (b"three", [3])
    assert (list(blocks), heard) == ([], [3, 5])


def test_blocks_that_break_off_are_taken_back() -> None:
    heard: list[int] = []

    with pytest.raises(OSError, match="reset"):
        list(told(broken(), heard.append))

    assert heard == [3, 5, -8]


def test_blocks_that_nobody_wants_any_more_are_taken_back() -> None:
    heard: list[int] = []
    blocks = told([b"one", b"three", b"more"], heard.append)

    next(blocks), next(blocks)
    del blocks

    assert sum(heard) == 0


def test_where_nobody_watches_whoever_works_says_it_all_the_same() -> None:
    with unwatched("building", 10, "things") as advance:
        advance(3)
