"""The door to a cluster: paths of its API come in, plain objects come out.

Every request is a GET, bounded in time and bytes; lists come page by page. The kubeconfig is the user's own: nothing in
a repository names a cluster.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mmgit.errors import ClusterError, visible
from mmgit.untrusted import json_value

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from urllib3.response import BaseHTTPResponse

Object = dict[str, Any]

JSON = "application/json"
METADATA = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for an object without its content: no value of a Secret ever leaves the cluster."""

_USUAL = "~/.kube/config"
_PAGE = 500
_CONNECT_SECONDS, _READ_SECONDS, _ALL_SECONDS = 5.0, 30.0, 120.0
_ANSWER_LIMIT_BYTES = 64 * 2**20
_BLOCK_BYTES, _LINE_LIMIT_BYTES = 2**18, 2**20
_SAID_LIMIT = 300


class ForbiddenError(ClusterError):
    """The cluster does not let us see something."""


def connect(kubeconfig: str | None = None, context: str | None = None) -> "Cluster":
    """The cluster of `kubeconfig` (paths with `:` between them), else of `~/.kube/config`, else the one around us.

    Raises:
        ClusterError: there is no such configuration, or it cannot be used.
    """
    import urllib3  # noqa: PLC0415 - with the next line a quarter of a second
    from kubernetes import client, config  # noqa: PLC0415 - as above

    settings = client.Configuration()
    try:
        if not kubeconfig and not context and not Path(_USUAL).expanduser().exists():
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=kubeconfig or _USUAL, context=context, client_configuration=settings, persist_config=False
            )
    except Exception as error:  # a kubeconfig may be wrong in any way
        raise ClusterError(f"no cluster is configured: {_short(str(error))}", "kubectl config get-contexts") from error
    settings.retries = False
    if not settings.verify_ssl:  # the user's own choice
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Cluster(client.ApiClient(settings))


class Cluster:
    """A cluster, for one command: all its requests together take two minutes at most."""

    def __init__(self, client: "ApiClient") -> None:
        self._client = client
        self._began = time.monotonic()
        self._served: dict[str, dict[str, str]] = {}

    def __str__(self) -> str:
        return str(self._client.configuration.host)

    def get(self, path: str, accept: str = JSON) -> Object | None:
        """What lies at a path; None if nothing does.

        Raises:
            ForbiddenError: we may not see it.
            ClusterError: the cluster does not answer, not in time, or with something else.
        """
        with self._ask(path, accept) as response:
            status, data = response.status, self._body(path, response.stream(_BLOCK_BYTES))
        if status == HTTPStatus.NOT_FOUND:
            return None
        answer = self._answer(path, data)
        if status == HTTPStatus.OK:
            return answer
        raise self._refused(path, status, answer)

    def lines(self, path: str, *, is_endless: bool = False) -> Iterator[bytes]:
        """The lines of a text, as they come; none if there is none. An endless one takes any time. Raises as `get`."""
        with self._ask(path, "*/*", read_seconds=None if is_endless else _READ_SECONDS) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return
            if response.status != HTTPStatus.OK:
                answer = self._answer(path, self._body(path, response.stream(_BLOCK_BYTES)))
                raise self._refused(path, response.status, answer)
            rest = b""
            while block := response.read1(_BLOCK_BYTES):
                *whole, rest = (rest + block).split(b"\n")
                yield from whole
                if len(rest) > _LINE_LIMIT_BYTES:
                    yield rest
                    rest = b""
                if not is_endless:
                    self._hurry()
            if rest:
                yield rest

    def _refused(self, path: str, status: int, answer: Object) -> ClusterError:
        said = _short(str(answer.get("message", "")))
        if status == HTTPStatus.FORBIDDEN:
            return ForbiddenError(f"the cluster does not let us see this: {said}", "kubectl auth can-i --list")
        if status == HTTPStatus.UNAUTHORIZED:
            return ClusterError(f"{self} does not know who we are", "kubectl auth whoami")
        return ClusterError(f"{self} answered {status} for {path}: {said}", "run this again")

    def items(self, path: str, labels: str = "") -> Iterator[Object]:
        """The objects of a collection that have `labels`; none if there is no such collection. Raises as `get`."""
        query = {"limit": str(_PAGE)} | ({"labelSelector": labels} if labels else {})
        while page := self.get(f"{path}?{urlencode(query)}"):
            yield from page.get("items", ())
            query["continue"] = str(page.get("metadata", {}).get("continue") or "")
            if not query["continue"]:
                break

    def collection(self, version: str, kind: str, namespace: str) -> str | None:
        """The path of the objects of a kind in a namespace; None if the cluster has no such kind.

        `version` is an object's `apiVersion`, or a group alone, which stands for its preferred version.
        """
        if "/" not in version and version != "v1":
            version = str((self.get(f"/apis/{version}") or {}).get("preferredVersion", {}).get("groupVersion", ""))
        root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        if root not in self._served:
            found = (self.get(root) or {}).get("resources", ()) if version else ()
            self._served[root] = {each["kind"]: each["name"] for each in found if "/" not in each["name"]}
        plural = self._served[root].get(kind)
        return f"{root}/namespaces/{namespace}/{plural}" if plural else None

    @contextmanager
    def _ask(
        self, path: str, accept: str, *, read_seconds: float | None = _READ_SECONDS
    ) -> Iterator["BaseHTTPResponse"]:
        """The answer to one GET, which may be read within the block."""
        from urllib3 import Timeout  # noqa: PLC0415 - loaded with the kubernetes package
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

        settings = self._client.configuration
        logins = settings.auth_settings().values()
        headers = {"Accept": accept, **{each["key"]: each["value"] for each in logins if each["in"] == "header"}}
        try:
            response = self._client.rest_client.pool_manager.request(
                "GET",
                f"{settings.host}{path}",
                headers=headers,
                timeout=Timeout(_CONNECT_SECONDS, read_seconds),
                redirect=False,
                preload_content=False,
            )
            with response:
                yield response
        except (HTTPError, OSError) as error:
            raise ClusterError(f"{self} does not answer: {_short(str(error))}", "kubectl version") from error

    def _body(self, path: str, blocks: Iterator[bytes]) -> bytes:
        data = b""
        for block in blocks:
            data += block
            if len(data) > _ANSWER_LIMIT_BYTES:
                raise ClusterError(f"{self} answers with more than {_ANSWER_LIMIT_BYTES // 2**20} MiB for {path}")
            self._hurry()
        return data

    def _hurry(self) -> None:
        if time.monotonic() - self._began > _ALL_SECONDS:
            raise ClusterError(f"{self} took more than {_ALL_SECONDS:.0f} s", "kubectl get --raw /readyz?verbose")

    def _answer(self, path: str, data: bytes) -> Object:
        try:
            answer = json_value(data, values_max=_ANSWER_LIMIT_BYTES)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ClusterError(f"{self} answers for {path} with something that is no object", "kubectl version")
        return answer


def _short(text: str) -> str:
    return visible(text if len(text) <= _SAID_LIMIT else f"{text[:_SAID_LIMIT]}…")
