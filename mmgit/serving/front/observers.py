"""Who is told of every answered request, where it is asked for: the recorder of telemetry, the exporter of traces."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmgit.serving.front.exchange import Exchange
    from mmgit.serving.front.log import Log
    from mmgit.serving.front.metrics import Family
    from mmgit.serving.front.scorers import Scorers
    from mmgit.serving.settings import Settings


class Observer(Protocol):
    """What the front asks of it; none of this may block or fail."""

    def answered(self, exchange: Exchange, route: str, seconds: float) -> None:
        """A request was answered."""

    def families(self) -> list[Family]:
        """What it counts."""

    def flush(self) -> None:
        """Several times a second: go on with what was gathered."""

    def finish(self) -> None:
        """Write or send what is left."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left."""


def observers_of(
    settings: Settings, log: Log, scorers: Scorers, shown: Callable[[], list[Family]]
) -> tuple[Observer, ...]:
    """The observers that the settings ask for; `shown` gives all metrics of the server."""
    found: list[Observer] = []
    if settings.telemetry is not None:
        from mmgit.serving.front.recorder import Recorder  # noqa: PLC0415 - most services record nothing

        recorder = Recorder(settings, settings.telemetry, log)
        scorers.on_collected = recorder.collected
        found.append(recorder)
    if settings.otlp:
        from mmgit.serving.front.otlp.exporter import Exporter  # noqa: PLC0415 - loads ssl and an HTTP client

        found.append(Exporter(settings, os.environ, log, shown))
    return tuple(found)
