"""One scorer process: started, given one request at a time, watched, killed. Says what became of it to its owner.

A scorer is the user's interpreter running `scorer/main.py` in a session of its own, at the other end of a socket pair.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from mmgit.serving.front.admission import TOO_LATE
from mmgit.serving.front.exchange import Exchange, Refusal
from mmgit.serving.front.output import Output
from mmgit.serving.scorer.frames import ANSWER, FAILED, READY, REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmgit.serving.front.launch import Launch

_SOCKET_BUFFER_BYTES = 1024 * 1024
_TRACEBACK_SECONDS = 0.5
_LAST_WORDS_SECONDS = 0.5
_ANSWERS = frozenset((200, 400, 500))

_DIED = Refusal(500, "scorer_died", "the process that scored this request ended; the log says why")


class Owner(Protocol):
    """Who is told what a scorer does."""

    def became_idle(self, scorer: Scorer) -> None:
        """It can score."""

    def ended(self, scorer: Scorer, reason: str) -> None:
        """Its process is gone."""

    def wrote(self, stream: str, lines: list[bytes]) -> None:
        """It wrote lines of its log (stream `log`), or past it to `stdout` or `stderr`."""


class Scorer(asyncio.Protocol):
    """A process and the socket to it, from start to end; a new process is a new `Scorer`."""

    def __init__(self, owner: Owner, launch: Launch) -> None:
        self.is_ready = False
        self.is_hung = False
        self.started_at = monotonic()
        self._owner = owner
        self._launch = launch
        self._exchange: Exchange | None = None
        self._busy_since = 0.0
        self._buffer = bytearray()
        self._reason = ""
        self._gone_since = 0.0
        self._has_ended = False
        self._transport: asyncio.Transport | None = None
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
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES)
        self._outputs = tuple(Output(partial(self._owner.wrote, stream)) for stream in ("log", "stdout", "stderr"))
        log, stdout, stderr = (output.write_fd for output in self._outputs)
        with theirs, _closing(log, stdout, stderr):
            assignment = json.dumps({"socket_fd": theirs.fileno(), "log_fd": log, **self._launch.assignment})
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - the interpreter is named by the settings; a fork is short
                [*self._launch.command, assignment],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=[theirs.fileno(), log],
                env=dict(self._launch.environment),
                start_new_session=True,
            )
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, sock=ours)

    def score(self, exchange: Exchange) -> None:
        """Send one request."""
        self._exchange = exchange
        self._busy_since = monotonic()
        ids = f"{exchange.request_id}\n{exchange.correlation_id}\n{exchange.trace_id}".encode("ascii")
        head = REQUEST.pack(len(exchange.body), len(ids), exchange.form, exchange.json_bytes) + ids
        cast("asyncio.Transport", self._transport).writelines((head, exchange.body))
        exchange.body = b""

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
        elif self._exchange is not None:
            if self._exchange.deadline <= now:
                self._exchange.refuse(TOO_LATE)
            if self._busy_since <= now - timeout_seconds:
                self._kill(f"run() did not return within {timeout_seconds:g} s")

    def stop(self) -> None:
        """End the process: its loop ends when the socket closes, an `init()` only by force."""
        self._has_ended = True
        if not self.is_ready:
            self.kill()
        if self._transport is not None:
            self._transport.close()

    def kill(self) -> None:
        """End the process and what it started, now, and hear its last words."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS has EPERM for a group that is gone
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for output in self._outputs:
            output.finish()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the socket is attached."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with a part of an answer."""
        buffer = self._buffer
        buffer += data
        if len(buffer) < ANSWER.size:
            return
        size, status, json_bytes = ANSWER.unpack_from(buffer)
        if len(buffer) < ANSWER.size + size:
            return
        payload = bytes(memoryview(buffer)[ANSWER.size : ANSWER.size + size])
        self._buffer = bytearray()
        self._receive(status, payload, json_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the other end closed: the process ends, or did."""
        del exc
        self._end()

    def _receive(self, status: int, payload: bytes, json_bytes: int) -> None:
        exchange = self._exchange
        if exchange is not None and status in _ANSWERS:
            self._exchange = None
            if not self.is_hung:
                self._owner.became_idle(self)
            if json_bytes:
                head = b"inference-header-content-length: %d\r\n" % json_bytes
                exchange.answer(status, payload, headers=head, content_type=b"application/octet-stream")
            else:
                exchange.answer(status, payload)
        elif status == READY and not self.is_ready:
            self.is_ready = True
            self._owner.became_idle(self)
        else:
            self._reason = payload.decode("utf-8", "replace") if status == FAILED else "it broke the frames' order"
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
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.refuse(TOO_LATE if self.is_hung else _DIED)
        if self._transport is not None:
            self._transport.close()
        self._owner.ended(self, self._reason or f"the process ended with {_ending(self._process.returncode)}")


@contextlib.contextmanager
def _closing(*fds: int) -> Iterator[None]:
    try:
        yield
    finally:
        for fd in fds:
            os.close(fd)


def _ending(returncode: int) -> str:
    return f"status {returncode}" if returncode >= 0 else f"signal {-returncode} ({signal.strsignal(-returncode)})"
