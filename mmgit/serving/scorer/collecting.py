"""What the scoring code collects beside its result in, a line of the log that says how much it was out.

The one place that all of it passes; the data itself goes nowhere yet, least of all into the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .log import RequestLog

_TEXT_CHARACTERS_MAX = 200


class Collecting:
    """Counts what is collected, once there is a log."""

    def __init__(self) -> None:
        self._log: RequestLog | None = None

    def begin(self, log: RequestLog) -> None:
        """Lines go to `log` from here on."""
        self._log = log

    def collect(self, *, model: str, identifier: str, rows: int, correlation_id: str) -> None:
        """Say that rows were collected for the request under way."""
        if self._log is None:
            return
        texts = {"model": model, "identifier": identifier, "correlation_id": correlation_id}
        said: dict[str, Any] = {name: text[:_TEXT_CHARACTERS_MAX] for name, text in texts.items() if text}
        self._log.line("info", "collected", **said, rows=rows)


collecting = Collecting()
"""Of this process: the scoring code reaches it through the shim in `mmgit.shim`, which knows this module's name."""
