"""Rows in, counts by bins out: an engine counts all features in one pass, and what it counts into is decided here.

Edges and categories come from a sample of the reference, so both sides, and every engine, count into the same bins.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from mmgit.frozen import dataclass
from mmgit.telemetry.extra import needed
from mmgit.telemetry.features import Scalar, is_plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

Kind = Literal["number", "category"]
EDGES_MAX = 100
"""With more distinct values than that, a bin holds a hundredth of the sample."""
CATEGORIES_MAX = 20
_NUMBERS_SHARE_MIN = 0.95
_FREE_TEXT_SHARE, _FREE_TEXT_DISTINCT = 0.5, 50
_CODES = 256
"""More than the bins of any feature."""


@dataclass(frozen=True)
class Bins:
    """What the values of one feature are counted into. The last bin is for what is missing."""

    kind: Kind
    edges: tuple[float, ...] = ()
    """Of numbers: bin n holds what is at most edge n, and more than the one before; one bin more is beyond the last."""
    is_exact: bool = False
    """Whether each edge but the first is a value, and there were no others between."""
    categories: tuple[str, ...] = ()
    """Of categories: a bin for each, and one for all others."""

    @property
    def size(self) -> int:
        """How many bins there are."""
        return len(self.edges or self.categories) + 2


def bins_of(sample: Sequence[Scalar]) -> Bins | None:
    """Bins for what looks like these values. None for free text, where nearly every value is another one."""
    known = [value for value in sample if value is not None]
    numbers = [float(value) for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
    finite = sorted(value for value in numbers if math.isfinite(value))
    if finite and len(finite) >= _NUMBERS_SHARE_MIN * len(known):
        distinct = sorted(set(finite))
        edges = _edges(distinct if len(distinct) <= EDGES_MAX else _hundredths(finite))
        return Bins("number", edges=edges, is_exact=len(distinct) <= EDGES_MAX)
    counted = Counter(text_of(value) for value in known)
    if not counted or len(counted) > max(_FREE_TEXT_DISTINCT, _FREE_TEXT_SHARE * len(known)):
        return None
    often = sorted(filter(is_plain, counted), key=lambda text: (-counted[text], text))[:CATEGORIES_MAX]
    return Bins("category", categories=tuple(often))


def text_of(value: Scalar) -> str:
    """A value as a category, as engines read it out of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def counted(rows: "ir.Table", bins: Mapping[str, Bins]) -> dict[str, list[int]]:
    """How many rows are in each bin of each column that is in `bins`."""
    if not bins:
        return {}
    ibis = needed("ibis")
    codes = [ibis.literal(at * _CODES) + _code(rows[name], each) for at, (name, each) in enumerate(bins.items())]
    flat = rows.select(code=ibis.array([code.cast("int32") for code in codes]).unnest())
    answer = flat.group_by("code").agg(rows=flat.count()).to_pyarrow()
    counts = {name: [0] * each.size for name, each in bins.items()}
    names = list(bins)
    for code, many in zip(*(answer[column].to_pylist() for column in ("code", "rows")), strict=True):
        counts[names[code // _CODES]][code % _CODES] = many
    return counts


def _edges(values: Sequence[float]) -> tuple[float, ...]:
    """The values, and one just below the least: what is below, or above all of them, has a bin of its own then."""
    return (math.nextafter(values[0], -math.inf), *values)


def _hundredths(values: Sequence[float]) -> list[float]:
    return sorted({values[round((len(values) - 1) * part / EDGES_MAX)] for part in range(EDGES_MAX + 1)})


def _code(column: "ir.Value", bins: Bins) -> "ir.Value":
    """The number of the bin that a value is in; strings are read as numbers where these are wanted."""
    missing = bins.size - 1
    if bins.kind == "category":
        text = column if column.type().is_string() else column.cast("string")
        known = [(category, at) for at, category in enumerate(bins.categories)]
        return text.isnull().ifelse(missing, text.cases(*known, else_=missing - 1))
    number = column.try_cast("float64") if column.type().is_string() else column.cast("float64")
    return (number.isnull() | number.isnan()).ifelse(missing, search(number, bins.edges))


def search(
    number: "ir.NumericValue", edges: Sequence[float], low: int = 0, high: int | None = None
) -> "ir.IntegerValue":
    """How many of the edges are less than a number: by halves, so that a hundred edges are seven comparisons."""
    high = len(edges) if high is None else high
    if low == high:
        literal: ir.IntegerValue = needed("ibis").literal(low)
        return literal
    middle = (low + high) // 2
    # as text, as DuckDB takes 0.9999999999999999 in SQL for a decimal, which beside a float is 1
    edge = needed("ibis").literal(repr(edges[middle]).replace("inf", "Infinity")).cast("float64")
    found: ir.IntegerValue = (number <= edge).ifelse(
        search(number, edges, low, middle), search(number, edges, middle + 1, high)
    )
    return found
