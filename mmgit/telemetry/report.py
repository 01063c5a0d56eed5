"""What was counted and compared in, a report out: for gates as data, for people as a page."""

from collections.abc import Iterable, Sequence

from mmgit.frozen import asdict, dataclass
from mmgit.spec.drift import SHOWN_CHARACTERS, Bar, Day, DriftSpec, FeatureDrift, Traffic
from mmgit.telemetry import figures
from mmgit.telemetry.comparing import Comparison, Moved
from mmgit.telemetry.figures import Counts


@dataclass(frozen=True)
class Subject:
    """Whose records they are, and what they are compared with."""

    service: str
    environment: str
    version: str
    reference: str


def report_of(subject: Subject, counts: Sequence[Counts], comparison: Comparison) -> DriftSpec:
    """The report."""
    features = comparison.features
    return DriftSpec(
        apiVersion="mmgit.dev/v1",
        kind="Drift",
        **{name: _short(text) for name, text in asdict(subject).items()},
        total=Traffic(**asdict(figures.total(counts))),
        days=tuple(Day(day=values["day"], **asdict(each)) for values, each in figures.by(counts, ("day",))),
        rows=max((each.current_rows for each in features), default=0),
        reference_rows=max((each.reference_rows for each in features), default=0),
        psi=comparison.psi,
        features=tuple(_feature(each) for each in features),
        only_reference=_names(comparison.only_reference),
        only_current=_names(comparison.only_current),
        free_text=_names(comparison.free_text),
    )


def _feature(moved: Moved) -> FeatureDrift:
    tests = {"ks": moved.ks, "chi_squared": moved.chi_squared}
    known = {name: test for name, test in tests.items() if test is not None}
    return FeatureDrift(
        name=_short(moved.name),
        side=moved.side,
        kind=moved.kind,
        level=moved.level,
        psi=moved.psi,
        **{name: test.statistic for name, test in known.items()},
        **{f"{name}_p": test.p for name, test in known.items()},
        reference_rows=moved.reference_rows,
        current_rows=moved.current_rows,
        bars=tuple(Bar(label=_short(bar.label), reference=bar.reference, current=bar.current) for bar in moved.bars),
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_short, names))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
