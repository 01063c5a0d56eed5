"""Real servers of object stores, on loopback, each behind a network that can be cut."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow.parquet as pq

from tests.archive.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_START_SECONDS = 60.0
_PATH = f"{os.environ.get('MMGIT_TEST_STORES', '')}/bin:{os.environ['PATH']}"

os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"  # gcsfs asks emulators by gRPC, which they do not speak


@dataclass(frozen=True)
class Server:
    """A server, what an uploader has to be told of it, and how others read it past the network."""

    url: str
    endpoint: str
    variables: Mapping[str, str]
    files: Any
    network: Network
    process: subprocess.Popen[bytes] = field(repr=False)

    def names(self) -> list[str]:
        """All objects."""
        return [str(name) for name in self.files.find(self.url)]

    def archived(self) -> list[str]:
        """The ids of all requests, each as often as it is there."""
        found = []
        for name in self.names():
            assert name.endswith(".parquet"), name
            table = pq.read_table(io.BytesIO(self.files.cat_file(name)), columns=["request_id"])
            found += table["request_id"].to_pylist()
        return sorted(found)

    def stop(self) -> None:
        self.network.close()
        self.process.kill()
        self.process.wait()


def s3(folder: Path) -> Server:
    """Versity's gateway if it is there, else moto."""
    port = _free_port()
    keys = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    (folder / "s3").mkdir(parents=True)
    if program := shutil.which("versitygw", path=_PATH):
        options = [
            "--access",
            "testing",
            "--secret",
            "testing-secret",
            "--region",
            "eu-central-1",
            "--port",
            f"127.0.0.1:{port}",
        ]
        process = _start([program, *options, "posix", str(folder / "s3")], port, folder)
    else:
        process = _start(["moto_server", "--host", "127.0.0.1", "--port", str(port)], port, folder)
    network = Network(port)
    files = fsspec.filesystem(
        "s3",
        key="testing",
        secret="testing-secret",
        endpoint_url=f"http://127.0.0.1:{port}",
        client_kwargs={"region_name": "eu-central-1"},
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    files.mkdir("archive")
    return Server("s3://archive/a/b", f"http://127.0.0.1:{network.port}", keys, files, network, process)


def azure(folder: Path) -> Server:
    """Azurite, the emulator of its own maker."""
    port = _free_port()
    (folder / "azure").mkdir(parents=True)
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder / "azure")]
    process = _start(["azurite-blob", *options, "--skipApiVersionCheck", "--disableTelemetry"], port, folder)
    network = Network(port)

    def connection(port: int) -> str:
        endpoint = f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1"
        return f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={_AZURE_KEY};{endpoint};"

    files = fsspec.filesystem(
        "abfs", connection_string=connection(port), skip_instance_cache=True, use_listings_cache=False
    )
    files.mkdir("archive")
    variables = {"AZURE_STORAGE_CONNECTION_STRING": connection(network.port)}
    return Server("abfs://archive/a/b", "", variables, files, network, process)


def google(folder: Path) -> Server:
    """An emulator of what gcsfs asks for."""
    port = _free_port()
    folder.mkdir()
    process = _start(["gcp-storage-emulator", "start", "--host", "127.0.0.1", "--port", str(port), "-M"], port, folder)
    network = Network(port)
    files = fsspec.filesystem(
        "gs", token="anon", endpoint_url=f"http://127.0.0.1:{port}", skip_instance_cache=True, use_listings_cache=False
    )
    files.mkdir("archive")
    endpoint = f"http://127.0.0.1:{network.port}"
    return Server("gs://archive/a/b", endpoint, {"GOOGLE_CREDENTIALS": '"anon"'}, files, network, process)


SERVERS = {"s3": s3, "azure": azure, "google": google}


def _start(command: list[str], port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A server that answers on its port."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PATH": _PATH})
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, f"{command[0]} does not answer"
            time.sleep(0.05)
        else:
            return process


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
