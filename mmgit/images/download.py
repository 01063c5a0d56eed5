"""Files from web servers by GET: packages and model files. Bounded, retried, verified by whoever keeps them.

Only http and https; never from https to http, never with credentials in an address.
"""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import urlsplit

from mmgit.errors import BuildError
from mmgit.images.layout import Layout
from mmgit.images.tar import READ_BYTES
from mmgit.lock import Blob
from mmgit.progress import Advance, told, unheard

TIMEOUT_SECONDS = 30.0
PAUSES_SECONDS = (0.2, 1.0)
_DOCUMENT_LIMIT_BYTES = 2**20
_AGAIN = frozenset({429, 500, 502, 503, 504})


class UnavailableError(Exception):
    """The server has no such file, or cannot be reached; says why. Whoever catches it knows what to try next."""


def download(url: str, blob: Blob, layout: Layout, *, proxy: str = "", advance: Advance = unheard) -> None:
    """Keep the file at `url` in the layout as `blob`; `advance` is told of every block of bytes.

    Raises:
        UnavailableError: it cannot be had.
        BuildError: the server gave other bytes.
    """
    for pause_seconds in (*PAUSES_SECONDS, None):
        try:
            with _open(url, proxy) as response:
                layout.put(told(_blocks(response), advance), expected=blob)
        except _BrokenOffError as error:
            if pause_seconds is None:
                raise UnavailableError(f"{shown(url)}: {error}") from error
            time.sleep(pause_seconds)
        except BuildError as error:
            raise BuildError(f"{shown(url)}: {error.message}") from error
        else:
            return


def document(url: str, *, proxy: str = "") -> bytes:
    """A small document, like the answer of an API. Raises `UnavailableError`."""
    try:
        with _open(url, proxy) as response:
            return b"".join(_blocks(response, _DOCUMENT_LIMIT_BYTES))
    except _BrokenOffError as error:
        raise UnavailableError(f"{shown(url)}: {error}") from error


def blocks(url: str, *, authorization: str = "") -> Iterator[bytes]:
    """The bytes of a file, as they come; the login is shown to no other server.

    Raises:
        UnavailableError: it cannot be had.
    """
    try:
        with _open(url, "", authorization) as response:
            yield from _blocks(response)
    except _BrokenOffError as error:
        raise UnavailableError(f"{shown(url)}: {error}") from error


def stream(url: str, limit_bytes: int, *, proxy: str = "") -> Iterator[bytes]:
    """The file at `url` in blocks, verified by nobody. Raises `UnavailableError`, also when it is longer."""
    try:
        with _open(url, proxy) as response:
            yield from _blocks(response, limit_bytes)
    except _BrokenOffError as error:
        raise UnavailableError(f"{shown(url)}: {error}") from error


def shown(url: str) -> str:
    """The address for messages, without what a query could hold."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


class _BrokenOffError(Exception):
    """The server broke off or asks to come back later."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows http and https, but never from the second to the first."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:  # noqa: ANN401 - those of urllib
        _check(args[-1], is_secure=args[0].type == "https")
        return super().redirect_request(*args)


def _open(url: str, proxy: str, authorization: str = "") -> IO[bytes]:
    _check(url, is_secure=False)
    handlers = [urllib.request.ProxyHandler({"http": proxy})] if proxy else []
    request = urllib.request.Request(url, headers={"User-Agent": "mmgit", "Accept-Encoding": "identity"})  # noqa: S310 - checked
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    try:
        response: IO[bytes] = urllib.request.build_opener(_Redirects, *handlers).open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        failure = _BrokenOffError if error.code in _AGAIN else UnavailableError
        raise failure(f"{shown(url)}: {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(f"{getattr(error, 'reason', error)}") from error
    return response


def _check(url: str, *, is_secure: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ({"https"} if is_secure else {"http", "https"}) or parts.username or not parts.hostname:
        raise UnavailableError(f"{shown(url)}: not an address that mmgit downloads from")


def _blocks(response: IO[bytes], limit_bytes: int | None = None) -> Iterator[bytes]:
    size_bytes = 0
    try:
        while block := response.read(READ_BYTES):
            size_bytes += len(block)
            if limit_bytes is not None and size_bytes > limit_bytes:
                raise UnavailableError(f"the answer is longer than {limit_bytes} bytes")
            yield block
        if getattr(response, "length", None):  # http.client says nothing when a body ends early
            raise http.client.IncompleteRead(b"")
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(str(error) or type(error).__name__) from error
