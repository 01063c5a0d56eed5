"""What `mmgit try` writes: how candidates predict beside what runs. It comes from a job that ran people's code."""

from typing import Annotated, Literal

from mmgit.spec.fields import Count, Digest, Document, List, Reference
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Sized, Within

_Amount = Annotated[float, Within(0)]
_Rows = Annotated[int, Within(0, 4_000)]
_Shown = Annotated[str, Sized(None, 200)]


class Tried(Spec):
    """An image, and how it answered the rows."""

    manifest: Reference
    image: Digest
    size_bytes: Count
    """As nodes of the platform that was tried pull it."""
    latency_ms: _Amount | None = None
    """The median of a request, over loopback, one at a time; none if nothing was answered."""
    refused: _Rows = 0
    """Rows that it answered with an error, or not at all."""
    unexpected: _Rows = 0
    """Golden rows that it did not answer as recorded."""


class Example(Spec):
    """A row whose prediction changed."""

    row: _Shown
    running: _Shown
    candidate: _Shown


class Comparison(Spec):
    """A candidate beside what runs; without that for a service that is new."""

    running: Tried | None = None
    candidate: Tried
    rows: _Rows
    changed: _Rows
    """Rows whose answers differ by more than rounding."""
    max_difference: _Amount | None = None
    """The farthest that a number moved; none if answers differ otherwise than in numbers."""
    examples: Annotated[List[Example], Sized(None, 10)] = ()


class PredictionsSpec(Document):
    """Comparisons of one change, all made in the same way."""

    kind: Literal["Predictions"]
    runner: Literal["container", "process"]
    platform: _Shown
    comparisons: Annotated[List[Comparison], Sized(None, 10_000)] = ()
