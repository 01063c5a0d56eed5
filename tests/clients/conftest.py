"""Compilers and interpreters of every language, and real servers that the clients in it are run against."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mmgit.clients import Client, api_of, files_of
from mmgit.openapi import openapi_document
from tests.npm import installed
from tests.serving.conftest import KEY, Service, start

__all__ = ["start"]

HERE = Path(__file__).parent
URL = "https://models.example.com/api/v1/service/churn/score"
Command = list[str]
Json = Any


def client_of(schema: Json, sample: Json, *, needs_key: bool = True, service: str = "churn") -> Client:
    return Client(service, URL, needs_key, api_of(openapi_document(schema, sample, title="Churn")))


def _done(command: Command, folder: Path, **variables: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _python(folder: Path) -> Command:
    return [sys.executable, "-W", "error", str(folder / "churn_client.py")]


def _curl(folder: Path) -> Command:
    return ["sh", str(folder / "churn.sh")]


def _go(folder: Path) -> Command:
    offline = {"GOFLAGS": "-mod=readonly", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    unformatted = subprocess.run(["gofmt", "-l", "-s", "."], cwd=folder, capture_output=True, text=True, check=True)
    assert unformatted.stdout == ""
    _done(["go", "vet", "./..."], folder, **offline)
    _done(["go", "build", "-o", "scores", "./sample"], folder, **offline)
    return [str(folder / "scores")]


def _java(folder: Path) -> Command:
    _done(["javac", "-Xlint:all", "-Werror", "-d", "classes", "ChurnClient.java"], folder)
    return ["java", "-cp", str(folder / "classes"), "ChurnClient"]


def _csharp(folder: Path) -> Command:
    sources = [path.name for path in folder.glob("*.cs")]
    _done(["mcs", "-langversion:7.2", "-warnaserror", "-out:scores.exe", "-r:System.Net.Http", *sources], folder)
    return ["mono", str(folder / "scores.exe")]


def _typescript(folder: Path) -> Command:
    compiler = installed(HERE / "typescript")
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(HERE / "typescript" / name, folder / name)
    (folder / "node_modules").symlink_to(compiler)
    _done(["node", "node_modules/typescript/bin/tsc", "--project", "."], folder)
    return ["node", str(folder / "churn_sample.js")]


BUILDERS: Mapping[str, Callable[[Path], Command]] = {
    "python": _python,
    "curl": _curl,
    "go": _go,
    "java": _java,
    "csharp": _csharp,
    "typescript": _typescript,
}
"""Language -> what checks and compiles a folder, and how its sample is run."""

LANGUAGES = [
    pytest.param(name, marks=[] if name in ("python", "curl") else [pytest.mark.languages]) for name in BUILDERS
]


def built(client: Client, language: str, folder: Path) -> Command:
    """Write and compile a client; the command that scores its sample."""
    for name, data in files_of(client, language).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return BUILDERS[language](folder)


def scored(command: Command, service: Service, folder: Path, *, key: str = KEY) -> subprocess.CompletedProcess[str]:
    """Run a client's sample against a server."""
    url = f"http://127.0.0.1:{service.port}{service.score_path}"
    variables = {**os.environ, "MMGIT_URL": url, "MMGIT_KEY": key}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False)


def answered(command: Command, service: Service, folder: Path) -> Json:
    """What the sample's answer is."""
    done = scored(command, service, folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
