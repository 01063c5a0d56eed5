"""How much was asked, how fast it was answered, and what failed: by service, version and day, or any of these.

The engine counts requests by latency; percentiles come from these counts, so that they can be joined over days and
versions, and are the same whatever counted. A percentile is at most 5 % from the exact one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mmgit.frozen import dataclass
from mmgit.telemetry.counting import search

if TYPE_CHECKING:
    import ibis.expr.types as ir

KEYS = ("service", "version", "day")
_BY_DECADE, _LEAST, _DECADES = 50, 1e-4, 7
EDGES = tuple(float(f"{_LEAST * 10 ** (step / _BY_DECADE):.6g}") for step in range(_BY_DECADE * _DECADES + 1))
"""Seconds, from a tenth of a millisecond to a thousand seconds, each 4.7 % more than the one before."""
_BAD_REQUEST, _SERVER_ERROR = 400, 500
_MILLI = 1000
Sums = tuple[int, int, int, int, int]
"""Requests, refused ones, failed ones, bytes in and bytes out."""


@dataclass(frozen=True)
class Figures:
    """What is known of some requests."""

    requests: int
    refused: int
    """Answered with 4xx."""
    failed: int
    """Answered with 5xx."""
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    bytes_in: int
    bytes_out: int

    @property
    def error_share(self) -> float:
        """The share of requests that failed."""
        return self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Counts:
    """Requests of one service, version and day, by the bin of their latency."""

    service: str
    version: str
    day: str
    bins: Mapping[int, Sums]


def counts_of(requests: "ir.Table") -> list[Counts]:
    """Count requests, in one pass."""
    status, seconds = requests.status, requests.seconds
    bins = search(seconds.coalesce(0.0), EDGES).cast("int32")
    rows = requests.select(
        "service",
        version=requests.model + "/" + requests.version,
        day=requests.date,
        bin=bins,
        refused=((status >= _BAD_REQUEST) & (status < _SERVER_ERROR)).cast("int64"),
        failed=(status >= _SERVER_ERROR).cast("int64"),
        bytes_in=requests.bytes_in.coalesce(0),
        bytes_out=requests.bytes_out.coalesce(0),
    )
    summed = {name: rows[name].sum().cast("int64") for name in ("refused", "failed", "bytes_in", "bytes_out")}
    answer = rows.group_by(*KEYS, "bin").agg(requests=rows.count(), **summed).to_pyarrow().to_pylist()
    found: dict[tuple[str, str, str], dict[int, Sums]] = {}
    for row in answer:
        key = (row["service"] or "", row["version"] or "", row["day"] or "")
        sums = (row["requests"], row["refused"], row["failed"], row["bytes_in"], row["bytes_out"])
        found.setdefault(key, {})[row["bin"]] = sums
    return [Counts(*key, bins=bins) for key, bins in sorted(found.items())]


def by(counts: Iterable[Counts], keys: Sequence[str]) -> Iterator[tuple[dict[str, str], Figures]]:
    """The figures of each value of some of the keys, sorted."""
    groups: dict[tuple[str, ...], list[Counts]] = {}
    for each in counts:
        groups.setdefault(tuple(getattr(each, key) for key in keys), []).append(each)
    for values, group in sorted(groups.items()):
        yield dict(zip(keys, values, strict=True)), total(group)


def total(counts: Iterable[Counts]) -> Figures:
    """The figures of all of them."""
    sums, latencies = [0] * 5, [0] * (len(EDGES) + 1)
    for each in counts:
        for at, row in each.bins.items():
            latencies[at] += row[0]
            sums = [one + other for one, other in zip(sums, row, strict=True)]
    requests, refused, failed, bytes_in, bytes_out = sums
    p50, p95, p99 = (_percentile(latencies, part) for part in (0.5, 0.95, 0.99))
    return Figures(requests, refused, failed, p50, p95, p99, bytes_in, bytes_out)


def _percentile(latencies: Sequence[int], part: float) -> float | None:
    """In milliseconds; between the edges of its bin by its place among the rows in it."""
    wanted, seen = part * sum(latencies), 0
    for at, many in enumerate(latencies):
        if many and seen + many >= wanted:
            low, high = EDGES[max(at - 1, 0)], EDGES[min(at, len(EDGES) - 1)]
            value = low * (high / low) ** ((wanted - seen) / many)
            return float(f"{value * _MILLI:.3g}")
        seen += many
    return None
