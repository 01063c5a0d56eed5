"""Models of an MLflow server, by its REST API: what a registered version is made of, who made it, and its files.

The server is the one that MLFLOW_TRACKING_URI names. What these variables hold to log in with is sent to it alone.
Source: MLflow, "REST API", and its artifact proxy `mlflow-artifacts`.
"""

import base64
import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from mmgit.errors import RegistryError, UsageError
from mmgit.frozen import dataclass
from mmgit.images.download import UnavailableError
from mmgit.images.modelpack import FILES_MAX, is_safe
from mmgit.images.runs import Run
from mmgit.images.wire import Wire, blocks, body, is_loopback, retried, shown
from mmgit.untrusted import json_value

SCHEME = "mlflow"
_API = "/api/2.0/mlflow"
_PROXY = "/api/2.0/mlflow-artifacts/artifacts"
_DEPTH_MAX = 32
_ANSWER_BYTES_MAX = 16 * 2**20
_ASKED = re.compile(r"(?:mlflow|models):/(?P<name>[^/@]+)(?:/(?P<version>[0-9]+)|@(?P<alias>[A-Za-z0-9_-]+))").fullmatch
_COMMIT = re.compile(r"[0-9a-f]{7,64}").fullmatch
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_@.-]{0,63}").fullmatch


@dataclass(frozen=True)
class Registered:
    """A version of a registered model: its name, where its files are, and what made it."""

    name: str
    root: str
    """The address of a folder: `mlflow-artifacts:/…`, or of some store."""
    run: Run | None


class Server:
    """An MLflow server at `url`; `login` is a header's value, or nothing."""

    def __init__(self, url: str, login: str = "") -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": login} if login else {}
        self._wire = Wire()

    @property
    def host(self) -> str:
        """Name and port."""
        return urlsplit(self.url).netloc

    def registered(self, asked: str) -> Registered:
        """What `mlflow:/NAME/VERSION` or `mlflow:/NAME@ALIAS` stands for today.

        Raises:
            UsageError: `asked` is of another form.
            UnavailableError: the server does not have it, or does not answer.
        """
        found = _ASKED(asked)
        if found is None:
            raise UsageError(f"{asked} names no registered model", "mlflow:/NAME/VERSION or mlflow:/NAME@ALIAS")
        name = unquote(found["name"])
        if found["alias"]:
            version = self._asked("registered-models/alias", name=name, alias=found["alias"])["model_version"]
        else:
            version = self._asked("model-versions/get", name=name, version=found["version"])["model_version"]
        at = self._asked("model-versions/get-download-uri", name=name, version=version["version"])
        run = self._run(version["run_id"]) if version.get("run_id") else None
        return Registered(name, str(at["artifact_uri"]), run)

    def below(self, root: str) -> Iterator[str]:
        """The paths of all files below a folder of the artifact proxy, relative to it. Raises `UnavailableError`."""
        folders, count = [""], 0
        while folders:
            folder = folders.pop()
            where = "/".join(filter(None, (root.strip("/"), folder)))
            for each in self._json(f"{_PROXY}?{urlencode({'path': where})}").get("files", []):
                path = "/".join(filter(None, (folder, str(each["path"]).rpartition("/")[2])))
                count += 1
                if count > FILES_MAX or path.count("/") > _DEPTH_MAX or not is_safe(path):
                    raise UnavailableError(f"{self.host}: {where} holds more, or other things than files of a model")
                if each.get("is_dir"):
                    folders.append(path)
                else:
                    yield path

    def blocks(self, path: str) -> Iterator[bytes]:
        """A file of the artifact proxy, not tried again. Raises `BrokenOffError` and `UnavailableError`."""
        url = f"{self.url}{_PROXY}/{quote(path.lstrip('/'))}"
        response = self._wire.send("GET", url, self._headers)
        if response.status != HTTPStatus.OK:
            raise UnavailableError(f"{shown(url)}: {response.status}")
        return blocks(response)

    def _run(self, run_id: str) -> Run:
        run = self._asked("runs/get", run_id=run_id)["run"]
        info, data = run["info"], run.get("data", {})
        tags = {str(each["key"]): str(each["value"]) for each in data.get("tags", [])}
        commit, ended = tags.get("mlflow.source.git.commit", ""), info.get("end_time") or info.get("start_time")
        return Run(
            f"{self.url}/#/experiments/{info['experiment_id']}/runs/{run_id}",
            dict(_metrics(data.get("metrics", []))),
            commit if _COMMIT(commit) else "",
            dt.datetime.fromtimestamp(int(ended) / 1000, dt.UTC).date().isoformat() if ended else "",
        )

    def _asked(self, what: str, **query: str) -> dict[str, Any]:
        return self._json(f"{_API}/{what}?{urlencode(query)}")

    def _json(self, path: str) -> dict[str, Any]:
        url = self.url + path

        def get() -> dict[str, Any]:
            response = self._wire.send("GET", url, self._headers)
            data = body(response, _ANSWER_BYTES_MAX)
            if response.status != HTTPStatus.OK:
                raise UnavailableError(f"{shown(url)}: {response.status}{_code(data)}")
            value: dict[str, Any] = json_value(data)
            return value

        try:
            return retried(get)
        except RegistryError as error:
            raise UnavailableError(error.message) from error
        except ValueError as error:
            raise UnavailableError(f"{shown(url)} is no answer of MLflow") from error


def server_of(variables: Mapping[str, str], uri: str = "") -> Server:
    """The server of these variables, or the one that an address `mlflow://HOST/…` names.

    Raises:
        UsageError: no variable names one.
    """
    named = variables.get("MLFLOW_TRACKING_URI", "")
    host = urlsplit(uri).netloc
    if not host and urlsplit(named).scheme not in ("http", "https"):
        message = "no MLflow server is named" if not named else "MLFLOW_TRACKING_URI is no address of a server"
        raise UsageError(message, "MLFLOW_TRACKING_URI=https://mlflow.example.com mmgit …")
    if host in ("", urlsplit(named).netloc):
        return Server(named, _login(variables))
    return Server(f"{'http' if is_loopback(host) else 'https'}://{host}")


def address_of(server: Server, root: str, path: str) -> str:
    """The address of a file below a folder of the artifact proxy."""
    whole = f"{root.strip('/')}/{path}"
    return f"{SCHEME}://{server.host}/{quote(whole)}"


def blocks_at(uri: str, variables: Mapping[str, str]) -> Iterator[bytes]:
    """What lies at an address `mlflow://HOST/PATH`, not tried again."""
    return server_of(variables, uri).blocks(unquote(urlsplit(uri).path))


def _login(variables: Mapping[str, str]) -> str:
    if token := variables.get("MLFLOW_TRACKING_TOKEN"):
        return f"Bearer {token}"
    user, password = variables.get("MLFLOW_TRACKING_USERNAME"), variables.get("MLFLOW_TRACKING_PASSWORD")
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}" if user and password else ""


def _metrics(found: list[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for each in found:
        name, value = str(each["key"]), float(each["value"])
        if _METRIC(name) and math.isfinite(value):
            yield name, value


def _code(data: bytes) -> str:
    """The error code of an answer, like RESOURCE_DOES_NOT_EXIST; nothing else of it is shown."""
    try:
        code = str(json_value(data)["error_code"])
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({code})" if re.fullmatch(r"[A-Z_]{1,64}", code) else ""
