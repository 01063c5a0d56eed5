"""One scorer process: started, given requests, watched, killed. Tells its owner what it does.

A scorer is the user's interpreter running `scorer/main.py` in a session of its own, at the other end of two pipes. It
may be handed requests ahead, while it still scores: each begins when the one before is answered, and not at all if it
was recalled or the process ended before.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from mmgit.serving.front.admission import TOO_LATE
from mmgit.serving.front.exchange import Exchange, Refusal
from mmgit.serving.front.output import LINE_BYTES_MAX, LOG_LINE_BYTES_MAX, Output
from mmgit.serving.front.pipes import closing, roomy_pipe
from mmgit.serving.front.scorer_wire import JOINED_BYTES_MAX, Answer, AnswerReader, frames_of
from mmgit.serving.front.turns import Turns
from mmgit.serving.scorer.frames import ALONE, COLLECTED, FAILED, PASSED_OVER, READY, REPLAY, ROW_WISE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mmgit.serving.front.launch import Launch

_TRACEBACK_SECONDS = 0.5
_LAST_WORDS_SECONDS = 0.5
_ANSWERS = frozenset((200, 400, 500, PASSED_OVER))
_AGAIN = frozenset((ALONE, REPLAY))
_TOLD = _ANSWERS | _AGAIN

_DIED = Refusal(500, "scorer_died", "the process that scored this request ended; the log says why")


class Owner(Protocol):
    """Who is told what a scorer does."""

    def became_idle(self, scorer: Scorer) -> None:
        """It can score."""

    def began(self, exchange: Exchange) -> None:
        """It began a request that it was handed ahead."""

    def returned(self, exchanges: Iterable[Exchange], *, is_replay: bool) -> None:
        """Requests of a group are to be scored alone."""

    def collected(self, records: bytes, lost: int) -> None:
        """Its code collected data: records, a line each, and how many more it could not keep."""

    def ended(self, scorer: Scorer, reason: str) -> None:
        """Its process is gone."""

    def wrote(self, stream: str, lines: list[bytes]) -> None:
        """It wrote lines of its log (stream `log`), or past it to `stdout` or `stderr`."""


class Scorer(asyncio.Protocol):
    """A process and the pipes to it, from start to end; a new process is a new `Scorer`."""

    def __init__(self, owner: Owner, launch: Launch) -> None:
        self.is_ready = False
        self.is_row_wise = False
        self.is_hung = False
        self.started_at = monotonic()
        self._owner = owner
        self._launch = launch
        self._turns = Turns()
        self._reader = AnswerReader()
        self._reason = ""
        self._gone_since = 0.0
        self._has_ended = False
        self._requests: asyncio.WriteTransport | None = None
        self._answers: asyncio.BaseTransport | None = None
        self._outputs: tuple[Output, ...] = ()
        self._process = cast("subprocess.Popen[bytes]", None)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    async def start(self) -> None:
        """Start the process.

        Raises:
            OSError: the user's interpreter cannot be started.
        """
        lines = (("log", LOG_LINE_BYTES_MAX), ("stdout", LINE_BYTES_MAX), ("stderr", LINE_BYTES_MAX))
        self._outputs = tuple(Output(partial(self._owner.wrote, stream), most) for stream, most in lines)
        log, stdout, stderr = (output.write_fd for output in self._outputs)
        their_requests, requests = roomy_pipe()
        answers, their_answers = roomy_pipe()
        recall = self._turns.recall.fd
        with closing(their_requests, their_answers, recall, log, stdout, stderr):
            fds = {"requests_fd": their_requests, "answers_fd": their_answers, "recall_fd": recall, "log_fd": log}
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - the interpreter is named by the settings; a fork is short
                [*self._launch.command, json.dumps({**fds, **self._launch.assignment})],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=list(fds.values()),
                env=dict(self._launch.environment),
                start_new_session=True,
            )
        loop = asyncio.get_running_loop()
        self._requests, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(requests, "wb", 0))
        self._answers, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(answers, "rb", 0))

    def score(self, group: Sequence[Exchange]) -> None:
        """Send requests; the bodies of several are kept, as they may have to be scored again."""
        self._send(self._turns.begin(group))
        if not self._turns.is_batch:
            group[0].body = b""

    def hand(self, exchange: Exchange) -> bool:
        """Send a request that comes next while another one is scored, if there is room for it."""
        has_room = self._turns.has_room and not self.is_hung and len(exchange.body) <= JOINED_BYTES_MAX
        if has_room:
            self._send(self._turns.send_ahead(exchange))
        return has_room

    def recall(self, exchange: Exchange) -> None:
        """Let a request that was handed ahead not begin."""
        self._turns.call_back(exchange)

    def check(self, now: float, timeout_seconds: float, startup_timeout_seconds: float) -> None:
        """Notice a process that died without closing its socket, or that takes too long."""
        for output in self._outputs:
            output.tick()
        if not self.is_running:
            self._gone_since = self._gone_since or now
            if now - self._gone_since > _LAST_WORDS_SECONDS:
                self._end()
        elif not self.is_ready and now - self.started_at > startup_timeout_seconds:
            self._kill(f"init() did not finish within {startup_timeout_seconds:g} s")
        elif self._turns.current:
            for exchange in self._turns.current.values():
                if exchange.deadline <= now:
                    exchange.refuse(TOO_LATE)
            if self._turns.since <= now - timeout_seconds:
                self._kill(f"run() did not return within {timeout_seconds:g} s")

    def stop(self) -> None:
        """End the process: its loop ends when the pipe closes, an `init()` only by force."""
        self._has_ended = True
        if not self.is_ready:
            self.kill()
        self._close()

    def kill(self) -> None:
        """End the process and what it started, now, and hear its last words."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS has EPERM for a group that is gone
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for output in self._outputs:
            output.finish()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with a part of the answers."""
        answers = self._reader.feed(data)
        if answers:
            self._receive(answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the other end closed: the process ends, or did."""
        del exc
        self._end()

    def _send(self, group: Mapping[int, Exchange]) -> None:
        requests = cast("asyncio.WriteTransport", self._requests)
        for frame in frames_of(group):
            requests.write(frame)

    def _receive(self, answers: Sequence[Answer]) -> None:
        """Take complete frames; the next requests go out before the answers to these do."""
        done: list[tuple[Exchange, Answer]] = []
        again: list[tuple[Exchange, Answer]] = []
        fault: Answer | None = None
        turns = self._turns
        for answer in answers:
            if answer.status == COLLECTED:
                self._owner.collected(answer.payload, answer.json_bytes)
                continue
            if self.is_hung and answer.status == PASSED_OVER:
                turns.drop_ahead()
                continue
            exchange = turns.answered(answer.number) if answer.status in _TOLD else None
            if exchange is None:
                fault = answer
                break
            (again if answer.status in _AGAIN else done).append((exchange, answer))
            if turns.ahead:
                self._begin_next()
        if again:
            is_replay = any(answer.status == REPLAY for _, answer in again)
            self._owner.returned([exchange for exchange, _ in again], is_replay=is_replay)
        if (done or again) and not turns.current and not self.is_hung:
            self._owner.became_idle(self)
        for exchange, answer in done:
            _pass_on(exchange, answer)
        if fault is not None:
            self._receive_other(fault)

    def _begin_next(self) -> None:
        """Where all is answered, the scorer goes on with what it was handed ahead; one that hangs shall not."""
        turns = self._turns
        if not turns.current and not self.is_hung:
            exchange = turns.go_on()
            self._owner.began(exchange)
            exchange.body = b""

    def _receive_other(self, answer: Answer) -> None:
        if answer.status == READY and not self.is_ready:
            self.is_ready = True
            self.is_row_wise = answer.payload == ROW_WISE
            self._owner.became_idle(self)
        else:
            is_told = answer.status == FAILED
            reason = answer.payload.decode("utf-8", "replace") if is_told else "it broke the frames' order"
            self._reason = self._reason or reason
            self._end()

    def _kill(self, reason: str) -> None:
        """Ask for a traceback in the log, then kill for good."""
        if self.is_hung:
            return
        self.is_hung = True
        self._reason = reason
        for exchange in self._turns.ahead.values():
            self.recall(exchange)
        self._process.send_signal(signal.SIGABRT)
        asyncio.get_running_loop().call_later(_TRACEBACK_SECONDS, self._end)

    def _end(self) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self.kill()
        turns = self._turns
        if turns.ahead and not turns.current:  # it may have begun, so nobody else may score it
            self._owner.began(turns.go_on())
        turns.drop_ahead()
        group, turns.current = list(turns.current.values()), {}
        if turns.is_batch and group and not self.is_hung:
            self._owner.returned(group, is_replay=True)  # which of them ended it, is not known
        else:
            for exchange in group:
                exchange.refuse(TOO_LATE if self.is_hung else _DIED)
        self._close()
        self._owner.ended(self, self._reason or f"the process ended with {_ending(self._process.returncode)}")

    def _close(self) -> None:
        for transport in (self._requests, self._answers):
            if transport is not None:
                transport.close()


def _pass_on(exchange: Exchange, answer: Answer) -> None:
    if answer.status == PASSED_OVER:
        exchange.refuse(TOO_LATE)
    elif answer.json_bytes:
        head = b"inference-header-content-length: %d\r\n" % answer.json_bytes
        exchange.answer(answer.status, answer.payload, headers=head, content_type=b"application/octet-stream")
    else:
        exchange.answer(answer.status, answer.payload)


def _ending(returncode: int) -> str:
    return f"status {returncode}" if returncode >= 0 else f"signal {-returncode} ({signal.strsignal(-returncode)})"
