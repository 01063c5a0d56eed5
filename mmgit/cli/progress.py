"""What long work shows while a person looks at a terminal, and nothing elsewhere. Written to standard error.

One line, drawn a few times a second from what the work said, and gone when it ends. A terminal that moves no cursor
and a CI that lends a terminal are no persons.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from mmgit.progress import Advance, Watch, unwatched

DELAY_SECONDS = 0.4
"""Work that is done by then shows nothing."""
CLEAR = "\r\x1b[K"
_PAUSE_SECONDS = 0.1
_BAR_COLUMNS = 30
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@contextmanager
def working(what: str) -> Iterator[Watch]:
    """Show that `what` is under way until it ends, and how far it is where it says so."""
    if not _is_seen():
        yield unwatched
        return
    display = _Display(what)
    display.start()
    try:
        yield display.watch
    finally:
        display.ended.set()
        display.join()


def warn(text: str) -> None:
    """Say something on a line of its own, whatever is shown."""
    print(f"{CLEAR if _is_seen() else ''}warning: {text}", file=sys.stderr)


def _is_seen() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "CI" not in os.environ


class Amount:
    """How much of one piece of work is done, and how much it is, if anybody knows."""

    def __init__(
        self, what: str, total: int | None, unit: Literal["bytes", "things"], done: int = 0, *, is_open: bool = True
    ) -> None:
        self.what, self.total, self.unit, self.done, self.is_open = what, total, unit, done, is_open
        self._lock = threading.Lock()

    def advance(self, more: int) -> None:
        """So much more is done."""
        with self._lock:
            self.done += more


class _Display(threading.Thread):
    """Draws until `ended`. It neither imports nor takes a lock, so that the process may fork meanwhile."""

    def __init__(self, what: str) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self._what = what
        self._amounts: list[Amount] = []
        self._lock = threading.Lock()

    @contextmanager
    def watch(
        self, what: str, total: int | None = None, unit: Literal["bytes", "things"] = "bytes"
    ) -> Iterator[Advance]:
        """A `Watch`. What has ended counts as long as something of the same name goes on."""
        amount = Amount(what, total, unit)
        with self._lock:
            self._amounts.append(amount)
        try:
            yield amount.advance
        finally:
            with self._lock:
                amount.is_open = False
                going_on = {each.what for each in self._amounts if each.is_open}
                self._amounts = [each for each in self._amounts if each.what in going_on]

    def run(self) -> None:
        """Draw, and clean up; a terminal that is gone is no failure."""
        with suppress(OSError):
            self._draw()

    def _draw(self) -> None:
        turn, pause_seconds = 0, DELAY_SECONDS
        while not self.ended.wait(pause_seconds):
            columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            text = line(f"{_SPINNER[turn % len(_SPINNER)]} {self._what}", self._amounts[:], columns=columns)
            self._write(CLEAR + text)
            turn, pause_seconds = turn + 1, _PAUSE_SECONDS
        if turn:
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        os.write(sys.stderr.fileno(), text.encode(sys.stderr.encoding, "replace"))


def line(head: str, amounts: list[Amount], *, columns: int) -> str:
    """What began last and knows how much it is, in one line that is no longer than the terminal."""
    going_on = [amount for amount in amounts if amount.is_open]
    known = [amount for amount in going_on if amount.total]
    if not going_on:
        return f"{head} …"[: columns - 1]
    chosen = (known or going_on)[-1]
    same = [amount for amount in amounts if amount.what == chosen.what]
    done, total = sum(amount.done for amount in same), sum(amount.total or 0 for amount in same)
    bar, numbers = "", _shown(done, chosen.unit) if done else "…"
    if total:
        done = min(done, total)
        filled = _BAR_COLUMNS * done // total
        bar = f"{'━' * filled}{'╌' * (_BAR_COLUMNS - filled)} "
        numbers = f"{_shown(done, chosen.unit)} of {_shown(total, chosen.unit)}"
    tail = f" {bar}{numbers}"
    return f"{head}: {chosen.what}"[: max(columns - 1 - len(tail), 0)] + tail[: columns - 1]


def _shown(amount: int, unit: Literal["bytes", "things"]) -> str:
    return f"{amount / 1e6:.1f} MB" if unit == "bytes" else str(amount)
