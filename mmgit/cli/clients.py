"""`mmgit clients`: writes a client of a service, from the schema and the sample of what it runs."""

import os
import shlex
from pathlib import Path

import click

from mmgit.addresses import address_of
from mmgit.cli.calling import KEY_VARIABLE, made_here
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded, say
from mmgit.cli.service_options import only_environment
from mmgit.clients import LANGUAGES, MARK, Client, api_of, files_of
from mmgit.clients.writing import SAMPLE_FILE
from mmgit.documents import TITLE, declared_of
from mmgit.edits.references import environment_of, manifest_of, service_of
from mmgit.errors import UsageError
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.openapi import openapi_document
from mmgit.repository import layout

_MARK_BYTES = 1000
_RUN = {
    "python": ("SSL_CERT_FILE", "python {first}"),
    "java": ("", "java {first}"),
    "csharp": ("SSL_CERT_FILE", ""),
    "typescript": ("NODE_EXTRA_CA_CERTS", "node {last}"),
    "go": ("SSL_CERT_FILE", "go -C {folder} run ./sample"),
    "curl": ("CURL_CA_BUNDLE", "sh {first}"),
}
"""Language -> the variable that names further authorities, and the command that scores the sample, if one does."""


@click.command()
@click.argument("name", metavar="SERVICE")
@click.option("--language", type=click.Choice(list(LANGUAGES)), required=True, help="What the client is written in.")
@click.option("--env", "environment", metavar="ENV", help="Its environment; needed where there are several.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write it: a new folder, or one with an older client. By default clients/SERVICE/LANGUAGE.",
)
def clients(name: str, language: str, environment: str | None, folder: Path | None) -> None:
    """Write a small typed client of SERVICE, with its sample in it. It needs the language's own libraries alone.

    No key is in it: who runs it sets MMGIT_KEY.
    """
    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/", f"{layout.MODELS}/")
    chosen = only_environment(source, name, environment)
    service = service_of(source, chosen, name).spec
    reference = service.manifest or service.next or ""
    manifest = manifest_of(source, reference).spec
    here = layout.manifest_folder(reference)
    schema, sample = (
        root.read(f"{here}/{file}", MAX_SCORING_BYTES) if file else None for file in (manifest.schema_, manifest.sample)
    )
    document = openapi_document(*declared_of(schema, sample), title=TITLE)
    address = address_of(environment_of(source, chosen).spec, name, service)
    client = Client(name, address.url, address.needs_key, api_of(document))
    target = folder or root.path / "clients" / name / language
    files = files_of(client, language)
    _write(target, files)
    trusted = made_here(root, address.url, chosen)  # whole, as Go is started in another folder
    said = f"{name} in {chosen}: {', '.join(files)} in {target}"
    say(said, *_calls(language, list(files), target, trusted, needs_key=address.needs_key))


def _calls(language: str, files: list[str], folder: Path, trusted: Path | None, *, needs_key: bool) -> list[str]:
    """The command that scores the sample, where one does."""
    authorities, program = _RUN[language]
    sources = [each for each in files if each != SAMPLE_FILE]
    places = {"first": _here(folder / sources[0]), "last": _here(folder / sources[-1]), "folder": _here(folder)}
    key = [f"{KEY_VARIABLE}=…"] if needs_key else []
    certificate = [f"{authorities}={shlex.quote(str(trusted))}"] if trusted and authorities else []
    return [" ".join([*key, *certificate, program.format(**places)])] if program else []


def _here(path: Path) -> str:
    """A path as it is typed in this folder."""
    return shlex.quote(os.path.relpath(path))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files, over those of an older client alone. Raises `UsageError`."""
    main = folder / next(iter(files))
    try:
        is_ours = main.is_file() and MARK in main.read_bytes()[:_MARK_BYTES]
        for path, data in files.items():
            place = folder / path
            if place.exists() and not is_ours:
                raise UsageError(f"{place} is there, and no client that mmgit wrote", "--folder names a new folder")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", "--folder names a folder that may be written") from error
