import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.sdk import generate_schema
from tests.cli.test_calling import TOKEN, WITH_SAMPLE, Service, environment, local

Here = Callable[..., Path]
Mmgit = Callable[..., Any]
__all__ = ["local"]

SAMPLE = {"rows": [[1.5, 2.0]], "note": "é"}
SCHEMA = generate_schema(lambda **_: None, {"rows": [[1.5, 2.0]], "note": "a"}, outputs=[0.5])
MANIFEST = WITH_SAMPLE["models/churn/manifests/1/manifest.yaml"] + "schema: schema.json\n"
FILES = {
    **WITH_SAMPLE,
    "models/churn/manifests/1/manifest.yaml": MANIFEST,
    "models/churn/manifests/1/schema.json": json.dumps(SCHEMA),
    "models/churn/manifests/1/sample.json": json.dumps(SAMPLE),
}


def test_a_client_knows_the_address_and_the_sample_and_no_key(here: Here, mmgit: Mmgit, local: Service) -> None:
    root = here(FILES | environment(9443))
    local.body = b"[0.25]"

    ended = mmgit("clients", "churn", "--language", "python")

    module = root / "clients/churn/python/churn_client.py"
    assert ended.out.splitlines() == [
        f"churn in dev: churn_client.py in {module.parent}",
        "next: MMGIT_KEY=… python clients/churn/python/churn_client.py",
    ]
    assert 'URL = "https://localhost:9443/api/v1/service/churn/score"' in module.read_text()
    assert "MMGIT_KEY=<your key>" in module.read_text()
    variables = {"MMGIT_KEY": TOKEN, "MMGIT_URL": f"http://127.0.0.1:{local.port}/score"}
    done = subprocess.run([sys.executable, module], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "[0.25]\n"
    ((_, headers, body),) = local.requests
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(body) == SAMPLE


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("python", "SSL_CERT_FILE={tls} python clients/churn/python/churn_client.py"),
        ("java", "java clients/churn/java/ChurnClient.java"),
        ("typescript", "NODE_EXTRA_CA_CERTS={tls} node clients/churn/typescript/churn_sample.ts"),
        ("go", "SSL_CERT_FILE={tls} go -C clients/churn/go run ./sample"),
        ("curl", "CURL_CA_BUNDLE={tls} sh clients/churn/curl/churn.sh"),
        ("csharp", None),
    ],
)
def test_it_says_how_the_sample_is_scored_with_the_certificate_of_this_machine(
    here: Here, mmgit: Mmgit, language: str, command: str | None
) -> None:
    long_sample = {"models/churn/manifests/1/sample.json": json.dumps(SAMPLE | {"note": "x" * 10_000})}
    root = here(FILES | long_sample | environment(9443))
    certificate = root / ".mmgit/compose/dev/tls.pem"
    certificate.parent.mkdir(parents=True)
    certificate.touch()

    ended = mmgit("clients", "churn", "--language", language)

    assert ended.out.splitlines()[1:] == ([f"next: MMGIT_KEY=… {command.format(tls=certificate)}"] if command else [])


def test_the_local_server_needs_no_key(here: Here, mmgit: Mmgit) -> None:
    root = here({**FILES, "environments/dev/environment.yaml": None})
    (root / "environments/dev/environment.yaml").write_text(
        "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\n"
    )

    assert mmgit("clients", "churn", "--language", "curl", "--folder", "out").code == 0

    assert "http://127.0.0.1:8080/api/v1/service/churn/score" in (root / "out/churn.sh").read_text()
    assert "<your key>" not in (root / "out/churn.sh").read_text()


def test_an_older_client_is_renewed_and_nothing_else_overwritten(here: Here, mmgit: Mmgit) -> None:
    root = here(FILES)
    assert mmgit("clients", "churn", "--language", "go", "--folder", "out").code == 0
    whole = (root / "out/client.go").read_bytes()
    (root / "out/client.go").write_bytes(whole + b"// older\n")

    renewed = mmgit("clients", "churn", "--language", "go", "--folder", "out")
    (root / "out/client.go").write_text("package mine\n")
    refused = mmgit("clients", "churn", "--language", "go", "--folder", "out")

    assert renewed.code == 0
    assert refused.code == 2
    assert "out/client.go is there, and no client that mmgit wrote" in refused.err
    assert (root / "out/client.go").read_text() == "package mine\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"models/churn/manifests/1/sample.json": '{"rows": "wrong", "note": "a"}'}, "no client can hold the sample"),
        ({"models/churn/manifests/1/sample.json": '{"rows": [[NaN]], "note": "a"}'}, "no client can hold the sample"),
        ({"models/churn/manifests/1/schema.json": '{"input": {"x": {"internal": "gASV"}}}'}, "pickles"),
        ({"models/churn/manifests/1/schema.json": "[]"}, "schema.json is not a JSON object"),
    ],
)
def test_what_no_client_can_be_made_of_is_said(here: Here, mmgit: Mmgit, files: dict[str, str], words: str) -> None:
    root = here(FILES | files)

    ended = mmgit("clients", "churn", "--language", "java")

    assert ended.code == 2
    assert words in ended.err
    assert not (root / "clients").exists()
