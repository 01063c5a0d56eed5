"""A registry over the layout, to read from on this machine only: enough for Docker and containerd to pull.

Any repository name will do, as blobs are named by content; tags are the layout's names `<name>:<tag>`, and those of
cosign's signatures. Source: OCI distribution-spec v1.1, "Pull" and "Listing Referrers".
"""

import json
import re
import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from mmgit.images.evidence import manifests
from mmgit.images.layout import Layout
from mmgit.images.wire import is_loopback
from mmgit.lock import INDEX_MEDIA_TYPE, canonical

_NAME = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
_ROUTE = re.compile(rf"/v2/(?P<name>{_NAME})/(?P<kind>blobs|manifests|referrers)/(?P<reference>[A-Za-z0-9_.:-]+)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG_OF_COSIGN = re.compile(r"(sha256)-([0-9a-f]{64})(\.[a-z]+)")
_IDLE_SECONDS = 60


def serve(layout: Layout, *, port: int = 0) -> ThreadingHTTPServer:
    """A server that is bound but not yet running; port 0 takes a free one, `server_port` tells which."""

    class Handler(_Handler):
        store = layout

    return _Server(("127.0.0.1", port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a puller that goes away is no fault of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "mmgit", ""
    timeout = _IDLE_SECONDS
    store: Layout

    def do_GET(self) -> None:
        """Answer with headers and body."""
        self._answer(is_body_wanted=True)

    def do_HEAD(self) -> None:
        """Answer with headers only."""
        self._answer(is_body_wanted=False)

    def log_message(self, *args: object) -> None:
        """Say nothing: the command prints what people need."""

    def _answer(self, *, is_body_wanted: bool) -> None:
        path = urlsplit(self.path).path
        found = _ROUTE.fullmatch(path)
        if not is_loopback(self.headers.get("Host", "")):  # a page in a browser that rebinds its name to us
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "DENIED")
        elif path in {"/v2/", "/v2"}:
            self._send(HTTPStatus.OK, b"{}", "application/json")
        elif found is None:
            self._refuse(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN")
        elif found["kind"] == "manifests":
            self._send_manifest(found["name"], found["reference"])
        elif found["kind"] == "referrers":
            self._send_referrers(found["reference"])
        else:
            self._send_blob(found["reference"], is_body_wanted=is_body_wanted)

    def _send_manifest(self, name: str, reference: str) -> None:
        named = self.store.names().get(f"{name}:{reference}")
        digest = named.digest if named else self._of_cosign(reference)
        data = self.store.document(digest) if _DIGEST.fullmatch(digest) else None
        try:
            media_type = str(json.loads(data or b"")["mediaType"])
        except (ValueError, KeyError, TypeError):
            self._refuse(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN")
        else:
            self._send(HTTPStatus.OK, data or b"", media_type, digest)

    def _of_cosign(self, reference: str) -> str:
        """The digest that a tag of cosign's means, which says of what image it is and ends as the artifact's does."""
        found = _TAG_OF_COSIGN.fullmatch(reference)
        attached = self.store.attached(f"{found[1]}:{found[2]}") if found else ()
        return next((each.manifest for each in attached if found and each.tag == found[3]), reference)

    def _send_referrers(self, digest: str) -> None:
        documents = (self.store.document(each.manifest) for each in self.store.attached(digest))
        listed = [manifests.listed(document) for document in documents if document]
        index = {"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": listed}
        self._send(HTTPStatus.OK, canonical(index), INDEX_MEDIA_TYPE)

    def _send_blob(self, digest: str, *, is_body_wanted: bool) -> None:
        path = self.store.path(digest)
        if not _DIGEST.fullmatch(digest) or not path.is_file():
            self._refuse(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN")
            return
        with path.open("rb") as source:
            self._head(HTTPStatus.OK, path.stat().st_size, "application/octet-stream", digest)
            if is_body_wanted:
                shutil.copyfileobj(source, self.wfile, 2**20)

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        body = json.dumps({"errors": [{"code": code, "message": status.phrase}]}).encode()
        self._send(status, body, "application/json")

    def _send(self, status: HTTPStatus, body: bytes, media_type: str, digest: str = "") -> None:
        self._head(status, len(body), media_type, digest)
        if self.command == "GET":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, size_bytes: int, media_type: str, digest: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(size_bytes))
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
