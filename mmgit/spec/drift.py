"""What `mmgit telemetry report` writes: what a model version was asked in an environment, and how far that moved.

It comes from records that clients wrote into, so who judges by it reads it as data.
"""

from typing import Annotated, Literal

from mmgit.spec.fields import Date, Document, List
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Sized, Within

SHOWN_CHARACTERS, BARS_MAX = 200, 40
Level = Literal["none", "some", "much", "unknown"]
_Count = Annotated[int, Within(0)]
_Amount = Annotated[float, Within(0)]
_Share = Annotated[float, Within(0, 1)]
_Shown = Annotated[str, Sized(None, SHOWN_CHARACTERS)]


class Bar(Spec):
    """Some of the values of a feature, and how many rows had them."""

    label: _Shown
    reference: _Count
    current: _Count


class FeatureDrift(Spec):
    """How far one feature moved, by tests that fit its kind; `level` says what its PSI means."""

    name: _Shown
    side: Literal["inputs", "outputs"]
    kind: Literal["number", "category"]
    level: Level
    psi: _Amount
    ks: _Share | None = None
    ks_p: _Share | None = None
    chi_squared: _Amount | None = None
    chi_squared_p: _Share | None = None
    reference_rows: _Count
    current_rows: _Count
    bars: Annotated[List[Bar], Sized(None, BARS_MAX)] = ()


class Traffic(Spec):
    """How much was asked, and how it was answered."""

    requests: _Count
    refused: _Count
    failed: _Count
    p50_ms: _Amount | None = None
    p95_ms: _Amount | None = None
    p99_ms: _Amount | None = None
    bytes_in: _Count = 0
    bytes_out: _Count = 0


class Day(Traffic):
    """The same of one day, by UTC."""

    day: Date


class DriftSpec(Document):
    """What one version of a model was asked by a service in an environment, beside its reference."""

    kind: Literal["Drift"]
    service: _Shown
    environment: _Shown
    version: _Shown
    reference: _Shown
    """What it is compared with, in words."""
    total: Traffic
    days: Annotated[List[Day], Sized(None, 10_000)] = ()
    rows: _Count
    """Rows that were compared."""
    reference_rows: _Count
    psi: _Amount | None
    """The largest of a feature that has rows enough on both sides; none if no feature has."""
    features: Annotated[List[FeatureDrift], Sized(None, 400)] = ()
    only_reference: List[_Shown] = ()
    only_current: List[_Shown] = ()
    free_text: List[_Shown] = ()
