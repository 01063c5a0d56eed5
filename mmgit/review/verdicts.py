"""What a gate says of one change: passed, failed, or waiting, and until when."""

from collections.abc import Iterable
from typing import Literal

from mmgit.frozen import dataclass

State = Literal["passed", "failed", "waiting"]
_ORDER: tuple[State, ...] = ("failed", "waiting", "passed")


@dataclass(frozen=True)
class Verdict:
    """One gate's answer about one service, or about an environment or the whole change where they are empty."""

    environment: str
    service: str
    gate: str
    state: State
    text: str
    until: str | None = None
    """When it may pass without anybody doing anything: ISO 8601, UTC."""


def overall(verdicts: Iterable[Verdict]) -> State:
    """The worst of them; passed if there are none."""
    found = {verdict.state for verdict in verdicts}
    return next((state for state in _ORDER if state in found), "passed")
