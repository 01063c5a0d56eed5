"""The requests that one scorer has, by number: those that it scores, and one that was sent ahead and is next."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from mmgit.serving.front.recall import Recall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mmgit.serving.front.exchange import Exchange

NUMBER_MAX = 2**16 - 1


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
        """Whether one may be sent ahead: there is one at a time, and none while one is recalled."""
        return bool(self.current) and not self.ahead and not self.recall.number

    def begin(self, group: Sequence[Exchange]) -> Mapping[int, Exchange]:
        """Let these be scored now; they have numbers from here on."""
        self.current = self._numbered(group)
        self.is_batch = len(group) > 1
        self.since = monotonic()
        return self.current

    def send_ahead(self, exchange: Exchange) -> Mapping[int, Exchange]:
        """Let this one be next."""
        self.ahead = self._numbered((exchange,))
        return self.ahead

    def call_back(self, exchange: Exchange) -> None:
        """Let it not begin, if it was sent ahead."""
        for number, ahead in self.ahead.items():
            if ahead is exchange:
                self.recall.set(number)

    def answered(self, number: int) -> Exchange | None:
        """Take out what is scored under this number."""
        if number == self.recall.number:
            self.recall.set(0)
        return self.current.pop(number, None)

    def go_on(self) -> Exchange:
        """What was sent ahead begins."""
        self.current, self.ahead = self.ahead, {}
        self.is_batch = False
        self.since = monotonic()
        [exchange] = self.current.values()
        return exchange

    def _numbered(self, group: Iterable[Exchange]) -> dict[int, Exchange]:
        numbered = {}
        for exchange in group:
            self._number = self._number % NUMBER_MAX + 1
            numbered[self._number] = exchange
        return numbered
