"""One receiver of OTLP over HTTP: a body in, whether it was taken out. Blocks, so only a thread of its own calls it."""

from __future__ import annotations

import http.client
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 5.0
_ANSWER_BYTES_MAX = 64 * 1024
_GRPC_PORT = 4317
_OK = range(200, 300)
_LATER = frozenset((429, 502, 503, 504))


class Outcome(NamedTuple):
    """What became of one request: `trouble` says what is wrong, and it may help to try again."""

    is_taken: bool
    may_retry: bool = False
    trouble: str = ""


class Sender:
    """The address, and a connection to it that is kept while it works."""

    def __init__(self, address: str, variables: Mapping[str, str], user_agent: str) -> None:
        parts = urlsplit(address)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._is_secure = parts.scheme == "https"
        self._prefix = parts.path.rstrip("/")
        self._certificates = variables.get("OTEL_EXPORTER_OTLP_CERTIFICATE")
        self._headers = {
            "content-type": "application/x-protobuf",
            "user-agent": user_agent,
            **_headers_of(variables.get("OTEL_EXPORTER_OTLP_HEADERS", "")),
        }
        self._connection: http.client.HTTPConnection | None = None

    def send(self, path: str, body: bytes) -> Outcome:
        """Post a body; a connection that was kept too long is tried once more with a new one."""
        is_kept = self._connection is not None
        try:
            return self._post(path, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if is_kept and not isinstance(error, TimeoutError):
                return self.send(path, body)
            hint = " (4317 is gRPC's port as a rule, OTLP over HTTP has 4318)" if self._port == _GRPC_PORT else ""
            return Outcome(is_taken=False, may_retry=True, trouble=f"{type(error).__name__}: {error}"[:200] + hint)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _post(self, path: str, body: bytes) -> Outcome:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._prefix + path, body, self._headers)
        answer = self._connection.getresponse()
        whole = answer.read(_ANSWER_BYTES_MAX)
        if len(whole) == _ANSWER_BYTES_MAX or answer.will_close:
            self.close()
        if answer.status in _OK:
            return Outcome(is_taken=True)
        return Outcome(is_taken=False, may_retry=answer.status in _LATER, trouble=f"status {answer.status}")

    def _connect(self) -> http.client.HTTPConnection:
        if not self._is_secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        context = ssl.create_default_context(cafile=self._certificates)
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)


def _headers_of(given: str) -> dict[str, str]:
    """`name=value,name=value`, as OpenTelemetry's variable has it."""
    pairs = (pair.partition("=") for pair in given.split(",") if "=" in pair)
    return {unquote(name.strip()).lower(): unquote(value.strip()) for name, _, value in pairs}
