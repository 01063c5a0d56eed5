"""One function over many items in a few threads; lighter to load than `concurrent.futures`, as start-up counts."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_TURN_SECONDS = 0.0002
"""Who waits for an answer goes on so soon when it came, though others compute; by itself Python lets 5 ms pass."""
T = TypeVar("T")
R = TypeVar("R")


def parallel(function: Callable[[T], R], items: Iterable[T], *, at_once: int) -> list[R]:
    """What `function` gives for each item, in their order. After a failure nothing new is begun.

    Raises:
        BaseException: what the first failing call raised.
    """
    waiting = list(enumerate(items))[::-1]
    results: dict[int, R] = {}
    failures: list[BaseException] = []

    def work() -> None:
        while waiting and not failures:
            try:
                number, item = waiting.pop()
            except IndexError:  # another thread took the last one
                return
            try:
                results[number] = function(item)
            except BaseException as error:  # noqa: BLE001 - raised again below, by the thread that asked
                failures.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(waiting)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [results[number] for number in sorted(results)]


@contextmanager
def meanwhile(function: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """Call `function` in a thread beside the block; after the block, ask what it gave.

    Raises:
        BaseException: what the call raised, even if the block failed too.
    """
    results: list[R] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again below, by the thread that asked
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    usual_seconds = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    thread.start()
    try:
        yield lambda: results[0]
    finally:
        thread.join()
        sys.setswitchinterval(usual_seconds)
        if failures:
            raise failures[0]
