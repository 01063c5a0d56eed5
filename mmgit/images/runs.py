"""What made a model, as a tracker of experiments knows it."""

from collections.abc import Mapping

from mmgit.frozen import dataclass, field


@dataclass(frozen=True)
class Run:
    """A run, by the address where people look at it."""

    address: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    commit: str = ""
    ended_on: str = ""
    """The day, in UTC."""
