"""An OTLP receiver on loopback, which reads what it is sent with OpenTelemetry's own classes."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class Told:
    """What `messages` tell."""

    messages: list[Any]

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for message in self.messages
            if isinstance(message, ExportTraceServiceRequest)
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def lines(self) -> list[Any]:
        return [
            record
            for message in self.messages
            if isinstance(message, ExportLogsServiceRequest)
            for resource in message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        """The newest of each name."""
        return {
            metric.name: metric
            for message in self.messages
            if isinstance(message, ExportMetricsServiceRequest)
            for resource in message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


class Receiver(Told, ThreadingHTTPServer):
    """Answers with `status`; holds every message that it could read, and the headers of each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.requests = 0
        self.messages: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/prefix"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        receiver = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        receiver.requests += 1
        receiver.goes_on.wait(60)
        if receiver.status == 200:
            try:
                message = KINDS[self.path.removeprefix("/prefix")]()
                message.ParseFromString(body)
                receiver.messages.append(message)
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shall show it
                receiver.faults.append(repr(error))
        self.send_response(receiver.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.goes_on.set()
    server.shutdown()
    server.server_close()
    thread.join()
    assert server.faults == []
