"""The parts of a running front in; what is true of them now out, for the pages of the admin port."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mmgit.serving.front.metrics import Family, single

if TYPE_CHECKING:
    from mmgit.serving.front.admission import Admission
    from mmgit.serving.front.keys import Keys
    from mmgit.serving.front.log import Log
    from mmgit.serving.front.scorers import Scorers
    from mmgit.serving.front.service_site import ServiceSite
    from mmgit.serving.settings import Settings


class Gauges(NamedTuple):
    """What is asked when somebody looks."""

    settings: Settings
    admission: Admission
    scorers: Scorers
    site: ServiceSite
    keys: Keys | None
    log: Log

    def families(self) -> list[Family]:
        """The present, and what the parts count by themselves."""
        ready, keys, connections = self.scorers.ready, self.keys, self.site.connections
        return [
            single("mmgit_queue_requests", "Requests that wait for a scorer.", self.admission.waiting),
            single("mmgit_queue_capacity_requests", "Requests that may wait for a scorer.", self.settings.queue),
            single("mmgit_scorers", "Scorers declared.", self.settings.concurrency),
            single("mmgit_scorers_ready", "Scorers that are up.", ready),
            single("mmgit_scorers_busy", "Scorers that score.", ready - len(self.scorers.idle)),
            single("mmgit_scorers_spare", "Scorers that are up and wait to replace one.", self.scorers.spares),
            single("mmgit_connections", "Open connections to the public port.", len(connections)),
            single("mmgit_held_bytes", "Bytes of bodies and unread answers held.", connections.held_bytes),
            single("mmgit_keys", "Keys in force.", len(keys or ())),
            single("mmgit_keys_broken", "1 while the keys file cannot be understood.", bool(keys and keys.is_broken)),
            single("mmgit_log_lines_dropped_total", "Log lines that nobody read in time.", self.log.dropped_lines),
        ]

    def ready_page(self) -> tuple[int, bytes]:
        """Whether new requests should be sent here, and if not, why not."""
        if self.site.is_ready:
            return 200, b'{"ready":true}'
        found = self.scorers.unready
        if self.site.is_draining:
            found = {**found, "draining": "the server was told to stop; what it accepted is answered"}
        reasons = [{"code": code, "message": message} for code, message in found.items()]
        return 503, msgspec.json.encode({"ready": False, "reasons": reasons})
