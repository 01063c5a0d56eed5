"""Two sides of rows in, how far each feature moved out."""

from collections.abc import Iterator, Mapping, Sequence

from mmgit.frozen import dataclass
from mmgit.telemetry import drift
from mmgit.telemetry.counting import Bins, Kind, bins_of
from mmgit.telemetry.features import Feature, Side
from mmgit.telemetry.rows import Rows

_DIGITS = 4
_LARGE = 1e9


@dataclass(frozen=True)
class Bar:
    """A bin as people see it, and its rows on both sides."""

    label: str
    reference: int
    current: int


@dataclass(frozen=True)
class Moved:
    """How far one feature is from its reference."""

    name: str
    side: Side
    kind: Kind
    level: drift.Level
    psi: float
    ks: drift.Test | None
    chi_squared: drift.Test | None
    bars: tuple[Bar, ...]
    reference_rows: int
    current_rows: int


@dataclass(frozen=True)
class Comparison:
    """All features that both sides have, those that moved farthest first, and the names of the others."""

    features: tuple[Moved, ...]
    only_reference: tuple[str, ...]
    only_current: tuple[str, ...]
    free_text: tuple[str, ...]

    @property
    def psi(self) -> float | None:
        """The largest of those that have rows enough to say so; None if none has."""
        return max((each.psi for each in self.features if each.level != "unknown"), default=None)


def compare(current: Rows, reference: Rows) -> Comparison:
    """Count both sides into bins of the reference, and say how far they are apart."""
    now, was = (
        {feature.name: (feature, cells) for feature, cells in side.sample().items()} for side in (current, reference)
    )
    bins = {name: bins_of(was[name][1]) for name in now if name in was}
    known = {name: each for name, each in bins.items() if each is not None}
    counts = [
        _by_name(side, {found[name][0]: known[name] for name in known})
        for side, found in ((reference, was), (current, now))
    ]
    moved = (_moved(now[name][0], known[name], counts[0][name], counts[1][name]) for name in known)
    return Comparison(
        tuple(sorted(moved, key=lambda each: (each.level == "unknown", -each.psi, each.name))),
        only_reference=tuple(sorted(was.keys() - now.keys())),
        only_current=tuple(sorted(now.keys() - was.keys())),
        free_text=tuple(sorted(name for name, each in bins.items() if each is None)),
    )


def _by_name(side: Rows, bins: Mapping[Feature, Bins]) -> dict[str, Sequence[int]]:
    return {feature.name: counts for feature, counts in side.counts(bins).items()}


def _moved(feature: Feature, bins: Bins, was: Sequence[int], now: Sequence[int]) -> Moved:
    bars = tuple(_number_bars(bins, was, now) if bins.kind == "number" else _category_bars(bins, was, now))
    rows = sum(was), sum(now)
    sides = [bar.reference for bar in bars], [bar.current for bar in bars]
    index = round(drift.psi(*sides), _DIGITS)
    return Moved(
        name=feature.name,
        side=feature.root.side,
        kind=bins.kind,
        level=drift.level_of(index, min(rows)),
        psi=index,
        ks=drift.kolmogorov_smirnov(was[:-1], now[:-1]) if bins.kind == "number" else None,
        chi_squared=drift.chi_squared(*sides) if bins.kind == "category" else None,
        bars=bars,
        reference_rows=rows[0],
        current_rows=rows[1],
    )


def _number_bars(bins: Bins, was: Sequence[int], now: Sequence[int]) -> Iterator[Bar]:
    """Tenths of the reference; what is below or beyond all of the sample that the edges are from; what is missing."""
    edges, beyond = bins.edges, len(bins.edges)
    yield from _if_any(f"< {_shown(edges[1])}", was[0], now[0])
    for group in drift.grouped(was[1:beyond]):
        low, high = _shown(edges[max(group.start + bins.is_exact, 1)]), _shown(edges[group.stop])
        sums = (sum(side[group.start + 1 : group.stop + 1]) for side in (was, now))
        yield Bar(low if low == high else f"{low} – {high}", *sums)
    yield from _if_any(f"> {_shown(edges[-1])}", was[beyond], now[beyond])
    yield from _if_any("missing", was[-1], now[-1])


def _category_bars(bins: Bins, was: Sequence[int], now: Sequence[int]) -> Iterator[Bar]:
    for label, *pair in zip([*bins.categories, "others", "missing"], was, now, strict=True):
        yield from _if_any(label, *pair)


def _if_any(label: str, was: int, now: int) -> Iterator[Bar]:
    if was or now:
        yield Bar(label, was, now)


def _shown(value: float) -> str:
    rounded = float(f"{value:.{_DIGITS}g}")
    return f"{rounded:,.9g}" if abs(rounded) < _LARGE else f"{value:.{_DIGITS}g}"
