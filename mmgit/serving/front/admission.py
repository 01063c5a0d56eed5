"""Requests that may be scored in, one at a time to each idle scorer out, oldest first; the rest wait or are refused.

At most `concurrency` run and `queue` wait. A request whose client left or whose deadline passed is never scored.
"""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING

from mmgit.serving.front.exchange import RETRY, Exchange, Refusal

if TYPE_CHECKING:
    from mmgit.serving.front.metrics import Metrics
    from mmgit.serving.front.scorers import Scorers

_FULL = Refusal(503, "queue_full", "all scorers are busy and the queue is full; try again later", RETRY)
_NOT_READY = Refusal(503, "not_ready", "no scorer is up yet; try again later", RETRY)
TOO_LATE = Refusal(504, "timeout", "the request was not scored in time")


class Admission:
    """The queue of one service."""

    def __init__(self, scorers: Scorers, metrics: Metrics, *, queue: int, timeout_seconds: float) -> None:
        self._scorers = scorers
        self._metrics = metrics
        self._queue = queue
        self._timeout_seconds = timeout_seconds
        self._waiting: OrderedDict[Exchange, None] = OrderedDict()
        scorers.on_idle = self._dispatch

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def refusal(self) -> Refusal | None:
        """Why a request cannot be taken now."""
        if self._scorers.idle or (self._scorers.ready and len(self._waiting) < self._queue):
            return None
        return _FULL if self._scorers.ready else _NOT_READY

    def take(self, exchange: Exchange) -> None:
        """Score a complete request, at once or in its turn; its place is asked for again, as its body took time."""
        now = monotonic()
        exchange.deadline = min(exchange.deadline, now + self._timeout_seconds)
        refusal = TOO_LATE if exchange.deadline <= now else self.refusal()
        if refusal is not None:
            exchange.refuse(refusal)
        elif self._scorers.idle:
            self._score(exchange, 0.0)
        else:
            exchange.queued_at = now
            self._waiting[exchange] = None

    def leave(self, exchange: Exchange) -> None:
        """The client of `exchange` is gone."""
        self._waiting.pop(exchange, None)

    def expire(self, now: float) -> None:
        """Refuse what waited too long."""
        for exchange in [exchange for exchange in self._waiting if exchange.deadline <= now]:
            self._waiting.pop(exchange, None)
            exchange.refuse(TOO_LATE)

    def _dispatch(self) -> None:
        while self._waiting and self._scorers.idle:
            exchange, _ = self._waiting.popitem(last=False)
            now = monotonic()
            if exchange.deadline <= now:
                exchange.refuse(TOO_LATE)
            else:
                self._score(exchange, now - exchange.queued_at)

    def _score(self, exchange: Exchange, queue_seconds: float) -> None:
        """Give it to an idle scorer: every request that is scored passes here, and is counted as one call."""
        exchange.queue_seconds = queue_seconds
        self._metrics.queued(queue_seconds)
        self._metrics.scored(1)
        self._scorers.idle.pop().score(exchange)
