"""Five hundred clients that dawdle in every way beside one that does not: it is answered, and memory is bounded."""

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.serving.conftest import Load, Service, Start, request, until

WAYS = ("head", "body", "answer", "idle")
CROWD = 500
ANSWER_BYTES = 4_000_000
MEMORY_MIB = 300
"""What the server may hold in bodies and unread answers, 2 x 100 MiB, and some for itself."""


class Dawdler:
    """One client: it sends a byte at a time, or reads none of its answer; when it is cut off it comes again."""

    def __init__(self, service: Service, way: str) -> None:
        self.times_cut_off = -1
        self._service = service
        self._way = way
        self._socket = socket.socket()
        self._come()

    def go_on(self) -> None:
        """Do a little more, or come again."""
        try:
            if self._way in ("head", "body"):
                self._socket.send(b"a")
            elif self._is_gone():
                self._come()
        except BlockingIOError:
            return
        except OSError:
            self._come()

    def leave(self) -> None:
        self._socket.close()

    def _is_gone(self) -> bool:
        """Whether the server closed: what it sent before is not read."""
        return self._way == "idle" and self._socket.recv(1, socket.MSG_PEEK) == b""

    def _come(self) -> None:
        self.times_cut_off += 1
        self._socket.close()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", self._service.port))
        path = Service.score_path
        begun = {
            "head": b"POST / HTTP/1.1\r\nhost: test\r\nx: ",
            "body": request(path, content_length="90000"),
            "answer": request(path, b'{"x": %d}' % ANSWER_BYTES),
            "idle": b"",
        }
        self._socket.sendall(begun[self._way])
        self._socket.setblocking(False)  # noqa: FBT003 - by position is how it takes it


class Crowd(Load):
    """All of them, in every way as many."""

    def __init__(self, service: Service) -> None:
        self.dawdlers = [Dawdler(service, way) for way, _ in zip(itertools.cycle(WAYS), range(CROWD), strict=False)]
        super().__init__(self._turns())

    def _turns(self) -> Iterator[None]:
        while True:
            for dawdler in self.dawdlers:
                with suppress(ConnectionError):
                    dawdler.go_on()
            time.sleep(0.1)
            yield

    def leave(self) -> None:
        for dawdler in self.dawdlers:
            dawdler.leave()


def statuses(service: Service, seconds: float) -> tuple[set[int], float]:
    """What a good client is answered for so long, and the most memory that the server had meanwhile."""
    client = service.client()
    seen, most_mib = set(), 0.0
    until_then = time.monotonic() + seconds
    while time.monotonic() < until_then:
        client.send(request(service.score_path, b'{"x": 1}'))
        seen.add(client.answer().status)
        most_mib = max(most_mib, service.resident_mib())
    return seen, most_mib


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("seconds", [2, pytest.param(120, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_good_client_is_answered_beside_them_and_memory_is_bounded(start: Start, seconds: int) -> None:
    service = start(score="def run(x):\n    return 'a' * x\n", queue=CROWD)
    before = service.resident_mib()

    with Crowd(service) as crowd:
        until(lambda: service.metric("mmgit_connections") >= CROWD * 0.75)  # who reads no answer is cut off meanwhile
        seen, most_mib = statuses(service, seconds)
        health = service.admin("/health").status
    cut_off = sum(dawdler.times_cut_off for dawdler in crowd.dawdlers)
    crowd.leave()

    assert (seen, health) == ({200}, 200)
    assert most_mib - before < MEMORY_MIB
    assert cut_off == 0 if seconds < 10 else cut_off > CROWD // 2
    until(lambda: service.metric("mmgit_connections") < 10 and service.metric("mmgit_held_bytes") == 0)
    assert service.process.poll() is None
