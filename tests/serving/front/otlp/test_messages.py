from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mmgit.serving.front.metrics import Family, Histogram
from mmgit.serving.front.otlp.messages import Source, Span, metrics_message, trace_message

SOURCE = Source((("service.name", "digits"), ("service.version", "")), "0.1.0")
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SPAN = Span(b"", "score", "POST", "/score", 200, 0.25, 0.125, 1000.5, "r1", "")


def spans_of(*spans: Span) -> list[Any]:
    message = ExportTraceServiceRequest.FromString(trace_message(SOURCE, spans, bytes(range(24 * len(spans)))))
    return list(message.resource_spans[0].scope_spans[0].spans)


def attributes_of(holder: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in holder.attributes}


def metrics_of(*families: Family) -> list[Any]:
    message = ExportMetricsServiceRequest.FromString(metrics_message(SOURCE, families, 5, 7))
    return list(message.resource_metrics[0].scope_metrics[0].metrics)


def test_the_source_says_who_it_is_and_nothing_empty() -> None:
    message = ExportTraceServiceRequest.FromString(trace_message(SOURCE, [], b""))

    [resource] = message.resource_spans
    assert attributes_of(resource.resource) == {"service.name": "digits"}
    assert (resource.scope_spans[0].scope.name, resource.scope_spans[0].scope.version) == ("mmgit.serving", "0.1.0")


def test_a_span_is_a_servers_with_times_and_status() -> None:
    [span] = spans_of(SPAN)

    assert (span.name, span.kind) == ("POST score", span.SPAN_KIND_SERVER)
    assert (span.end_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano) == (1000500000000, 250000000)
    assert (span.span_id, span.trace_id) == (bytes(range(8)), bytes(range(8, 24)))
    assert (span.parent_span_id, span.flags, span.status.code) == (b"", 1, 0)
    assert attributes_of(span) == {
        "http.request.method": "POST",
        "url.path": "/score",
        "http.response.status_code": 200,
        "mmgit.route": "score",
        "mmgit.request_id": "r1",
        "mmgit.queue_seconds": 0.125,
    }


def test_a_span_continues_the_callers_trace() -> None:
    [span] = spans_of(SPAN._replace(parent=f"00-{TRACE}-{PARENT}-01".encode()))

    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)


def test_only_a_fault_of_the_server_is_an_error() -> None:
    codes = [span.status.code for span in spans_of(*(SPAN._replace(status=status) for status in (200, 404, 500, 503)))]

    assert codes == [0, 0, 2, 2]


def test_every_span_has_an_id_of_its_own() -> None:
    assert len({span.span_id for span in spans_of(SPAN, SPAN, SPAN)}) == 3


def test_a_counter_is_a_sum_that_only_grows_since_the_start() -> None:
    [metric] = metrics_of(Family("mmgit_requests_total", "counter", "Answers.", [((("status", "200"),), 3)]))

    assert (metric.name, metric.description, metric.unit) == ("mmgit_requests", "Answers.", "")
    assert (metric.sum.is_monotonic, metric.sum.aggregation_temporality) == (True, 2)
    [point] = metric.sum.data_points
    assert (point.as_double, point.start_time_unix_nano, point.time_unix_nano) == (3, 5, 7)
    assert attributes_of(point) == {"status": "200"}


def test_a_gauge_is_a_gauge_with_its_unit() -> None:
    [metric] = metrics_of(Family("mmgit_held_bytes", "gauge", "Held.", [((), 12)]))

    assert (metric.name, metric.unit, metric.gauge.data_points[0].as_double) == ("mmgit_held_bytes", "By", 12)


def test_a_histogram_has_one_bucket_more_than_bounds() -> None:
    histogram = Histogram((0.5, 1.0))
    for value in (0.1, 0.5, 0.7, 9.0):
        histogram.observe(value)

    [metric] = metrics_of(Family("mmgit_wait_seconds", "histogram", "Time.", [((), histogram)]))

    [point] = metric.histogram.data_points
    assert (metric.unit, metric.histogram.aggregation_temporality) == ("s", 2)
    assert (point.count, point.sum, list(point.bucket_counts)) == (4, 10.3, [2, 1, 1])
    assert list(point.explicit_bounds) == [0.5, 1.0]


def test_a_family_without_series_is_left_out() -> None:
    assert metrics_of(Family("mmgit_requests_total", "counter", "Answers.", [])) == []
