"""One scorer process: started, given one group of requests at a time, watched, killed. Tells its owner what it does.

A scorer is the user's interpreter running `scorer/main.py` in a session of its own, at the other end of two pipes.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from mmgit.serving.front.admission import TOO_LATE
from mmgit.serving.front.exchange import Exchange, Refusal
from mmgit.serving.front.output import LINE_BYTES_MAX, LOG_LINE_BYTES_MAX, Output
from mmgit.serving.front.scorer_wire import Answer, AnswerReader, frames_of
from mmgit.serving.scorer.frames import ALONE, COLLECTED, FAILED, READY, REPLAY, ROW_WISE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mmgit.serving.front.launch import Launch

_PIPE_BYTES = 256 * 1024
"""More would soon use up what a user of the machine may have in all pipes together: 64 MiB."""
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", 1031 if sys.platform == "linux" else None)  # named since Python 3.10
_TRACEBACK_SECONDS = 0.5
_LAST_WORDS_SECONDS = 0.5
_ANSWERS = frozenset((200, 400, 500))
_AGAIN = frozenset((ALONE, REPLAY))

_DIED = Refusal(500, "scorer_died", "the process that scored this request ended; the log says why")


class Owner(Protocol):
    """Who is told what a scorer does."""

    def became_idle(self, scorer: Scorer) -> None:
        """It can score."""

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
        self._group: dict[int, Exchange] = {}
        self._is_batch = False
        self._busy_since = 0.0
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
        their_requests, requests = _pipe()
        answers, their_answers = _pipe()
        with _closing(their_requests, their_answers, log, stdout, stderr):
            fds = {"requests_fd": their_requests, "answers_fd": their_answers, "log_fd": log}
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
        self._group = dict(enumerate(group))
        self._is_batch = len(group) > 1
        self._busy_since = monotonic()
        requests = cast("asyncio.WriteTransport", self._requests)
        for frame in frames_of(group):
            requests.write(frame)
        if not self._is_batch:
            group[0].body = b""

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
        elif self._group:
            for exchange in self._group.values():
                if exchange.deadline <= now:
                    exchange.refuse(TOO_LATE)
            if self._busy_since <= now - timeout_seconds:
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

    def _receive(self, answers: Sequence[Answer]) -> None:
        """Take complete frames; the next requests go out before the answers to these do."""
        done = []
        again = []
        fault: Answer | None = None
        for answer in answers:
            if answer.status == COLLECTED:
                self._owner.collected(answer.payload, answer.json_bytes)
                continue
            is_answer = answer.status in _ANSWERS
            exchange = self._group.pop(answer.request, None) if is_answer or answer.status in _AGAIN else None
            if exchange is None:
                fault = answer
                break
            if is_answer:
                done.append((exchange, answer))
            else:
                again.append(exchange)
        if again:
            self._owner.returned(again, is_replay=any(answer.status == REPLAY for answer in answers))
        if done or again:
            self._go_on()
        for exchange, answer in done:
            _pass_on(exchange, answer)
        if fault is not None:
            self._receive_other(fault)

    def _go_on(self) -> None:
        if not self._group and not self.is_hung:
            self._owner.became_idle(self)

    def _receive_other(self, answer: Answer) -> None:
        if answer.status == READY and not self.is_ready:
            self.is_ready = True
            self.is_row_wise = answer.payload == ROW_WISE
            self._owner.became_idle(self)
        else:
            is_told = answer.status == FAILED
            self._reason = answer.payload.decode("utf-8", "replace") if is_told else "it broke the frames' order"
            self._end()

    def _kill(self, reason: str) -> None:
        """Ask for a traceback in the log, then kill for good."""
        if self.is_hung:
            return
        self.is_hung = True
        self._reason = reason
        self._process.send_signal(signal.SIGABRT)
        asyncio.get_running_loop().call_later(_TRACEBACK_SECONDS, self._end)

    def _end(self) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self.kill()
        group, self._group = list(self._group.values()), {}
        if self._is_batch and group and not self.is_hung:
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
    if answer.json_bytes:
        head = b"inference-header-content-length: %d\r\n" % answer.json_bytes
        exchange.answer(answer.status, answer.payload, headers=head, content_type=b"application/octet-stream")
    else:
        exchange.answer(answer.status, answer.payload)


def _pipe() -> tuple[int, int]:
    """Its reading and its writing end, with room for most bodies."""
    ends = os.pipe()
    if _SET_PIPE_SIZE is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(ends[1], _SET_PIPE_SIZE, _PIPE_BYTES)
    return ends


@contextlib.contextmanager
def _closing(*fds: int) -> Iterator[None]:
    try:
        yield
    finally:
        for fd in fds:
            os.close(fd)


def _ending(returncode: int) -> str:
    return f"status {returncode}" if returncode >= 0 else f"signal {-returncode} ({signal.strsignal(-returncode)})"
