"""The requests that one scorer has, by number: those that it scores, and those that were sent ahead and come next."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from mmgit.serving.front.recall import Recall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mmgit.serving.front.exchange import Exchange

NUMBER_MAX = 2**16 - 1
AHEAD_MAX = 8
"""What a scorer has in hand it scores without a pause, and the front hears of all of that at once."""


class Turns:
    """Whose turn it is at one scorer, and since when."""

    def __init__(self) -> None:
        self.recall = Recall()
        self.current: dict[int, Exchange] = {}
        self.ahead: dict[int, Exchange] = {}
        self.is_batch = False
        self.since = 0.0
        self._number = 0

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent ahead."""
        return bool(self.current) and len(self.ahead) < AHEAD_MAX

    def begin(self, group: Sequence[Exchange]) -> Mapping[int, Exchange]:
        """Let these be scored now; they have numbers from here on."""
        self.current = self._numbered(group)
        self.is_batch = len(group) > 1
        self.since = monotonic()
        return self.current

    def send_ahead(self, exchange: Exchange) -> Mapping[int, Exchange]:
        """Let this one come behind the others."""
        numbered = self._numbered((exchange,))
        self.ahead.update(numbered)
        exchange.is_ahead = True
        return numbered

    def call_back(self, exchange: Exchange) -> None:
        """Let it not begin, if it was sent ahead."""
        for number, ahead in self.ahead.items():
            if ahead is exchange:
                self.recall.add(number)

    def answered(self, number: int) -> Exchange | None:
        """Take out what is scored under this number."""
        self.recall.forget(number)
        return self.current.pop(number, None)

    def go_on(self) -> Exchange:
        """The first of those that were sent ahead begins."""
        number = next(iter(self.ahead))
        exchange = self.ahead.pop(number)
        self.current = {number: exchange}
        self.is_batch = False
        self.since = monotonic()
        return exchange

    def drop_ahead(self) -> None:
        """What did not begin is for another scorer."""
        for exchange in self.ahead.values():
            exchange.is_ahead = False
        self.ahead = {}

    def _numbered(self, group: Iterable[Exchange]) -> dict[int, Exchange]:
        numbered = {}
        for exchange in group:
            self._number = self._number % NUMBER_MAX + 1
            numbered[self._number] = exchange
        return numbered
