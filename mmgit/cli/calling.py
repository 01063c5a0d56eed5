"""`mmgit service run` and `usage`: where a service answers, and calling it there.

A key comes from MMGIT_KEY or a file, never from the command line, and goes to the service's own address only.
"""

import http.client
import os
import shlex
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from mmgit import addresses
from mmgit.addresses import Address, address_of
from mmgit.blueprints.faults import meant
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.output import Form, output_option, print_one
from mmgit.cli.service_options import only_environment
from mmgit.edits.keys import digest_of
from mmgit.edits.references import environment_of, manifest_of, service_of
from mmgit.edits.scoring import SAMPLE
from mmgit.errors import ServingError, UsageError
from mmgit.frozen import dataclass, replace
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.local import certificates
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.resolve import listed
from mmgit.spec.fields import seconds_of
from mmgit.spec.service import Key
from mmgit.spec.tokens import is_token
from mmgit.untrusted import json_value

KEY_VARIABLE = "MMGIT_KEY"
_MAX_ANSWER_BYTES = 100 * 2**20
_TIMEOUT_SECONDS = 60.0
_MARGIN_SECONDS = 10.0
_STARTING, _START_SECONDS, _PAUSE_SECONDS = "not_ready", 30.0, 0.5
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@click.command()
@click.argument("name")
@click.option("--env", "environment", metavar="ENV", help="Call it there; without this, what `mmgit serve` runs here.")
@click.option("-d", "--data", metavar="JSON", help="The request, or @FILE; without this, the manifest's sample.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where `mmgit serve` answers (8080).")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Read the key from this file, not from {KEY_VARIABLE}.",
)
def run(name: str, environment: str | None, data: str | None, port: int | None, key_file: Path | None) -> None:
    """Call service NAME with its sample, or with other data, and print the answer."""
    root = find_root()
    source = loaded(
        root, f"{layout.MODELS}/{name}/", *([f"{layout.ENVIRONMENTS}/{environment}/"] if environment else [])
    )
    declared = environment_of(source, environment).spec if environment else None
    if port and declared and declared.target != "process":
        raise UsageError("--port is for what `mmgit serve` runs here", f"mmgit service run {name} --port {port}")
    spec = service_of(source, environment, name).spec if environment else None
    address = address_of(declared, name, spec)
    if port:
        address = replace(address, url=address.url.replace(addresses.LOCAL_URL, f"http://127.0.0.1:{port}", 1))
    body = _sample(root, source, environment, name) if data is None else _request(data)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if address.needs_key:
        headers["Authorization"] = f"Bearer {_key(key_file, spec.keys if spec else ())}"
    timeout = spec.timeout if spec else None
    timeout_seconds = (seconds_of(timeout) if timeout else _TIMEOUT_SECONDS) + _MARGIN_SECONDS
    trusted = made_here(root, address.url, environment) if environment else None
    connected = partial(_connection, address.url, timeout_seconds, trusted)
    try:
        answer = _post(connected, address.url, body=body, headers=headers)
    except (OSError, http.client.HTTPException) as error:
        message = f"no answer from {address.url}: {str(error) or type(error).__name__}"
        raise ServingError(message, _remedy(address, environment, port)) from error
    if answer.status != http.HTTPStatus.OK:
        raise _refused(address.url, answer)
    print(answer.body.decode(errors="replace").rstrip("\n"))


@click.command()
@click.argument("name")
@click.option("--env", "environment", metavar="ENV", help="Its environment; needed where there are several.")
@output_option
def usage(name: str, environment: str | None, form: Form) -> None:
    """Say how to call service NAME: its address, headers, API documents, and commands that do it."""
    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/")
    chosen = only_environment(source, name, environment)
    declared = service_of(source, chosen, name)
    address = address_of(environment_of(source, chosen).spec, name, declared.spec)
    sample = _sample_path(source, chosen, name)
    headers = {"Content-Type": "application/json"} | ({"Authorization": "Bearer <key>"} if address.needs_key else {})
    lines = [f"curl {address.url}", "-H 'Content-Type: application/json'", f"-d @{sample or 'request.json'}"]
    if address.needs_key:
        lines.insert(1, f'-H "Authorization: Bearer ${KEY_VARIABLE}"')
    if certificate := made_here(root, address.url, chosen):
        lines.insert(1, f"--cacert {shlex.quote(str(certificate.relative_to(root.path)))}")
    about = {"service": name, "environment": chosen, "method": "POST", "url": address.url, "headers": headers}
    documents = {kind: address.url.removesuffix("score") + f"{kind}.json" for kind in ("openapi", "swagger")}
    if form == "table":
        from mmgit.clients import LANGUAGES  # noqa: PLC0415 - Jinja2 is slow to import

        print(f"POST {address.url}")
        print("".join(f"{header}: {value}\n" for header, value in headers.items()))
        print("".join(f"GET {url}\n" for url in documents.values()))
        print(" \\\n  ".join(lines))
        print(f"\nmmgit service run {name} --env {chosen}   sends the sample")
        print(f"mmgit clients {name} --env {chosen} --language {'|'.join(LANGUAGES)}   writes a client")
    else:
        print_one({**about, **documents, "sample": sample, "curl": " ".join(lines)}, form)


def _remedy(address: Address, environment: str | None, port: int | None) -> str:
    """The command that starts what did not answer; where one serves here, at the port that was asked."""
    if address.needs_key:
        return address.remedy
    start = f"{address.remedy} --env {environment}" if environment else address.remedy
    return f"{start} --port {port}" if port else f"{start}   or, if it runs at another port: --port PORT"


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


def _sample_path(source: Source, environment: str | None, name: str) -> str | None:
    """The sample of what the service runs; of what is edited, for the local server."""
    if environment is None and name in source.models:
        return f"{layout.scoring_folder(name)}/{SAMPLE}"
    environments = [environment] if environment else list(source.environments)
    services = [service for each in environments if (service := source.service(each, name))]
    reference = next((service.spec.manifest or service.spec.next for service in services), None)
    if reference is None:
        known = {*source.models, *(each.name for name in environments for each in source.environments[name].services)}
        hint = f"{meant(name, known)}declared models: {listed(source.models)}"
        raise UsageError(f"there is no model or service `{name}`", hint)
    sample = manifest_of(source, reference).spec.sample
    return f"{layout.manifest_folder(reference)}/{sample}" if sample else None


def _sample(root: Root, source: Source, environment: str | None, name: str) -> bytes:
    path = _sample_path(source, environment, name)
    sample = root.read_if_there(path, MAX_SCORING_BYTES) if path else None
    if sample is None:
        raise UsageError(
            f"{name} has no {SAMPLE}", f"mmgit service run {name} -d '{{…}}'   or write one by generate_schema"
        )
    return sample


def _request(data: str) -> bytes:
    """The request that `-d` gives. Raises `UsageError` if it is no JSON."""
    try:
        text = Path(data[1:]).read_text(encoding="utf-8") if data.startswith("@") else data
        json_value(text.encode(), values_max=_MAX_ANSWER_BYTES)
    except OSError as error:
        raise UsageError(f"-d {data}: {error.strerror}", "-d @FILE sends what is in FILE") from error
    except ValueError as error:
        hint = "-d '{\"rows\": [[1, 2]]}'   where there is a schema, the keys are the arguments that it names"
        raise UsageError(f"-d is not JSON: {error}", hint) from error
    return text.encode()


def _key(key_file: Path | None, declared: Collection[Key]) -> str:
    """The key to call with. Raises `UsageError`, which never shows it."""
    name = str(key_file) if key_file else KEY_VARIABLE
    text = key_file.read_text(encoding="utf-8", errors="replace") if key_file else os.environ.get(KEY_VARIABLE, "")
    if not text:
        raise UsageError("the service asks for a key", f"set {KEY_VARIABLE}, or give --key-file FILE")
    if not is_token(text.strip()) and digest_of(text.strip()) not in {key.digest for key in declared}:
        hint = "a key looks like mmgit_<id>_<secret>_<check>, or is your own and declared here"
        raise UsageError(f"{name} holds no whole key", hint)
    return text.strip()


def made_here(root: Root, url: str, environment: str) -> Path | None:
    """The certificate that `mmgit up` made for this machine, if that is what answers at `url`."""
    certificate = certificates.folder_of(root.path, environment) / certificates.CERTIFICATE
    return certificate if urlsplit(url).hostname in _LOOPBACK and certificate.is_file() else None


def _connection(url: str, timeout_seconds: float, trusted: Path | None) -> http.client.HTTPConnection:
    """A connection that is not open yet; `trusted` is the certificate that `mmgit up` made for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_seconds)
    context = ssl.create_default_context()
    if trusted:
        context.load_verify_locations(trusted)
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout_seconds, context=context)


def _post(
    connected: Callable[[], http.client.HTTPConnection], url: str, *, body: bytes, headers: Mapping[str, str]
) -> _Answer:
    """The answer to a POST, sent again while the service starts. No redirect is followed: a key goes nowhere else."""
    end = time.monotonic() + _START_SECONDS
    while True:
        with closing(connected()) as connection:
            connection.request("POST", urlsplit(url).path, body, dict(headers))
            response = connection.getresponse()
            answer = _Answer(response.status, response.read(_MAX_ANSWER_BYTES))
        if _error_of(answer).get("code") != _STARTING or time.monotonic() > end:
            return answer
        time.sleep(_PAUSE_SECONDS)


def _refused(url: str, answer: _Answer) -> ServingError:
    """The service's own words, where it used them."""
    error = _error_of(answer)
    said = http.HTTPStatus(answer.status).phrase if answer.status in list(http.HTTPStatus) else ""
    if "message" in error and "request_id" in error:
        said = f"{error['message']} (request {error['request_id']})"
    hint = "is this a key of this service and environment?" if answer.status == http.HTTPStatus.UNAUTHORIZED else ""
    return ServingError(f"{url}: {answer.status}: {said}", hint)


def _error_of(answer: _Answer) -> dict[str, Any]:
    """What the service says is wrong: `code`, `message` and `request_id`, or nothing."""
    if answer.status == http.HTTPStatus.OK:
        return {}
    try:
        error = json_value(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
