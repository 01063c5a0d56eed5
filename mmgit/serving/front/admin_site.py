"""What the admin port serves inside the cluster: `/health` (it lives), `/ready` (a scorer is up) and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mmgit.serving.front.exchange import Exchange, Refusal
from mmgit.serving.front.exposition import CONTENT_TYPE

if TYPE_CHECKING:
    from mmgit.serving.front.connections import Connections

Page = Callable[[], tuple[int, bytes]]

_NOT_FOUND = Refusal(404, "not_found", "there are /health, /ready and /metrics")
_WRONG_METHOD = Refusal(405, "method_not_allowed", "this path takes GET, HEAD", b"allow: GET, HEAD\r\n")


class AdminSite:
    """The admin port of one service: a few pages, made when they are asked for."""

    def __init__(self, connections: Connections, pages: Mapping[bytes, Page]) -> None:
        self.date = b""
        self.is_draining = False
        self.connections = connections
        self._pages = pages

    def refusal(self, exchange: Exchange) -> Refusal | None:
        """Only known pages, only to be read."""
        exchange.path = exchange.target.partition(b"?")[0]
        if exchange.path not in self._pages:
            return _NOT_FOUND
        return None if exchange.method in (b"GET", b"HEAD") else _WRONG_METHOD

    def handle(self, exchange: Exchange) -> None:
        """Show the page."""
        status, body = self._pages[exchange.path]()
        if exchange.path == b"/metrics":
            exchange.answer(status, body, content_type=CONTENT_TYPE)
        else:
            exchange.answer(status, body)

    def abandon(self, exchange: Exchange) -> None:
        """Pages are answered at once; nobody waits for one."""

    def record(self, exchange: Exchange) -> None:
        """Probes and scrapes are neither counted nor logged."""
