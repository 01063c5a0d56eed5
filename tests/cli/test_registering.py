import hashlib
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

Here = Callable[..., Path]
Mmgit = Callable[..., Any]

DATA = b"weights" * 100_000


class Store(BaseHTTPRequestHandler):
    """Has one model; some of its addresses lead elsewhere."""

    def do_GET(self) -> None:
        targets = {
            "/moved/model.bin": "/model.bin",
            "/plain/model.bin": "http://127.0.0.1:1/model.bin",
            "/signed/model.bin": "/store/model.bin?signature=hunter2",
            "/store/model.bin?signature=hunter2": "http://127.0.0.1:1/model.bin",
        }
        if self.path in targets:
            self.send_response(302)
            self.send_header("Location", targets[self.path])
            self.end_headers()
        elif self.path == "/model.bin":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(DATA)
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def files(here: Here, tmp_path: Path) -> Path:
    """A model file and its script, outside of the repository that is the current folder."""
    here()
    (tmp_path / "digits.onnx").write_bytes(DATA)
    (tmp_path / "score.py").write_text("def run(x):\n    return x\n")
    return tmp_path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https store with a certificate that this process trusts."""
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    make: list[str | Path] = ["openssl", "req", "-x509", "-nodes", *curve, *names, "-keyout", key, "-out", certificate]
    subprocess.run(make, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/model.bin", "/moved/model.bin"])
def test_a_model_at_an_https_address_stays_there_and_is_measured(
    here: Here, mmgit: Mmgit, store: str, path: str
) -> None:
    root = here()

    ended = mmgit("model", "register", "digits", f"{store}{path}")

    assert (ended.code, ended.err) == (0, "")
    version = yaml.safe_load((root / "models/digits/versions/1/version.yaml").read_text())
    measured = {"path": "model.bin", "sha256": hashlib.sha256(DATA).hexdigest(), "size": len(DATA), "format": "other"}
    assert version["files"] == [{**measured, "uri": f"{store}{path}"}]


@pytest.mark.parametrize(
    ("path", "words"),
    [("/gone.bin", "404"), ("/plain/model.bin", "not https"), ("/signed/model.bin", "/store/model.bin leads to an")],
)
def test_what_cannot_be_had_over_https_is_not_registered(
    here: Here, mmgit: Mmgit, store: str, path: str, words: str
) -> None:
    root = here()

    ended = mmgit("model", "register", "digits", f"{store}{path}")

    assert ended.code == 2
    assert words in ended.err
    assert not (root / "models/digits").exists()


@pytest.mark.network
def test_requirements_are_locked_when_a_model_is_registered(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    root = here()
    for name, text in {
        "model.bin": "weights",
        "score.py": "def run(x): ...\n",
        "requirements.txt": "iniconfig==2.0.0\n",
    }.items():
        (tmp_path / name).write_text(text)
    files = [f"{tmp_path}/model.bin", "-f", f"{tmp_path}/score.py", "-p", f"{tmp_path}/requirements.txt"]

    ended = mmgit("model", "register", "digits", *files)

    assert ended.code == 0
    assert "iniconfig" in (root / "models/digits/manifests/1/pylock.toml").read_text()


@pytest.mark.parametrize("option", ["-f", "-p", "-c", "-s"])
def test_an_option_for_one_file_is_given_once(here: Here, mmgit: Mmgit, tmp_path: Path, option: str) -> None:
    root = here()
    for name in ("model.bin", "a.py", "b.py"):
        (tmp_path / name).write_text("")
    twice = [option, f"{tmp_path}/a.py", option, f"{tmp_path}/b.py"]

    ended = mmgit("model", "register", "digits", f"{tmp_path}/model.bin", *twice)

    assert ended.code == 2
    assert f"{option} stands twice" in ended.err
    assert "--file" in ended.err
    assert not (root / "models/digits").exists()


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("-f", "def run(x):\n    return (\n", ":2:12: '(' was never closed"),
        ("-f", "def predict(x): ...\n", " has no function run()"),
        ("-s", "import numpy\n", " is not JSON"),
        ("--docker-file", "import numpy\n", ":1:1: `import` is none of RUN"),
    ],
)
def test_a_file_that_is_not_taken_is_named_as_it_was_typed(
    files: Path, mmgit: Mmgit, option: str, text: str, said: str
) -> None:
    (files / "train.py").write_text(text)
    script = [] if option == "-f" else ["-f", f"{files}/score.py"]

    ended = mmgit("model", "register", "digits", f"{files}/digits.onnx", *script, option, f"{files}/train.py")

    assert ended.code == 2
    assert f"error: {files}/train.py{said}" in ended.err
    assert not Path("models/digits").exists()
