"""A real registry on loopback that wants a login, and the login, in the form in which docker keeps it."""

import json
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOGIN = "tester:only-in-this-test"
_HTPASSWD = "tester:$2b$05$Qcby0.TU21q5XfcYBt1w2.AvRtqvx3pzX0C.Ewsn4rKL8W8w8TWPu\n"
"""The same, as htpasswd keeps it."""


@contextmanager
def private_registry(folder: Path) -> Iterator[str]:
    """Its host and port. It needs `docker-registry` in PATH, and keeps its files in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "htpasswd").write_text(_HTPASSWD)
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "private")}},
        "auth": {"htpasswd": {"realm": "private", "path": str(folder / "htpasswd")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "private.yml").write_text(json.dumps(config))
    with subprocess.Popen(["docker-registry", "serve", str(folder / "private.yml")]) as server:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def log_in(host: str, folder: Path) -> Path:
    """Docker's configuration of somebody who has logged in, in a folder of its own."""
    folder.mkdir()
    path = folder / "config.json"
    path.write_text(json.dumps({"auths": {host: {"auth": b64encode(_LOGIN.encode()).decode()}}}))
    return path
