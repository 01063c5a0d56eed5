"""One repository of an image registry: ask for, send and get blobs, manifests and indexes.

What is sent is confirmed by the registry's digest; what is got is verified by digest and size before it is used.
Source: OCI distribution-spec v1.1.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

from mmgit.errors import RegistryError
from mmgit.images.authorization import Authorizer
from mmgit.images.credentials import Find
from mmgit.images.http1 import Response
from mmgit.images.uploads import send
from mmgit.images.wire import RefusedError, Wire, blocks, body, named, retried, root_of
from mmgit.lock import INDEX_MEDIA_TYPE, Blob
from mmgit.progress import Advance, told, unheard
from mmgit.untrusted import json_value

_OK, _CREATED, _NOT_FOUND = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NOT_FOUND
_NO_SUCH_ROUTE = frozenset(
    {_NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECT_LIMIT = 5
_DOCUMENT_LIMIT_BYTES = 4 * 2**20
_ERROR_LIMIT_BYTES = 64 * 2**10


class Registry:
    """Repository `name` at `host`, which may have a port; `advance` is told of bytes of blobs sent, got or there."""

    actions = "pull,push"
    """What a token is asked for."""
    takes_chunks = True
    """Whether a blob may be sent in several requests, as far as it is known."""

    def __init__(
        self,
        host: str,
        name: str,
        *,
        find: Find = lambda _: None,
        wire: Wire | None = None,
        advance: Advance = unheard,
    ) -> None:
        self.host = host
        self.name = name
        self._advance = advance
        self._wire = wire or Wire()
        self._authorizer_for = partial(Authorizer, host, find=find, wire=self._wire)
        self._authorizer = self._authorizer_for(f"repository:{name}:{self.actions}")
        self._mounting: dict[str, Authorizer] = {}

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"

    def ping(self) -> None:
        """That a registry answers here and lets us in. Raises `RegistryError`."""
        retried(lambda: self.expect(self.request("GET", "/v2/"), {_OK}))

    def has(self, blob: Blob) -> bool:
        """Whether the registry has the blob, by digest and size."""
        is_there = retried(lambda: self._head(f"/v2/{self.name}/blobs/{blob.digest}", blob))
        if is_there:
            self._advance(blob.size_bytes)
        return is_there

    def has_manifest(self, blob: Blob, media_type: str) -> bool:
        """Whether the registry has the manifest or index, by digest and size."""
        return retried(lambda: self._head(f"/v2/{self.name}/manifests/{blob.digest}", blob, {"Accept": media_type}))

    def upload(self, blob: Blob, source: Path | Callable[[], IO[bytes]]) -> None:
        """Send a blob, from a file or from what opens it.

        Raises:
            RegistryError: the registry refuses it, or says that it got other bytes.
        """
        send(self, blob, source, self._advance)

    def mount(self, blob: Blob, name: str) -> bool:
        """Have the blob of repository `name` of the same registry be here too; whether that is so now.

        Not where the registry does not do it, or does not let us read there. Raises `RegistryError` if it breaks off.
        Source: OCI distribution-spec v1.1, "Mounting a blob from another repository".
        """
        scope = f"repository:{self.name}:pull,push repository:{name}:pull"
        authorizer = self._mounting.setdefault(name, self._authorizer_for(scope))
        query = urlencode({"mount": blob.digest, "from": name})

        def post() -> bool:
            try:
                response = self.request("POST", f"/v2/{self.name}/blobs/uploads/?{query}", authorizer=authorizer)
            except RegistryError:  # no token for both
                return False
            body(response, _ERROR_LIMIT_BYTES)
            return response.status == _CREATED

        is_there = retried(post)
        if is_there:
            self._advance(blob.size_bytes)
        return is_there

    def put_manifest(self, data: bytes, media_type: str, reference: str | None = None) -> bool:
        """Send a manifest or index, by digest or by tag `reference`; whether it is listed with its subject by that."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"

        def put() -> bool:
            path = f"/v2/{self.name}/manifests/{reference or digest}"
            response = self.request("PUT", path, {"Content-Type": media_type}, data)
            self.expect(response, {_CREATED})
            self.confirm(response, digest)
            return bool(response.headers.get("OCI-Subject"))

        return retried(put)

    def manifest(self, reference: str, media_type: str) -> bytes | None:
        """A manifest or index by digest, verified, or by tag; None when the registry does not have it."""

        def get() -> bytes | None:
            path = f"/v2/{self.name}/manifests/{reference}"
            response = self.request("GET", path, {"Accept": media_type})
            if response.status == _NOT_FOUND:
                return None
            data = body(self.expect(response, {_OK}), _DOCUMENT_LIMIT_BYTES)
            said = response.headers.get("Docker-Content-Digest", "")
            expected = reference if ":" in reference else said  # no tag has a colon
            if expected and f"sha256:{hashlib.sha256(data).hexdigest()}" != expected:
                raise RegistryError(f"{self} gave other bytes than {expected[:100]}", _LYING)
            return data

        return retried(get)

    def referrers(self, digest: str) -> bytes | None:
        """The list of what names a manifest or index as its subject; None where the registry keeps no such lists.

        Source: OCI distribution-spec v1.1, "Listing Referrers".
        """

        def get() -> bytes | None:
            response = self.request("GET", f"/v2/{self.name}/referrers/{digest}", {"Accept": INDEX_MEDIA_TYPE})
            if response.status in _NO_SUCH_ROUTE:
                body(response, _ERROR_LIMIT_BYTES)
                return None
            return body(self.expect(response, {_OK}), _DOCUMENT_LIMIT_BYTES)

        return retried(get)

    def blob(self, digest: str) -> Iterator[bytes] | None:
        """A blob in blocks, not yet verified, and not tried again; None when the registry does not have it.

        Raises:
            BrokenOffError: it broke off; the blocks may raise it as well.
        """
        response = self.request("GET", f"/v2/{self.name}/blobs/{digest}")
        url = f"{root_of(self.host)}/v2/{self.name}/blobs/{digest}"
        for _ in range(_REDIRECT_LIMIT):
            if response.status not in _REDIRECTS:
                break
            place = named(str(self), response.headers.get("Location"), url)
            url = place.geturl()
            response = self._wire.send("GET", url, self._authorizer.headers if place.netloc == self.host else {})
        if response.status == _NOT_FOUND:
            return None
        return told(blocks(self.expect(response, {_OK})), self._advance)

    def _head(self, path: str, blob: Blob, headers: Mapping[str, str] | None = None) -> bool:
        response = self.request("HEAD", path, headers)
        if response.status == _NOT_FOUND:
            return False
        self.expect(response, {_OK})
        size = response.headers.get("Content-Length")
        if size and size != str(blob.size_bytes):
            raise RegistryError(f"{self} has {blob.digest} with {size} bytes, not {blob.size_bytes}", _LYING)
        return True

    def confirm(self, response: Response, digest: str) -> None:
        """That an answer says that the bytes of `digest` were stored. Raises `RegistryError`."""
        said = response.headers.get("Docker-Content-Digest", digest)
        if said != digest:
            raise RegistryError(f"{self} stored {said} where we sent {digest}", _LYING)

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        data: bytes | IO[bytes] | None = None,
        authorizer: Authorizer | None = None,
    ) -> Response:
        """One request; a refused one once more with a fresh login. Raises `BrokenOffError`."""
        authorizer = authorizer or self._authorizer
        begin = data.tell() if data is not None and not isinstance(data, bytes) else 0
        for is_last in (False, True):
            login = authorizer.headers
            response = self._wire.send(method, root_of(self.host) + path, {**(headers or {}), **login}, data)
            if response.status != HTTPStatus.UNAUTHORIZED or is_last:
                break
            response.read(_ERROR_LIMIT_BYTES)
            authorizer.renew(response.headers.get("WWW-Authenticate", ""), login)
            if data is not None and not isinstance(data, bytes):
                data.seek(begin)
        return response

    def expect(self, response: Response, statuses: set[HTTPStatus]) -> Response:
        """The answer, if its status is one of these. Raises `RegistryError`."""
        if response.status in statuses:
            return response
        said = f"{self} answered {response.status}{_codes(response)}"
        if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise RefusedError(said, f"docker login {self.host}")
        raise RegistryError(said)


class Reader(Registry):
    """A repository of others: read and never written, so that a token for reading alone will do."""

    actions = "pull"


_LYING = "do not use this registry until you know why"


def _codes(response: Response) -> str:
    """The error codes of an answer, like DENIED; nothing else of it is shown."""
    try:
        errors = json_value(response.read(_ERROR_LIMIT_BYTES))["errors"]
        codes = [code for error in errors if (code := str(error["code"])).replace("_", "").isalnum()]
    except (ValueError, KeyError, TypeError, OSError):
        return ""
    return f" ({', '.join(codes[:3])})"
