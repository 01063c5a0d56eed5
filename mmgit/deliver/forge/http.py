"""JSON over HTTP with one forge: bounded time, answers, tries and pages. The token goes to this one server only.

No redirect is followed. Messages name method, path and the forge's own words, never a header or what was sent.
"""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.message import Message
from typing import IO, Any, NoReturn, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from mmgit.deliver.forge.tokens import Token
from mmgit.errors import ForgeError, visible
from mmgit.frozen import dataclass
from mmgit.images.wire import is_loopback

Answer = TypeVar("Answer", bound=BaseModel)
TIMEOUT_SECONDS = 30.0
PAUSES_SECONDS = (0.5, 2.0, 5.0)
LONGEST_PAUSE_SECONDS = 60
ANSWER_LIMIT_BYTES = 16 * 2**20
PAGE_LIMIT = 100
_SAID_LIMIT_CHARACTERS = 300
_BUSY = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = range(300, 400)
NOT_FOUND = 404


class Refused(ForgeError):  # noqa: N818 - an answer, and callers may expect it
    """The forge answered no; `status` is its HTTP status, `said` its own words."""

    def __init__(self, message: str, hint: str, *, status: int, said: str) -> None:
        super().__init__(message, hint)
        self.status = status
        self.said = said


@dataclass(frozen=True)
class Dialect:
    """How one kind of forge wants to be asked, and what its tokens need."""

    scheme: str
    page_size: tuple[str, int]
    headers: Mapping[str, str]
    permissions: str


class Api:
    """The API below `root`, like `https://api.github.com`."""

    def __init__(
        self, root: str, token: Token, dialect: Dialect, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        parts = urlsplit(root)
        is_plain = parts.scheme == "http" and is_loopback(parts.netloc)
        if parts.scheme != "https" and not is_plain:
            raise ForgeError(
                f"{parts.netloc} is another machine, so it must be reached by https", "change forge.url in mmgit.yaml"
            )
        self.host = parts.netloc
        self._root = root
        self._token = token
        self._dialect = dialect
        self._pause = pause
        proxies = [urllib.request.ProxyHandler({})] if is_plain else []  # a proxy would read along
        self._opener = urllib.request.build_opener(_Stay, *proxies)

    def get(self, model: type[Answer], path: str) -> Answer:
        """The one thing at `path`. Raises `Refused`, `ForgeError`."""
        return self._parsed(model, path, self._ask("GET", path)[0])

    def all(self, model: type[Answer], path: str, query: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """The whole list at `path`, page by page. Raises `Refused`, `ForgeError` also when it has too many pages."""
        name, size = self._dialect.page_size
        count = 0
        for page in range(1, PAGE_LIMIT + 1):
            asked = urlencode({**(query or {}), name: size, "page": page})
            answer, headers = self._ask("GET", f"{path}?{asked}")
            if not isinstance(answer, list):
                self._misunderstood(path)
            yield from (self._parsed(model, path, each) for each in answer)
            count += len(answer)
            total = headers.get("X-Total-Count", "")
            is_more = 'rel="next"' in headers.get("Link", "") or (total.isdecimal() and count < int(total))
            if not answer or not is_more:
                return
        raise ForgeError(f"{self.host}{path} has more than {PAGE_LIMIT} pages")

    def send(self, model: type[Answer], method: str, path: str, data: Mapping[str, Any]) -> Answer:
        """What the forge answers to `data`. Raises `Refused`, `ForgeError`."""
        return self._parsed(model, path, self._ask(method, path, json.dumps(data).encode())[0])

    def delete(self, path: str) -> None:
        """Remove what is at `path`, unless it is gone already. Raises `Refused`, `ForgeError`."""
        try:
            self._ask("DELETE", path)
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise

    def _ask(self, method: str, path: str, data: bytes | None = None) -> tuple[Any, Message]:
        """One answer, tried again where that can do no harm."""
        for pause_seconds in (*PAUSES_SECONDS, None):
            try:
                return self._once(method, path, data)
            except _Later as later:
                what = f"{self._shown(method, path)}: {later}"
                if later.pause_seconds > LONGEST_PAUSE_SECONDS:
                    raise ForgeError(what, f"try again in {later.pause_seconds} seconds") from later
                if method == "POST" and later.is_in_doubt:
                    raise ForgeError(what, "run it again: what was done is found, not done twice") from later
                if pause_seconds is None:
                    raise ForgeError(what, "try again later") from later
                self._pause(max(pause_seconds, later.pause_seconds))
        raise AssertionError  # the last round returns or raises

    def _once(self, method: str, path: str, data: bytes | None) -> tuple[Any, Message]:
        headers = {"User-Agent": "mmgit", "Content-Type": "application/json", **self._dialect.headers}
        request = urllib.request.Request(self._root + path, data, headers, method=method)  # noqa: S310 - see __init__
        request.add_unredirected_header("Authorization", f"{self._dialect.scheme} {self._token.secret}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                body = _read(response)
        except urllib.error.HTTPError as error:
            with error:
                self._refuse(self._shown(method, path), error)
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise _Later(visible(str(reason)), is_in_doubt=True) from error
        try:
            return json.loads(body or b"null"), response.headers
        except (ValueError, RecursionError) as error:
            self._misunderstood(path, error)

    def _refuse(self, what: str, error: urllib.error.HTTPError) -> NoReturn:
        """Raise what an answer that is no success means."""
        if error.code in _REDIRECTS:
            raise ForgeError(f"{what}: it has moved", "write its new place into forge of mmgit.yaml") from None
        headers, said = error.headers, self._said(error)
        message = f"{what}: {error.code} {said}".rstrip()
        is_limited = error.code in {403, 429}
        if is_limited and headers.get("X-RateLimit-Remaining") == "0" and "Retry-After" not in headers:
            raise ForgeError(message, f"its limit of requests is used up{_until(headers)}") from None
        if error.code in _BUSY or (is_limited and "Retry-After" in headers):
            after = headers.get("Retry-After", "")
            raise _Later(
                f"{error.code} {said}".rstrip(),
                pause_seconds=int(after) if after.isdecimal() else 0,
                is_in_doubt=not is_limited,
            )
        raise Refused(message, self._hint(error.code, headers), status=error.code, said=said) from None

    def _said(self, error: urllib.error.HTTPError) -> str:
        """The message in an answer, on one line, without our token whatever the forge does."""
        try:
            answer = json.loads(_read(error))
            said = str(answer["message"])
            details = [str(each.get("message") or "") for each in answer.get("errors") or [] if isinstance(each, dict)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError, http.client.HTTPException):
            return ""
        text = ": ".join(filter(None, [said, *details])).replace(self._token.secret, "***")
        return visible(text[:_SAID_LIMIT_CHARACTERS])

    def _hint(self, status: int, headers: Message) -> str:
        if status == 401:  # noqa: PLR2004 - Unauthorized
            return f"{self._token.variable} is not accepted (any more): set it to a new token"
        if status in {403, 404}:
            wanted = headers.get("X-Accepted-GitHub-Permissions", "")
            is_plain = re.fullmatch(r"[a-z_=,; ]+", wanted)
            return f"the token in {self._token.variable} needs {wanted if is_plain else self._dialect.permissions}"
        return ""

    def _parsed(self, model: type[Answer], path: str, answer: object) -> Answer:
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            self._misunderstood(path, error)

    def _misunderstood(self, path: str, error: Exception | None = None) -> NoReturn:
        what = self._shown("an answer of", path)
        raise ForgeError(f"{what} is not what its API says", "check forge in mmgit.yaml") from error

    def _shown(self, method: str, path: str) -> str:
        return f"{method} {self.host}{path.partition('?')[0]}"


class _Later(Exception):  # noqa: N818 - says when
    """A request that may go through later. `is_in_doubt`: it may have been carried out."""

    def __init__(self, reason: str, *, pause_seconds: int = 0, is_in_doubt: bool) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds
        self.is_in_doubt = is_in_doubt


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing: the next address may be another server's."""


def _read(response: IO[bytes]) -> bytes:
    body = response.read(ANSWER_LIMIT_BYTES + 1)
    if len(body) > ANSWER_LIMIT_BYTES:
        raise ForgeError(f"an answer of the forge is longer than {ANSWER_LIMIT_BYTES} bytes")
    if getattr(response, "length", None):  # http.client says nothing when a body ends early
        raise http.client.IncompleteRead(body)
    return body


def _until(headers: Message) -> str:
    reset = headers.get("X-RateLimit-Reset", "")
    return f" until {datetime.fromtimestamp(int(reset), UTC):%H:%M} UTC" if re.fullmatch("[0-9]{1,11}", reset) else ""
