"""A proxy on loopback before a real registry, which fails as networks and gateways do."""

import http.client
import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "host"})
STALL_SECONDS = 3.0


@dataclass
class FaultyProxy:
    """Where it listens, and what goes wrong next."""

    host: str
    faults: list[tuple[str, str, int | str]] = field(default_factory=list)
    """(method, part of the path, fault), each once: a status; `reset` before the registry hears of it, or `lost`, when
    it has done it; `stall`; of what the registry gives, `truncated` or `other` bytes, or `renamed` ones."""
    sent: int = 0
    """Bytes of bodies that reached the registry."""


@contextmanager
def faulty_proxy(registry: str) -> Iterator[FaultyProxy]:
    """Stand before `registry`."""

    class Handler(_Handler):
        pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.proxy = proxy = FaultyProxy(f"127.0.0.1:{server.server_address[1]}")
    Handler.registry = registry
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy
    registry: str

    def do_any(self) -> None:
        body = self._body()
        fault = self._fault()
        if fault in ("reset", "stall") or isinstance(fault, int):
            self._fail(fault)
            return
        self.proxy.sent += len(body)
        with closing(http.client.HTTPConnection(self.registry)) as connection:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection.request(self.command, self.path, body, {**headers, "Host": self.proxy.host})
            answer = connection.getresponse()
            data = answer.read()
        if fault == "lost":
            self._fail("reset")
            return
        said = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if fault == "renamed":
            said["Docker-Content-Digest"] = "sha256:" + "0" * 64
        size = answer.headers["Content-Length"] if self.command == "HEAD" else str(len(data))
        self.send_response(answer.status)
        for name, value in {**said, "Content-Length": size or "0"}.items():
            self.send_header(name, value)
        self.end_headers()
        if fault == "other":
            data = bytes(len(data))
        self.wfile.write(data[: len(data) // 2] if fault == "truncated" else data)
        self.close_connection = fault == "truncated"

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_any  # noqa: N815 - the names that http.server looks for

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        data = b""
        while self.headers.get("Transfer-Encoding") and (size := int(self.rfile.readline(), 16)):
            data += self.rfile.read(size)
            self.rfile.readline()
        if self.headers.get("Transfer-Encoding"):
            self.rfile.readline()
        return data

    def _fault(self) -> int | str | None:
        for each in self.proxy.faults:
            if each[0] == self.command and each[1] in self.path:
                self.proxy.faults.remove(each)
                return each[2]
        return None

    def _fail(self, fault: int | str) -> None:
        self.close_connection = True
        if isinstance(fault, int):
            self.send_response(fault)
            self.send_header("Content-Length", "0")
            self.send_header("Retry-After", "0")
            self.send_header("WWW-Authenticate", 'Basic realm="models"')
            self.end_headers()
        elif fault == "stall":
            threading.Event().wait(STALL_SECONDS)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_: object) -> None:
        pass
