"""What a scan says of a model file."""

from collections.abc import Mapping

from mmgit.frozen import dataclass, field
from mmgit.spec.project import Format

CUT_OFF = "it ends in the middle"
"""The doubt about a file that is not whole."""


@dataclass(frozen=True)
class Scanned:
    """What a model file is, and what loading it would import."""

    format: Format
    imports: Mapping[str, int] = field(default_factory=dict)
    """`module:name` -> the byte at which it is first imported."""
    doubts: tuple[str, ...] = ()
    """What could not be told: anything may be behind each."""
