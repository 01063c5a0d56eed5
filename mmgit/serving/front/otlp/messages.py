"""Spans and families in, the bodies of OTLP's two requests out, in protobuf.

Source: opentelemetry-proto v1.7, collector/trace/v1, collector/metrics/v1, trace/v1, metrics/v1. Ids are random bytes
of the caller's; times are nanoseconds since the epoch. Sums and histograms are cumulative since `since`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mmgit.serving.front.metrics import Family, Histogram
from mmgit.serving.front.otlp.protobuf import (
    attributes,
    data,
    double,
    fixed32,
    fixed64,
    number,
    packed_doubles,
    packed_fixed64,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmgit.serving.front.metrics import Labels

_SERVER = 2
_ERROR = 2
_CUMULATIVE = 2
_SAMPLED = 1
_FAILED = 500
_UNITS = {"_seconds": "s", "_bytes": "By"}


class Span(NamedTuple):
    """One answered request as the loop hands it over; `parent` is a traceparent of the caller's, or empty."""

    parent: bytes
    route: str
    method: str
    path: str
    status: int
    seconds: float
    queue_seconds: float | None
    ended_at: float
    request_id: str
    correlation_id: str


class Source(NamedTuple):
    """Who sends: the attributes of the resource, and the version of the code that measured."""

    attributes: tuple[tuple[str, str], ...]
    version: str

    def message(self, field: int, *parts: bytes) -> bytes:
        """The request of spans or metrics: `parts` below this resource and scope."""
        scope = data(1, text(1, "mmgit.serving"), text(2, self.version))
        return data(1, data(1, attributes(1, self.attributes)), data(2, scope, *(data(field, part) for part in parts)))


def trace_message(source: Source, spans: Iterable[Span], random_bytes: bytes) -> bytes:
    """ExportTraceServiceRequest; each span takes the next 24 random bytes."""
    parts = [_span(span, random_bytes[at * 24 : at * 24 + 24]) for at, span in enumerate(spans)]
    return source.message(2, *parts)


def metrics_message(source: Source, families: Iterable[Family], since: int, now: int) -> bytes:
    """ExportMetricsServiceRequest."""
    times = fixed64(2, since) + fixed64(3, now)
    return source.message(2, *(_metric(family, times) for family in families if family.series))


def _span(span: Span, random_bytes: bytes) -> bytes:
    parent = span.parent.split(b"-")
    trace_id = bytes.fromhex(parent[1].decode("ascii")) if span.parent else random_bytes[8:]
    ended_at = int(span.ended_at * 1e9)
    given: list[tuple[str, str | float]] = [
        ("http.request.method", span.method),
        ("url.path", span.path),
        ("http.response.status_code", span.status),
        ("mmgit.route", span.route),
        ("mmgit.request_id", span.request_id),
        ("mmgit.correlation_id", span.correlation_id),
    ]
    if span.queue_seconds is not None:
        given.append(("mmgit.queue_seconds", span.queue_seconds))
    return b"".join(
        (
            data(1, trace_id),
            data(2, random_bytes[:8]),
            data(4, bytes.fromhex(parent[2].decode("ascii"))) if span.parent else b"",
            text(5, f"{span.method} {span.route}"),
            number(6, _SERVER),
            fixed64(7, ended_at - int(span.seconds * 1e9)),
            fixed64(8, ended_at),
            attributes(9, given),
            data(15, number(3, _ERROR)) if span.status >= _FAILED else b"",
            fixed32(16, _SAMPLED),
        )
    )


def _metric(family: Family, times: bytes) -> bytes:
    """The name without `_total`, which receivers that speak Prometheus add again."""
    name = family.name.removesuffix("_total")
    head = text(1, name) + text(2, family.meaning)
    unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")
    head += text(3, unit) if unit else b""
    points = b"".join(data(1, _point(labels, value, times)) for labels, value in family.series)
    if family.kind == "gauge":
        return head + data(5, points)
    if family.kind == "counter":
        return head + data(7, points, number(2, _CUMULATIVE), number(3, 1))
    return head + data(9, points, number(2, _CUMULATIVE))


def _point(labels: Labels, value: float | Histogram, times: bytes) -> bytes:
    if not isinstance(value, Histogram):
        return times + double(4, value) + attributes(7, labels)
    counts = fixed64(4, sum(value.counts)) + double(5, value.total)
    buckets = packed_fixed64(6, value.counts) + packed_doubles(7, value.bounds)
    return times + counts + buckets + attributes(9, labels)
