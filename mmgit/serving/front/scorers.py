"""The scorers of one service: as many as declared, each started again when it ends, later and later if it keeps ending.

Spares are up too and take no request until a scorer ends, whose place they take at once.
A service that never came up, or whose scorers stopped coming up, is given up with the reason.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from mmgit.serving.front.scorer_process import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mmgit.serving.front.exchange import Exchange
    from mmgit.serving.front.launch import Launch
    from mmgit.serving.front.log import Log
    from mmgit.serving.front.metrics import Metrics
    from mmgit.serving.settings import Settings

_STEADY_SECONDS = 60.0
_DELAY_SECONDS = 0.1
_DELAY_SECONDS_MAX = 30.0
_FAILED_STARTS_MAX = 5
_NOT_ROW_WISE = "schema.json does not declare run() row-wise: every request is scored by itself"


class Scorers:
    """All scorers; `idle` are those that can take a request, `only` is the one that serves where one is declared."""

    def __init__(self, settings: Settings, launch: Launch, log: Log, metrics: Metrics) -> None:
        self.idle: list[Scorer] = []
        self.only: Scorer | None = None
        self.on_idle: Callable[[], None] = lambda: None
        self.on_collected: Callable[[bytes, int], None] = lambda _records, _lost: None
        self.on_began: Callable[[Exchange], None] = lambda _: None
        self.on_returned: Callable[[Iterable[Exchange]], None] = lambda _: None
        self.given_up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._launch = launch
        self._log = log
        self._metrics = metrics
        self._scorers: set[Scorer] = set()
        self._serving: set[Scorer] = set()
        self._spares: list[Scorer] = []
        self._starts: set[asyncio.Task[None]] = set()
        self._short_lives = 0
        self._failed_starts = 0
        self._was_ready = False
        self._is_stopping = False

    @property
    def ready(self) -> int:
        """How many take requests, busy ones included, hung ones not."""
        if self.only is not None:
            return int(not self.only.is_hung)
        return sum(not scorer.is_hung for scorer in self._serving)

    @property
    def spares(self) -> int:
        """How many are up and wait to replace one."""
        return len(self._spares)

    @property
    def unready(self) -> dict[str, str]:
        """Why no scorer takes requests: code and message; what their code raised is in the log only."""
        if self.ready:
            return {}
        if self._was_ready:
            return {"scorers_down": "every scorer ended or hangs and is started again; the log says why"}
        limit = self._settings.startup_timeout_seconds
        seconds = max((monotonic() - scorer.started_at for scorer in self._scorers), default=0.0)
        return {"starting": f"init() has not finished: {seconds:.1f} of at most {limit:g} s"}

    @property
    def pids(self) -> set[int]:
        """The processes of all scorers."""
        return {scorer.pid for scorer in self._scorers}

    def start(self) -> None:
        """Start as many as declared."""
        for _ in range(self._settings.concurrency + self._settings.spares):
            self._start_one()

    def check(self, now: float) -> None:
        """Look after every scorer; called several times a second."""
        settings = self._settings
        for scorer in list(self._scorers):
            scorer.check(now, settings.timeout_seconds, settings.startup_timeout_seconds)

    def stop(self) -> None:
        """Let all processes end; `is_running` tells when they did."""
        self._is_stopping = True
        for scorer in self._scorers:
            scorer.stop()

    @property
    def is_running(self) -> bool:
        """Whether a process is still there."""
        return any(scorer.is_running for scorer in self._scorers)

    def kill(self) -> None:
        """End the processes that did not end by themselves."""
        for scorer in self._scorers:
            scorer.kill()

    def became_idle(self, scorer: Scorer) -> None:
        """A scorer is up, or done with a request."""
        if not self._was_ready:
            self._was_ready = True
            self._log.line("info", "ready", seconds=round(monotonic() - scorer.started_at, 3))
            if self._settings.batch_max_requests > 1 and not scorer.is_row_wise:
                self._log.line("warning", "batching_off", message=_NOT_ROW_WISE)
        self._failed_starts = 0
        if scorer not in self._serving:
            if len(self._serving) == self._settings.concurrency:
                self._spares.append(scorer)
                return
            self._serving.add(scorer)
            self.only = scorer if self._settings.concurrency == 1 else None
        self.idle.append(scorer)
        self.on_idle()

    def began(self, exchange: Exchange) -> None:
        """The only scorer began a request that it was handed ahead."""
        self.on_began(exchange)

    def returned(self, exchanges: Iterable[Exchange], *, is_replay: bool) -> None:
        """Requests of a group are to be scored alone: they did not fit, or (a replay) the group failed."""
        self._metrics.batch_replays += is_replay
        self.on_returned(exchanges)

    def collected(self, records: bytes, lost: int) -> None:
        """A scorer's code collected data beside its results."""
        self.on_collected(records, lost)

    def ended(self, scorer: Scorer, reason: str) -> None:
        """A process is gone: start another one, or give the service up."""
        self._scorers.discard(scorer)
        self._serving.discard(scorer)
        if self.only is scorer:
            self.only = None
        for waiting in (self.idle, self._spares):
            if scorer in waiting:
                waiting.remove(scorer)
        if self._is_stopping:
            return
        if self._spares and len(self._serving) < self._settings.concurrency:
            self.became_idle(self._spares.pop(0))
        self._log.line("error", "scorer_ended", pid=scorer.pid, message=reason)
        self._failed_starts += not scorer.is_ready
        if not self._was_ready or self._failed_starts >= _FAILED_STARTS_MAX:
            self._give_up(reason)
            return
        self._metrics.restarts["hung" if scorer.is_hung else "crashed"] += 1
        is_steady = scorer.is_ready and monotonic() - scorer.started_at > _STEADY_SECONDS
        self._short_lives = 0 if is_steady else self._short_lives + 1
        delay = min(_DELAY_SECONDS_MAX, _DELAY_SECONDS * 2 ** max(0, self._short_lives - 1))
        asyncio.get_running_loop().call_later(delay, self._start_one)

    def wrote(self, stream: str, lines: list[bytes]) -> None:
        """A scorer wrote log lines, or what was printed past its log: by a library in C, or by a child."""
        if stream == "log":
            self._log.lines(lines)
            return
        for line in lines:
            self._log.line("info", "print", stream=stream, message=line.decode("utf-8", "replace").rstrip("\r"))

    def _start_one(self) -> None:
        if not self._is_stopping:
            task = asyncio.get_running_loop().create_task(self._launch_one())
            self._starts.add(task)
            task.add_done_callback(self._starts.discard)

    async def _launch_one(self) -> None:
        scorer = Scorer(self, self._launch)
        try:
            await scorer.start()
        except OSError as error:
            self._give_up(f"the interpreter {self._launch.command[0]} cannot be started: {error.strerror}")
            return
        self._scorers.add(scorer)
        if self._is_stopping:
            scorer.kill()

    def _give_up(self, reason: str) -> None:
        if not self.given_up.done():
            self.given_up.set_result(reason)
