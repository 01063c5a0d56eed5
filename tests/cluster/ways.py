"""Ways from pods to servers of this machine that listen on loopback: each with TLS in front, by a certificate."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from tests.cluster.conftest import objects

_BLOCK_BYTES = 2**16


def address() -> str:
    """How pods call this machine."""
    pods = [each["status"].get("podIP", "") for each in objects("pods", "--all-namespaces")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((next((each for each in pods if each), "192.0.2.1"), 9))
        found: str = probe.getsockname()[0]
    return found


class Certificate:
    """A certificate for an address, which nobody knows but who is told."""

    def __init__(self, folder: Path, host: str) -> None:
        self.path, self.key = folder / "way.crt", folder / "way.key"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=way", "-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=CA:FALSE"]
        made = ["-keyout", str(self.key), "-out", str(self.path)]
        subprocess.run(["openssl", "req", "-x509", *curve, *names, *made], check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.path, self.key)


@contextmanager
def way(host: str, to: str, certificate: Certificate) -> Iterator[str]:
    """`HOST:PORT`, where whoever speaks TLS is passed on to `to`, which does not."""
    with socket.create_server((host, 0)) as server, ExitStack() as stack:
        stack.callback(server.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=_accept, args=(server, to, certificate.context), daemon=True).start()
        yield f"{host}:{server.getsockname()[1]}"


def _accept(server: socket.socket, to: str, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_pass_on, args=(client, to, context), daemon=True).start()


def _pass_on(client: socket.socket, to: str, context: ssl.SSLContext) -> None:
    host, port = to.rsplit(":", 1)
    with (
        suppress(OSError),
        closing(context.wrap_socket(client, server_side=True)) as there,
        socket.create_connection((host, int(port))) as here,
    ):
        back = threading.Thread(target=_copy, args=(here, there), daemon=True)
        back.start()
        _copy(there, here)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(_BLOCK_BYTES):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
