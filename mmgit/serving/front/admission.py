"""Requests that may be scored in, one at a time to each idle scorer out, oldest first; the rest wait or are refused.

At most `concurrency` run and `queue` wait. A request whose client left or whose deadline passed is never scored. Where
batches are declared, a scorer that gets free takes those that wait, within the limits; none waits for others to come.
Where it shares its processor with the front, it takes them when the front has nothing else to do, as it could not run
before. Where batches are not declared, and there is one scorer, it is handed the first of those that wait ahead, so
that it goes on without a pause; until they begin these wait as the others do.
"""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING

from mmgit.serving.front.exchange import RETRY, Exchange, Refusal
from mmgit.serving.front.lull import Lull

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmgit.serving.front.metrics import Metrics
    from mmgit.serving.front.scorers import Scorers
    from mmgit.serving.settings import Settings

_FULL = Refusal(503, "queue_full", "all scorers are busy and the queue is full; try again later", RETRY)
_NOT_READY = Refusal(503, "not_ready", "no scorer is up yet; try again later", RETRY)
TOO_LATE = Refusal(504, "timeout", "the request was not scored in time")


class Admission:
    """The queue of one service."""

    def __init__(self, scorers: Scorers, metrics: Metrics, settings: Settings, *, processors: int = 2) -> None:
        self._scorers = scorers
        self._metrics = metrics
        self._queue = settings.queue
        self._timeout_seconds = settings.timeout_seconds
        self._batch_requests = settings.batch_max_requests
        self._batch_bytes = settings.batch_max_bytes
        self._may_gather = processors == 1 and settings.batch_max_requests > 1
        self._lull = Lull(self._dispatch)
        self._waiting: OrderedDict[Exchange, None] = OrderedDict()
        scorers.on_idle = self._go_on
        scorers.on_began = self._begin
        scorers.on_returned = self._take_back

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def refusal(self) -> Refusal | None:
        """Why a request cannot be taken now."""
        if self._scorers.ready and len(self._waiting) < self._queue + len(self._scorers.idle):
            return None
        return _FULL if self._scorers.ready else _NOT_READY

    def take(self, exchange: Exchange) -> None:
        """Score a complete request, at once or in its turn; its place is asked for again, as its body took time."""
        now = monotonic()
        exchange.deadline = min(exchange.deadline, now + self._timeout_seconds)
        refusal = TOO_LATE if exchange.deadline <= now else self.refusal()
        if refusal is not None:
            exchange.refuse(refusal)
            return
        exchange.queued_at = now
        self._lull.come += 1
        if not self._scorers.idle:
            self._waiting[exchange] = None
            self._hand_ahead()
        elif self._waiting or self._gathers:
            self._waiting[exchange] = None
            if not self._lull.is_awaited or len(self._waiting) >= self._batch_requests:
                self._go_on()
        else:
            self._score([exchange], now)

    def leave(self, exchange: Exchange) -> None:
        """The client of `exchange` is gone."""
        self._waiting.pop(exchange, None)
        if self._scorers.only is not None:
            self._scorers.only.recall(exchange)

    def expire(self, now: float) -> None:
        """Refuse what waited too long."""
        for exchange in [exchange for exchange in self._waiting if exchange.deadline <= now]:
            self._waiting.pop(exchange, None)
            exchange.refuse(TOO_LATE)

    @property
    def _gathers(self) -> bool:
        """Whether more may come for the next batch before the scorer that is idle can begin."""
        if not self._may_gather or len(self._waiting) >= self._batch_requests:
            return False
        idle = self._scorers.idle
        return bool(idle) and idle[-1].is_row_wise

    def _go_on(self) -> None:
        """Let scorers that are idle have what waits, now or in a lull."""
        if self._gathers:
            self._lull.wait()
        else:
            self._dispatch()

    def _dispatch(self) -> None:
        while self._waiting and self._scorers.idle:
            now = monotonic()
            group = self._next_group(now)
            if group:
                self._score(group, now)
        self._hand_ahead()

    def _hand_ahead(self) -> None:
        """Let the only scorer have the oldest requests already; here they still wait."""
        scorer = self._scorers.only
        if scorer is None or (self._batch_requests > 1 and scorer.is_row_wise):
            return
        for exchange in self._waiting:
            if not exchange.is_ahead and not scorer.hand(exchange):
                return

    def _begin(self, exchange: Exchange) -> None:
        """It is the turn of the request that was handed ahead; it does not wait here if it left or was too late."""
        if exchange in self._waiting:
            del self._waiting[exchange]
            self._count((exchange,), monotonic())
        self._hand_ahead()

    def _next_group(self, now: float) -> list[Exchange]:
        """Take out the oldest request, and those behind it that may be scored with it."""
        most = self._batch_requests if self._scorers.idle[-1].is_row_wise else 1
        group: list[Exchange] = []
        size_bytes = 0
        while self._waiting and len(group) < most:
            exchange = next(iter(self._waiting))
            size_bytes += len(exchange.body)
            if group and (exchange.is_alone or size_bytes > self._batch_bytes):
                break
            del self._waiting[exchange]
            if exchange.deadline <= now:
                exchange.refuse(TOO_LATE)
                size_bytes -= len(exchange.body)
                continue
            group.append(exchange)
            if exchange.is_alone:
                break
        return [exchange for exchange in group if not exchange.is_gone]

    def _score(self, group: list[Exchange], now: float) -> None:
        """Give them to an idle scorer."""
        self._count(group, now)
        self._scorers.idle.pop().score(group)

    def _count(self, group: Sequence[Exchange], now: float) -> None:
        """Every request that is scored passes here, in one call for those that are scored together."""
        for exchange in group:
            if not exchange.is_alone:
                exchange.queue_seconds = now - exchange.queued_at
                self._metrics.queued(exchange.queue_seconds)
        self._metrics.scored(len(group))

    def _take_back(self, exchanges: Iterable[Exchange]) -> None:
        """Let requests that were in a group in vain be the next ones, each alone."""
        for exchange in reversed(list(exchanges)):
            if exchange.response is None and not exchange.is_gone:
                exchange.is_alone = True
                self._waiting[exchange] = None
                self._waiting.move_to_end(exchange, last=False)
        self._dispatch()
