"""Many things at once: in order, bounded, and a failure is raised by whoever asked."""

import threading

import pytest

from mmgit.images.parallel import parallel


def test_results_come_in_the_order_of_the_items() -> None:
    barrier = threading.Barrier(3)

    def late(item: int) -> int:
        if item < 3:
            barrier.wait(10)
        return item * item

    assert parallel(late, range(20), at_once=3) == [item * item for item in range(20)]


def test_no_more_run_at_once_than_allowed() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.001)
        with lock:
            running -= 1

    parallel(work, range(40), at_once=4)

    assert 1 <= most <= 4


def test_a_failure_is_raised_and_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def fails(item: int) -> None:
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        parallel(fails, range(1000), at_once=2)
    assert len(begun) <= 2


@pytest.mark.parametrize("at_once", [1, 8])
def test_nothing_to_do_is_nothing_done(at_once: int) -> None:
    assert parallel(str, [], at_once=at_once) == []
