import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit import addresses
from mmgit.addresses import address_of
from mmgit.edits.keys import RANDOM_BYTES, Dates, digest_of, mint
from mmgit.local import certificates
from mmgit.spec import EnvironmentSpec
from tests.cli.conftest import COMPOSE

Here = Callable[..., Path]
Mmgit = Callable[..., Any]

HEADER = "apiVersion: mmgit.dev/v1\n"
TOKEN, _ = mint(bytes(range(RANDOM_BYTES)), "primary", Dates("2026-11-30"))
SAMPLE = '{"x": [1, 2]}'
WITH_SAMPLE = {
    "models/churn/scoring/sample.json": SAMPLE,
    "models/churn/manifests/1/manifest.yaml": HEADER
    + 'kind: Manifest\npython: "3.11"\nmodels: [churn/1]\nsample: sample.json\n',
    "models/churn/manifests/1/sample.json": '{"x": "frozen"}',
}


@dataclass
class Service:
    """A service that answers what it was asked, or what a test wants."""

    server: ThreadingHTTPServer
    status: int = 200
    body: bytes | None = None
    location: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.server.server_port


def serve(context: ssl.SSLContext | None = None) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.requests.append((self.path, dict(self.headers), body))
            self.send_response(service.status)
            if service.location:
                self.send_header("Location", service.location)
            self.end_headers()
            self.wfile.write(body if service.body is None else service.body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    service = Service(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """What `mmgit serve` would run."""
    for service in serve():
        monkeypatch.setattr(addresses, "LOCAL_URL", f"http://127.0.0.1:{service.port}")
        yield service


@pytest.fixture
def compose(repository: Callable[..., Path]) -> Iterator[Service]:
    """What `mmgit up dev` would start: TLS with the certificate that it makes."""
    root = repository()
    value = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "compose", "registry": "localhost:5480"}
    folder = certificates.prepare(root, "dev", EnvironmentSpec.read(value))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / certificates.CERTIFICATE, folder / certificates.KEY)
    yield from serve(context)


def environment(port: int, host: str = "") -> dict[str, str]:
    text = f"{HEADER}kind: Environment\ntarget: compose\nregistry: localhost:5480\nport: {port}\n"
    return {"environments/dev/environment.yaml": text + (f"host: {host}\n" if host else "")}


def test_the_local_server_is_called_with_the_sample_that_is_edited(here: Here, mmgit: Mmgit, local: Service) -> None:
    here(WITH_SAMPLE)

    ended = mmgit("service", "run", "churn")

    assert (ended.code, ended.out) == (0, SAMPLE + "\n")
    ((path, headers, _),) = local.requests
    assert path == "/api/v1/service/churn/score"
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers


def test_other_data_comes_from_the_command_line_or_a_file(here: Here, mmgit: Mmgit, local: Service) -> None:
    root = here()
    (root / "request.json").write_text('{"x": "é"}', encoding="utf-8")

    assert mmgit("service", "run", "churn", "-d", '{"x": 3}').out == '{"x": 3}\n'
    assert mmgit("service", "run", "churn", "-d", "@request.json").out == '{"x": "é"}\n'
    assert len(local.requests) == 2


def test_an_environment_is_called_with_the_frozen_sample_and_the_key(
    here: Here, mmgit: Mmgit, compose: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(WITH_SAMPLE | environment(compose.port))
    monkeypatch.setenv("MMGIT_KEY", TOKEN)

    ended = mmgit("service", "run", "churn", "--env", "dev")

    assert (ended.code, ended.out) == (0, '{"x": "frozen"}\n')
    ((_, headers, _),) = compose.requests
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in ended.out + ended.err


def test_the_key_may_lie_in_a_file(here: Here, mmgit: Mmgit, compose: Service, tmp_path: Path) -> None:
    here(WITH_SAMPLE | environment(compose.port))
    (tmp_path / "churn.key").write_text(f"{TOKEN}\n")

    assert mmgit("service", "run", "churn", "--env", "dev", "--key-file", f"{tmp_path}/churn.key").code == 0


@pytest.mark.parametrize("key", [TOKEN[:-1], "hunter2", TOKEN.swapcase()])
def test_a_key_that_is_not_whole_is_neither_sent_nor_shown(
    here: Here, mmgit: Mmgit, compose: Service, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    here(WITH_SAMPLE | environment(compose.port))
    monkeypatch.setenv("MMGIT_KEY", key)

    ended = mmgit("service", "run", "churn", "--env", "dev")

    assert ended.code == 2
    assert "MMGIT_KEY holds no whole key" in ended.err
    assert key not in ended.err
    assert compose.requests == []


def test_a_key_of_ones_own_is_sent_to_the_service_that_declares_it(
    here: Here, mmgit: Mmgit, compose: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "3f9c1d7e5b2a48069e1f7c3d5a8b6402"
    declared = f'next: churn/1\nkeys: [{{name: primary, id: abcd, digest: "{digest_of(own)}"}}]\n'
    service = {"environments/dev/services/churn.yaml": f"{HEADER}kind: Service\n{declared}"}
    here(WITH_SAMPLE | environment(compose.port) | service)
    monkeypatch.setenv("MMGIT_KEY", own)

    assert mmgit("service", "run", "churn", "--env", "dev").code == 0

    ((_, headers, _),) = compose.requests
    assert headers["Authorization"] == f"Bearer {own}"


def test_without_a_key_both_ways_to_give_one_are_named(here: Here, mmgit: Mmgit) -> None:
    here(WITH_SAMPLE)

    ended = mmgit("service", "run", "churn", "--env", "dev")

    assert ended.code == 2
    assert "set MMGIT_KEY, or give --key-file FILE" in ended.err


def test_a_certificate_that_this_repository_did_not_make_gets_no_key(
    here: Here, mmgit: Mmgit, compose: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMGIT_KEY", TOKEN)
    root = here(WITH_SAMPLE | environment(compose.port))
    (certificates.folder_of(root, "dev") / certificates.CERTIFICATE).unlink()

    ended = mmgit("service", "run", "churn", "--env", "dev")

    assert ended.code == 10
    assert "CERTIFICATE_VERIFY_FAILED" in ended.err
    assert compose.requests == []


def test_the_certificate_of_this_machine_is_taken_for_no_other_host(
    here: Here, mmgit: Mmgit, compose: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMGIT_KEY", TOKEN)
    here(WITH_SAMPLE | environment(compose.port, "models.example"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", compose.port))])

    ended = mmgit("service", "run", "churn", "--env", "dev")

    assert ended.code == 10
    assert "CERTIFICATE_VERIFY_FAILED" in ended.err
    assert compose.requests == []


def test_a_service_that_starts_is_asked_again(
    here: Here, mmgit: Mmgit, local: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(WITH_SAMPLE)
    local.status, local.body = 503, b'{"error": {"code": "not_ready", "message": "no scorer", "request_id": "r1"}}'

    def wait(_: float) -> None:
        local.status, local.body = 200, None

    monkeypatch.setattr(time, "sleep", wait)

    ended = mmgit("service", "run", "churn")

    assert (ended.code, ended.out) == (0, SAMPLE + "\n")
    assert len(local.requests) == 2


def test_a_service_that_is_busy_is_not(here: Here, mmgit: Mmgit, local: Service) -> None:
    here(WITH_SAMPLE)
    local.status, local.body = 503, b'{"error": {"code": "overloaded", "message": "full", "request_id": "r1"}}'

    assert "503: full (request r1)" in mmgit("service", "run", "churn").err
    assert len(local.requests) == 1


def test_the_words_of_the_service_are_repeated(here: Here, mmgit: Mmgit, local: Service) -> None:
    here(WITH_SAMPLE)
    local.status, local.body = 400, b'{"error": {"code": "missing", "message": "`y` is missing", "request_id": "r-1"}}'

    ended = mmgit("service", "run", "churn")

    assert ended.code == 10
    assert "/api/v1/service/churn/score: 400: `y` is missing (request r-1)" in ended.err


@pytest.mark.parametrize(
    ("status", "words"), [(401, "is this a key of this service"), (502, "502: Bad Gateway"), (302, "302: Found")]
)
def test_a_refusal_without_words_is_shown_by_its_number(
    here: Here, mmgit: Mmgit, local: Service, status: int, words: str
) -> None:
    here(WITH_SAMPLE)
    local.status, local.body, local.location = status, b"<html>", f"http://127.0.0.1:{local.port}/elsewhere"

    ended = mmgit("service", "run", "churn")

    assert ended.code == 10
    assert words in ended.err
    assert len(local.requests) == 1


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ([], "mmgit serve churn   or, if it runs at another port: --port PORT"),
        (["--env", "dev"], "mmgit serve churn --env dev   or, if it runs at another port: --port PORT"),
        (["--port", "2"], "mmgit serve churn --port 2"),
        (["--env", "dev", "--port", "2"], "mmgit serve churn --env dev --port 2"),
    ],
)
def test_nobody_there_names_the_command_that_starts_it(
    here: Here, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch, options: list[str], start: str
) -> None:
    here({**WITH_SAMPLE, "environments/dev/environment.yaml": f"{HEADER}kind: Environment\ntarget: process\n"})
    monkeypatch.setattr(addresses, "LOCAL_URL", "http://127.0.0.1:1")

    ended = mmgit("service", "run", "churn", *options)

    assert ended.code == 10
    assert f"no answer from http://127.0.0.1:{2 if '--port' in options else 1}" in ended.err
    assert ended.err.endswith(f"hint: {start}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["churn"], "churn has no sample.json"),
        (["churn", "-d", "{x: 1}"], "-d is not JSON"),
        (["churn", "-d", "{x: 1}"], "where there is a schema, the keys are the arguments that it names"),
        (["churn", "-d", "@gone.json"], "-d @gone.json: No such file"),
        (["nothing"], "there is no model or service `nothing`"),
        (["churn", "--env", "prod"], "there is no environment `prod`"),
        (["nothing", "--env", "dev"], "there is no service `nothing` in dev"),
        (["nothing", "--env", "dev"], "mmgit service create nothing --env dev"),
        (["churn", "--env", "dev", "--port", "8081"], "--port is for what `mmgit serve` runs here"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    here: Here, mmgit: Mmgit, arguments: list[str], words: str
) -> None:
    here()

    ended = mmgit("service", "run", *arguments)

    assert ended.code == 2
    assert words in ended.err


def test_usage_is_a_command_to_copy_without_a_key_in_it(here: Here, mmgit: Mmgit) -> None:
    here(WITH_SAMPLE)

    ended = mmgit("service", "usage", "churn")

    assert ended.out == (
        "POST https://localhost:8443/api/v1/service/churn/score\n"
        "Content-Type: application/json\nAuthorization: Bearer <key>\n\n"
        "GET https://localhost:8443/api/v1/service/churn/openapi.json\n"
        "GET https://localhost:8443/api/v1/service/churn/swagger.json\n\n"
        "curl https://localhost:8443/api/v1/service/churn/score \\\n"
        '  -H "Authorization: Bearer $MMGIT_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        "  -d @models/churn/manifests/1/sample.json\n\n"
        "mmgit service run churn --env dev   sends the sample\n"
        "mmgit clients churn --env dev --language python|java|csharp|typescript|go|curl   writes a client\n"
    )
    about = json.loads(mmgit("service", "usage", "churn", "-o", "json").out)
    assert about["method"] == "POST"
    assert about["swagger"] == "https://localhost:8443/api/v1/service/churn/swagger.json"


def test_usage_names_the_certificate_that_this_machine_made(here: Here, mmgit: Mmgit) -> None:
    root = here(WITH_SAMPLE)
    certificates.prepare(root, "dev", EnvironmentSpec.read(yaml.safe_load(COMPOSE)))

    ended = mmgit("service", "usage", "churn")

    assert "  --cacert .mmgit/compose/dev/tls.pem \\\n" in ended.out


def test_the_local_server_may_have_another_port(here: Here, mmgit: Mmgit) -> None:
    here(WITH_SAMPLE)

    for service in serve():
        ended = mmgit("service", "run", "churn", "--port", str(service.port))

    assert (ended.code, ended.out) == (0, SAMPLE + "\n")


def test_each_target_has_its_address() -> None:
    kubernetes = {"registry": "r.example", "namespace": "ml", "host": "m.example", "gateway": {"name": "infra/public"}}

    def url(target: str, **fields: object) -> str:
        value = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": target, **fields}
        return address_of(EnvironmentSpec.read(value), "churn").url

    assert url("kubernetes", **kubernetes) == "https://m.example/api/v1/service/churn/score"
    assert url("compose", registry="r.example", port=9443) == "https://localhost:9443/api/v1/service/churn/score"
    assert url("process") == "http://127.0.0.1:8080/api/v1/service/churn/score"
