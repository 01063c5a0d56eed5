"""Settings in, a running service until SIGTERM, an exit status out: where the parts of the front are put together.

Drain: readiness fails first, the listener stays for `drain_seconds`, what was accepted is answered, and all ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from mmgit.serving.front.admin_site import AdminSite
from mmgit.serving.front.admission import Admission
from mmgit.serving.front.connection import Connection, Site
from mmgit.serving.front.connections import Connections
from mmgit.serving.front.documents import read_documents, read_schema
from mmgit.serving.front.exposition import page_of
from mmgit.serving.front.gauges import Gauges
from mmgit.serving.front.keys import Keys
from mmgit.serving.front.launch import launch_of, processors
from mmgit.serving.front.listener import listening_socket
from mmgit.serving.front.log import Log
from mmgit.serving.front.metrics import Family, Metrics
from mmgit.serving.front.observers import observers_of
from mmgit.serving.front.orphans import reap_orphans
from mmgit.serving.front.scorers import Scorers
from mmgit.serving.front.service_site import ServiceSite, base_path
from mmgit.serving.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_TICK_SECONDS = 0.1
_TICKS_PER_SWEEP = 10
_WAIT_SECONDS = 0.02
_STOP_SECONDS = 2.0
_FINISH_SECONDS = 5.0
_BACKLOG = 1024
_ADMIN_HELD_BYTES_MAX = 1024 * 1024


def serve(image_facts: Path, settings_folder: Path, keys_folder: Path) -> int:
    """Serve until told to stop: 0 after a drain, 1 when the service cannot run, 2 for wrong settings."""
    try:
        settings = load(image_facts, settings_folder, keys_folder, os.environ)
        documents = read_documents(Path(settings.scoring_folder), base_path(settings.service))
    except SettingsError as error:
        print(f"mmgit: {error}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    return _runner()(_serve(settings, documents))


async def _serve(settings: Settings, documents: dict[str, bytes]) -> int:
    return await Server(settings, documents).run()


def _runner() -> Callable[[Coroutine[Any, Any, int]], int]:
    """The loop of uvloop where there is a wheel for this interpreter, else of asyncio."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return asyncio.run
    return uvloop.run


class Server:
    """One service: two ports, its scorers, its log."""

    def __init__(self, settings: Settings, documents: dict[str, bytes]) -> None:
        self._settings = settings
        self._log = Log()
        self._metrics = Metrics()
        self._keys = None if settings.authentication == "none" else Keys(Path(settings.keys_folder), settings.keys_text)
        self._scorers = Scorers(settings, launch_of(settings, os.environ), self._log, self._metrics)
        self._observers = observers_of(settings, self._log, self._scorers, self._families)
        self._admission = Admission(self._scorers, self._metrics, settings, processors=processors())
        self._site = ServiceSite(
            settings,
            Connections(2 * settings.max_body_bytes),
            keys=self._keys,
            admission=self._admission,
            scorers=self._scorers,
            documents=documents,
            schema=read_schema(Path(settings.scoring_folder), settings.image.schema),
            log=self._log,
            metrics=self._metrics,
            observers=self._observers,
        )
        self._gauges = Gauges(settings, self._admission, self._scorers, self._site, self._keys, self._log)
        pages = {b"/health": self._health, b"/ready": self._gauges.ready_page, b"/metrics": self._metrics_page}
        self._admin = AdminSite(Connections(_ADMIN_HELD_BYTES_MAX), pages)
        self._stop_asked = asyncio.Event()
        self._hurry_asked = asyncio.Event()
        self._ticks = 0

    async def run(self) -> int:
        """Serve until a signal comes or the scorers are given up."""
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self._ask_to_stop)
        self._tick()
        public = await self._listen(self._site, self._settings.port)
        admin = await self._listen(self._admin, self._settings.admin_port)
        loop_name = type(loop).__module__.partition(".")[0]
        self._log.line("info", "listening", port=_port_of(public), admin_port=_port_of(admin), loop=loop_name)
        self._scorers.start()
        stop = loop.create_task(self._stop_asked.wait())
        await asyncio.wait((stop, self._scorers.given_up), return_when=asyncio.FIRST_COMPLETED)
        if self._stop_asked.is_set():
            await self._drain(public)
        self._scorers.stop()
        await self._until(lambda: not self._scorers.is_running, _STOP_SECONDS)
        self._scorers.kill()
        for observer in self._observers:
            observer.finish()
        await self._until(lambda: all(observer.is_finished for observer in self._observers), _FINISH_SECONDS)
        for observer in self._observers:
            observer.flush()  # says what went wrong at the end
        return self._farewell()

    async def _listen(self, site: Site, port: int) -> asyncio.AbstractServer:
        sock = listening_socket(self._settings.bind, port)
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Connection(site), sock=sock, backlog=_BACKLOG)

    def _tick(self) -> None:
        asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)  # whatever happens now
        now = monotonic()
        self._admission.expire(now)
        self._scorers.check(now)
        if self._ticks % _TICKS_PER_SWEEP == 0:
            self._sweep(now)
        self._ticks += 1
        for observer in self._observers:
            observer.flush()
        self._log.flush()

    def _sweep(self, now: float) -> None:
        """What is looked after once a second."""
        self._site.date = self._admin.date = http_date(time.time())
        self._site.connections.close_overdue(now)
        self._admin.connections.close_overdue(now)
        if self._keys is not None:
            fault = self._keys.refresh()
            if fault is not None:
                self._log.line("error", "keys_broken", message=fault)
        reap_orphans(self._scorers.pids)

    def _ask_to_stop(self) -> None:
        """The first signal drains, the second one does not wait for anybody."""
        (self._hurry_asked if self._stop_asked.is_set() else self._stop_asked).set()

    async def _drain(self, public: asyncio.AbstractServer) -> None:
        self._log.line("info", "draining", seconds=self._settings.drain_seconds)
        self._site.is_draining = True
        connections = self._site.connections
        was_ready = self._scorers.ready > 0
        await self._until(lambda: not was_ready, self._settings.drain_seconds)
        public.close()
        await self._until(connections.close_idle, self._settings.timeout_seconds + 1)
        connections.abort()

    async def _until(self, is_done: Callable[[], bool], seconds_max: float) -> None:
        """Wait, but not when somebody is in a hurry."""
        give_up_at = monotonic() + seconds_max
        while not (  # noqa: ASYNC110 - connections and processes are asked, none of them tells
            is_done() or self._hurry_asked.is_set() or monotonic() >= give_up_at
        ):
            await asyncio.sleep(_WAIT_SECONDS)

    def _farewell(self) -> int:
        status = 0
        if self._scorers.given_up.done():
            reason = self._scorers.given_up.result()
            self._log.line("error", "given_up", message=reason)
            print(f"mmgit: the service cannot run: {reason}", file=sys.stderr)  # noqa: T201 - for the person at a terminal
            status = 1
        self._log.line("info", "stopped", status=status)
        self._log.close()
        return status

    def _health(self) -> tuple[int, bytes]:
        return 200, b'{"healthy":true}'

    def _families(self) -> list[Family]:
        observed = [family for observer in self._observers for family in observer.families()]
        return [*self._metrics.families(), *self._gauges.families(), *observed]

    def _metrics_page(self) -> tuple[int, bytes]:
        return 200, page_of(self._families(), (("service", self._settings.service),))


def http_date(seconds: float) -> bytes:
    """A time as HTTP writes it. No locale is ever set here; `email.utils` would take 400 KiB of memory."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds)).encode("ascii")


def _port_of(server: asyncio.AbstractServer) -> int:
    sockets: tuple[Any, ...] = server.sockets  # type: ignore[attr-defined]
    return int(sockets[0].getsockname()[1])
