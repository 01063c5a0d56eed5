"""Asks a server row after row, and takes the time. What answers is people's code: nothing is trusted."""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from itertools import cycle, islice
from statistics import median
from typing import Any, TypeAlias

from mmgit.frozen import dataclass
from mmgit.golden import Row
from mmgit.lock import Lock
from mmgit.review.answers import Answer

_START_SECONDS, _POLL_SECONDS = 300.0, 0.1
_ANSWER_SECONDS = 60.0
_TIMED_REQUESTS, _TIMED_SECONDS = 50, 10.0
_MOST_BYTES = 16 * 2**20
_TEXT_CHARACTERS = 200
_OK = 200


@dataclass(frozen=True)
class Address:
    """Where a server listens, and the path on which it scores."""

    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Started:
    """A server that runs: where, whether it still does, and the end of what it wrote."""

    address: Address
    is_running: Callable[[], bool]
    log: Callable[[], str]


Start: TypeAlias = Callable[[str, Lock], AbstractContextManager[Started]]
"""Starts the image of a manifest: `<model>/<n>`, and its lock."""


@dataclass(frozen=True)
class Asked:
    """The answers in the order of the rows, and the median time of a request: none if none was answered."""

    answers: tuple[Answer, ...]
    has_started: bool
    latency_ms: float | None


def ask(address: Address, rows: Sequence[Row], is_running: Callable[[], bool]) -> Asked:
    """Wait until the server is ready, ask every row once, then again for the time that they take.

    A server that never gets ready answers nothing: each answer has status 0.
    """
    bodies = [json.dumps(row.request).encode() for row in rows]
    if not _is_ready(address, is_running):
        return Asked(tuple(Answer(0, "it did not start") for _ in rows), has_started=False, latency_ms=None)
    with closing(_connection(address)) as connection:
        answers = tuple(_post(connection, address.path, body) for body in bodies)
        answered = [body for body, answer in zip(bodies, answers, strict=True) if answer.is_given]
        latency_ms = _latency_ms(connection, address.path, answered)
    return Asked(answers, has_started=True, latency_ms=latency_ms)


def _latency_ms(connection: http.client.HTTPConnection, path: str, bodies: Sequence[bytes]) -> float | None:
    took: list[float] = []
    began = time.perf_counter()
    for body in islice(cycle(bodies), _TIMED_REQUESTS):
        start = time.perf_counter()
        if _post(connection, path, body).is_given:
            took.append(time.perf_counter() - start)
        if time.perf_counter() - began > _TIMED_SECONDS:
            break
    return round(median(took) * 1000, 3) if took else None


def _is_ready(address: Address, is_running: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and is_running():
        with closing(_connection(address)) as connection:
            try:
                connection.request("GET", "/")
                if connection.getresponse().status == _OK:
                    return True
            except (OSError, http.client.HTTPException):
                pass
        time.sleep(_POLL_SECONDS)
    return False


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> Answer:
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", "Accept": "application/json"})
        response = connection.getresponse()
        data = response.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise http.client.HTTPException(f"an answer of more than {_MOST_BYTES >> 20} MiB")  # noqa: TRY301 - as any
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # the next request opens it again
        return Answer(0, str(error) or type(error).__name__)
    return Answer(response.status, _value(data))


def _value(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(data, parse_constant=str)
    except (ValueError, RecursionError):
        return data[:_TEXT_CHARACTERS].decode(errors="replace")


def _connection(address: Address) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(address.host, address.port, timeout=_ANSWER_SECONDS)
