"""What the public port serves: scoring and the API documents to whoever holds a key, and `GET /` to load balancers.

Everything but `GET /` needs a key, known path or not; but a browser may ask without one whether scripts of a declared
origin may call. The body of a score is decompressed, never looked at.
"""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import UNSET

from mmgit.serving.front.exchange import Exchange, Refusal
from mmgit.serving.front.gunzip import Gunzip
from mmgit.serving.front.inference_pages import InferencePages
from mmgit.serving.front.log import Answered
from mmgit.serving.scorer.arguments import raw_input_of
from mmgit.serving.scorer.frames import ARGUMENTS, RAW, TENSORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mmgit.serving.front.admission import Admission
    from mmgit.serving.front.connections import Connections
    from mmgit.serving.front.keys import Keys
    from mmgit.serving.front.log import Log
    from mmgit.serving.front.metrics import Metrics
    from mmgit.serving.front.observers import Observer
    from mmgit.serving.front.scorers import Scorers
    from mmgit.serving.settings import Settings

_SMALL_BODY_BYTES = 64 * 1024
_LOGGED_PATH_BYTES_MAX = 200
_READING = (b"GET", b"HEAD")
_METHODS = {method: method.decode("ascii") for method in (b"POST", *_READING)}
_MILLISECONDS = re.compile(rb"[0-9]{1,9}").fullmatch

_NO_KEY = Refusal(
    401, "unauthorized", "a valid key is needed: Authorization: Bearer <key>", b"www-authenticate: Bearer\r\n"
)
_NOT_FOUND = Refusal(404, "not_found", "there is nothing at this path")
_NOT_JSON = Refusal(415, "unsupported_media_type", "send the arguments as Content-Type: application/json")
_NOT_RAW = Refusal(
    415, "unsupported_media_type", "send application/json, or the bytes alone as image/* or application/octet-stream"
)
_WRONG_TIMEOUT = Refusal(400, "bad_request", "the header x-request-timeout-ms is not a whole number of milliseconds")
_WRONG_CODING = Refusal(
    415, "unsupported_media_type", "the only content encoding is gzip", b"accept-encoding: gzip\r\n"
)
_NOT_TENSORS = Refusal(415, "unsupported_media_type", "send tensors as application/json or application/octet-stream")
_WRONG_JSON_BYTES = Refusal(
    400, "bad_request", "the header inference-header-content-length is not how many bytes of the body are JSON"
)
_SHARED = (
    b"access-control-allow-origin: %b\r\naccess-control-expose-headers: retry-after, x-request-id, x-correlation-id\r\n"
)
_PREFLIGHT = (
    b"access-control-allow-methods: %b\r\naccess-control-allow-headers: authorization, content-type, traceparent, "
    b"x-request-id, x-correlation-id, x-request-timeout-ms\r\naccess-control-max-age: 600\r\n"
)
_SIZE = re.compile(rb"[1-9][0-9]{0,8}").fullmatch
_GZIP = (b"gzip", b"x-gzip")


def base_path(service: str) -> str:
    """The path that all routes of a service start with."""
    return f"/api/v1/service/{service}"


class ServiceSite:
    """The public port of one service."""

    def __init__(  # noqa: PLR0913 - the one place where the parts of a service meet
        self,
        settings: Settings,
        connections: Connections,
        *,
        keys: Keys | None,
        admission: Admission,
        scorers: Scorers,
        documents: Mapping[str, bytes],
        schema: Mapping[str, Any] | None,
        log: Log,
        metrics: Metrics,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.date = b""
        self.is_draining = False
        self.connections = connections
        base = base_path(settings.service)
        self._score_path = f"{base}/score".encode()
        self._documents = {f"{base}/{name}".encode(): document for name, document in documents.items()}
        self._inference = InferencePages(settings, base, schema, lambda: self.is_ready)
        self._forms = {self._score_path: ARGUMENTS, **dict.fromkeys(self._inference.infer_paths, TENSORS)}
        self._routes = {
            **dict.fromkeys((b"/", *self._documents, *self._inference.pages), _READING),
            **dict.fromkeys(self._forms, (b"POST",)),
        }
        self._route_names = {
            **dict.fromkeys(self._documents, "documents"),
            **dict.fromkeys(self._inference.pages, "metadata"),
            **dict.fromkeys(self._inference.infer_paths, "infer"),
            self._score_path: "score",
        }
        self._paths = {path: path[:_LOGGED_PATH_BYTES_MAX].decode("ascii") for path in self._routes}
        self._body_bytes_max = settings.max_body_bytes
        self._takes_json_only = settings.image.schema is not None
        self._takes_raw = schema is not None and raw_input_of(schema) is not None
        self._origins = frozenset(origin.encode() for origin in settings.origins)
        self._vary = b"vary: origin\r\n" if self._origins else b""
        self._keys = keys
        self._admission = admission
        self._scorers = scorers
        self._log = log
        self._metrics = metrics
        self._observers = observers
        self._keeps_inputs = settings.telemetry is not None and settings.telemetry.inputs

    @property
    def is_ready(self) -> bool:
        """Whether new requests should be sent here."""
        return self._scorers.ready > 0 and not self.is_draining

    def refusal(self, exchange: Exchange) -> Refusal | None:
        """Key, path, method, type, then a place in the queue: in this order, before the body is read."""
        exchange.path = path = exchange.target if exchange.target in self._routes else _path_of(exchange.target)
        exchange.body_limit = _SMALL_BODY_BYTES
        if path != self._score_path:
            exchange.is_inference = self._inference.holds(path)
        methods = self._routes.get(path)
        exchange.shared = self._vary
        if self._origins and exchange.headers.get(b"origin") in self._origins:
            exchange.shared += _SHARED % exchange.headers[b"origin"]
            if exchange.method == b"OPTIONS" and methods and b"access-control-request-method" in exchange.headers:
                exchange.is_preflight = True
                return None
        if self._keys is not None and path != b"/":
            key = exchange.key
            if key is None or not self._keys.still_opened_by(key):
                key = self._keys.opened_by(exchange.headers.get(b"authorization", b""))
                if key is None:
                    return _NO_KEY
                exchange.key = key
            exchange.key_name = key.name
        if methods is None:
            return _NOT_FOUND
        if exchange.method not in methods:
            return _wrong_method(methods)
        form = self._forms.get(path)
        if form is None:
            return None
        exchange.form = form
        exchange.body_limit = self._body_bytes_max
        wrong_type = self._wrong_type(exchange) if form == ARGUMENTS else _wrong_inference(exchange)
        wrong_timeout = _hurry(exchange) if b"x-request-timeout-ms" in exchange.headers else None
        wrong_coding = _wrong_coding(exchange) if b"content-encoding" in exchange.headers else None
        return wrong_timeout or wrong_type or wrong_coding or self._admission.refusal()

    def handle(self, exchange: Exchange) -> None:
        """Answer a complete request that was not refused."""
        path = exchange.path
        if exchange.is_preflight:
            exchange.answer(200, b"{}", headers=_PREFLIGHT % b", ".join(self._routes[path]))
        elif path in self._forms:
            if exchange.is_gzip:
                Gunzip(exchange, self._take).go_on()
            else:
                self._take(exchange)
        elif path == b"/":
            exchange.answer(200 if self.is_ready else 503, b'{"ready":%b}' % (b"true" if self.is_ready else b"false"))
        else:
            page = self._inference.pages.get(path)
            exchange.answer(*(page() if page is not None else (200, self._documents[path])))

    def _take(self, exchange: Exchange) -> None:
        """Let a request whose body is there be scored."""
        if self._keeps_inputs:
            exchange.kept_body = exchange.body
        self._admission.take(exchange)

    def abandon(self, exchange: Exchange) -> None:
        """Its client left: a place in the queue is free."""
        self._metrics.abandoned += 1
        self._admission.leave(exchange)

    def record(self, exchange: Exchange) -> None:
        """Count and log an answer; load balancers' questions are not news."""
        if exchange.path == b"/":
            return
        seconds = monotonic() - exchange.started_at
        route = "other" if exchange.is_preflight else self._route_names.get(exchange.path, "other")
        self._metrics.answered(route, exchange.status, seconds)
        for observer in self._observers:
            observer.answered(exchange, route, seconds)
        waited = exchange.queue_seconds
        self._log.request(
            Answered(
                exchange.request_id,
                _METHODS.get(exchange.method) or exchange.method.decode("latin-1"),
                self._paths.get(exchange.path) or exchange.path[:_LOGGED_PATH_BYTES_MAX].decode("latin-1"),
                exchange.status,
                _to_microseconds(seconds),
                exchange.body_bytes,
                exchange.response_bytes,
                exchange.key_name,
                UNSET if waited is None else _to_microseconds(waited),
                exchange.correlation_id or UNSET,
                exchange.trace_id or UNSET,
            )
        )

    def _wrong_type(self, exchange: Exchange) -> Refusal | None:
        given = exchange.headers.get(b"content-type")
        if given is None or given == b"application/json" or not self._takes_json_only:
            return None
        media_type = _media_type(given)
        if media_type == b"application/json":
            return None
        if not self._takes_raw:
            return _NOT_JSON
        exchange.form = RAW
        return None if media_type == b"application/octet-stream" or media_type.startswith(b"image/") else _NOT_RAW


def _to_microseconds(seconds: float) -> float:
    """Whole microseconds, in seconds; three times faster than `round`."""
    return int(seconds * 1e6 + 0.5) / 1e6


def _wrong_inference(exchange: Exchange) -> Refusal | None:
    """Take over how much of a body of tensors is JSON."""
    headers = exchange.headers
    given = headers.get(b"inference-header-content-length")
    if given is not None:
        if not _SIZE(given):
            return _WRONG_JSON_BYTES
        exchange.json_bytes = int(given)
    media_type = _media_type(headers.get(b"content-type", b"application/json"))
    return None if media_type in (b"application/json", b"application/octet-stream") else _NOT_TENSORS


def _wrong_coding(exchange: Exchange) -> Refusal | None:
    coding = exchange.headers[b"content-encoding"].lower()
    exchange.is_gzip = coding in _GZIP
    return None if exchange.is_gzip or coding == b"identity" else _WRONG_CODING


def _media_type(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()


def _hurry(exchange: Exchange) -> Refusal | None:
    """Bring the deadline forward to what the client asks for, counted from the first byte of its request."""
    given = exchange.headers[b"x-request-timeout-ms"]
    if not _MILLISECONDS(given):
        return _WRONG_TIMEOUT
    exchange.deadline = exchange.started_at + int(given) / 1000
    return None


def _path_of(target: bytes) -> bytes:
    """The path of a request target in origin or absolute form, without its query."""
    if not target.startswith(b"/"):
        scheme, _, rest = target.partition(b"://")
        target = b"/" + rest.partition(b"/")[2] if scheme.lower() in (b"http", b"https") else b""
    return target.partition(b"?")[0]


def _wrong_method(allowed: tuple[bytes, ...]) -> Refusal:
    names = b", ".join(allowed)
    return Refusal(405, "method_not_allowed", f"this path takes {names.decode()}", b"allow: %b\r\n" % names)
