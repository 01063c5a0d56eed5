"""HTTP requests over kept-open connections, with bounded time, answers and tries.

Plain HTTP goes to this machine only. A failure names host and path, never a query, a header or a body.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import IO, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from mmgit.errors import RegistryError
from mmgit.images.http1 import Connection, Response

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
PAUSES_SECONDS = (0.1, 0.5, 2.0)
LONGEST_PAUSE_SECONDS = 20.0
_BLOCK_BYTES = 2**20
_BUSY = frozenset({429, 500, 502, 503, 504})


class BrokenOffError(Exception):
    """A request that may go through later, after `pause_seconds` where the server said so; `hint` is for when not."""

    def __init__(self, reason: str, pause_seconds: float = 0.0, hint: str = "try again later") -> None:
        super().__init__(reason)
        self.hint = hint
        self.pause_seconds = min(pause_seconds, LONGEST_PAUSE_SECONDS)


class TooLongError(RegistryError):
    """An answer that should be short is not."""


class RefusedError(RegistryError):
    """A registry does not let us into a repository; it may into others."""


class Wire:
    """The connections of this process, for any of its threads: one whose answer was read waits for the next request."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Connection]] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | IO[bytes] | None = None
    ) -> Response:
        """The server's answer, its body unread.

        Raises:
            BrokenOffError: it may go through later, as when the server is busy.
            RegistryError: nobody whom this machine trusts says that the server is who it should be.
        """
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        waiting = self._waiting.setdefault(f"{parts.scheme}://{parts.netloc}", [])
        try:
            connection = waiting.pop()  # one step, whatever other threads do
        except IndexError:
            connection = _connect(parts)
        try:
            response = connection.send(method, target, headers, body, when_read=partial(waiting.append, connection))
        except socket.gaierror as error:
            where = f"git grep --untracked -n {parts.hostname}   says where that name stands"
            hint = f"{where}; if it is right: look at the DNS here"
            raise BrokenOffError(f"{shown(url)}: no host of that name is found", hint=hint) from error
        except OSError as error:
            connection.close()
            if distrust := getattr(error, "verify_message", ""):  # `ssl` is slow to import
                hint = "SSL_CERT_FILE=CA.pem mmgit …   where CA.pem has the authority that signed its certificate"
                raise RegistryError(f"{shown(url)}: its certificate is not trusted: {distrust}", hint) from error
            raise BrokenOffError(f"{shown(url)}: {str(error) or type(error).__name__}") from error
        if response.status in _BUSY:
            pause = response.headers.get("Retry-After", "")
            raise BrokenOffError(f"{shown(url)}: {response.status}", float(pause) if pause.isdecimal() else 0.0)
        return response


def blocks(response: Response) -> Iterator[bytes]:
    """The body of an answer in blocks. Raises `BrokenOffError`."""
    try:
        while block := response.read(_BLOCK_BYTES):
            yield block
    except OSError as error:
        raise BrokenOffError(str(error) or type(error).__name__) from error


def body(response: Response, limit_bytes: int) -> bytes:
    """The body of an answer that is short. Raises `BrokenOffError`, and `TooLongError` when it is not."""
    data = bytearray()
    for block in blocks(response):
        data += block
        if len(data) > limit_bytes:
            raise TooLongError(f"an answer is longer than {limit_bytes} bytes")
    return bytes(data)


def retried(action: Callable[[], T]) -> T:
    """What `action` gives, tried again a few times when it broke off.

    Raises:
        RegistryError: it broke off every time.
    """
    for pause_seconds in PAUSES_SECONDS:
        try:
            return action()
        except BrokenOffError as error:
            time.sleep(max(pause_seconds, error.pause_seconds))
    try:
        return action()
    except BrokenOffError as error:
        raise RegistryError(f"{error} (tried {len(PAUSES_SECONDS) + 1} times)", error.hint) from error


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    return name in {"localhost", "::1"} or (name.startswith("127.") and name.replace(".", "").isdecimal())


def root_of(host: str) -> str:
    """The address of a registry: https, but http on this machine."""
    return f"{'http' if is_loopback(host) else 'https'}://{host}"


def named(who: str, address: str, base: str = "") -> SplitResult:
    """An address that `who` named, from `base` on. Raises `RegistryError` if it is none."""
    try:
        return urlsplit(urljoin(base, address))
    except ValueError as error:
        raise RegistryError(f"{who} names an address that is none", "look what answers there") from error


def shown(url: str) -> str:
    """An address for messages: without user, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _connect(parts: SplitResult) -> Connection:
    is_secure = parts.scheme == "https"
    if not is_secure and not (parts.scheme == "http" and is_loopback(parts.netloc)):
        raise RegistryError(f"{parts.netloc} is another machine, so it must be reached by https")
    try:
        port = parts.port or (443 if is_secure else 80)
    except ValueError as error:
        raise RegistryError(f"{parts.hostname} has no port that is a number") from error
    return Connection(parts.hostname or "", port, is_secure=is_secure, timeout_seconds=TIMEOUT_SECONDS)
