"""Clients of a service in many languages, made from its OpenAPI document: typed, small, without dependencies."""

from collections.abc import Mapping

from mmgit.clients import csharp, curl, go, java, python, typescript
from mmgit.clients.literals import json_text
from mmgit.clients.model import api_of
from mmgit.clients.writing import SAMPLE_FILE, Client, Language

__all__ = ["LANGUAGES", "MARK", "Client", "api_of", "files_of"]

MARK = b"Made by `mmgit clients`"
"""What the first file of every client says near its beginning."""

LANGUAGES: Mapping[str, Language] = {
    "python": python.write,
    "java": java.write,
    "csharp": csharp.write,
    "typescript": typescript.write,
    "go": go.write,
    "curl": curl.write,
}


def files_of(client: Client, language: str) -> dict[str, bytes]:
    """Path -> bytes of a client in one of `LANGUAGES`, its main file first."""
    files = {path: text.encode("ascii") for path, text in LANGUAGES[language](client).items()}
    return {**files, SAMPLE_FILE: f"{json_text(client.api.sample)}\n".encode()} if client.has_long_sample else files
