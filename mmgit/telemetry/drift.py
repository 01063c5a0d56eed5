"""How far two distributions are apart, from counts alone. Pure, and the same whatever engine counted."""

import math
from collections.abc import Sequence
from typing import Literal

from mmgit.frozen import dataclass

Level = Literal["none", "some", "much", "unknown"]
SOME, MUCH = 0.1, 0.25
"""From which PSI on a distribution moved some, or much: what the credit industry, which PSI is from, goes by."""
ROWS_MIN = 50
"""Fewer on either side say nothing of a distribution."""
GROUPS = 10
_PRIOR = 0.5
_TERMS_MAX = 10_000
_CLOSE = 1e-15
_TINY = 1e-300
_NEVER_BELOW = 1.18
"""Below it the two forms of Kolmogorov's distribution swap which one converges at once."""


@dataclass(frozen=True)
class Test:
    """A statistic, and how likely it would be at least that large if nothing had moved."""

    statistic: float
    p: float


def psi(reference: Sequence[int], current: Sequence[int]) -> float:
    """The population stability index of two sides over the same bins.

    Half a row is added to each bin of each side (Jeffreys' prior), so that an empty one does not make it infinite.
    """
    used = [(was, now) for was, now in zip(reference, current, strict=True) if was or now]
    totals = sum(was for was, _ in used), sum(now for _, now in used)
    wholes = [total + _PRIOR * len(used) for total in totals]
    shares = [((was + _PRIOR) / wholes[0], (now + _PRIOR) / wholes[1]) for was, now in used]
    return sum((now - was) * math.log(now / was) for was, now in shares) if all(totals) else 0.0


def level_of(index: float, rows: int) -> Level:
    """What a PSI means, of a feature whose smaller side has so many rows."""
    if rows < ROWS_MIN:
        return "unknown"
    return "much" if index >= MUCH else "some" if index >= SOME else "none"


def kolmogorov_smirnov(reference: Sequence[int], current: Sequence[int]) -> Test | None:
    """The two-sample test over ordered bins; exact if no bin holds two values, else too small by a bin's share at most.

    None where a side is empty. p is asymptotic: Kolmogorov's distribution. Source: Numerical Recipes, 3rd ed., 6.14.12.
    """
    many, few = sum(reference), sum(current)
    if not many or not few:
        return None
    farthest = was = now = 0
    for before, after in zip(reference, current, strict=True):
        was, now = was + before, now + after
        farthest = max(farthest, abs(was * few - now * many))
    distance = farthest / (many * few)
    return Test(distance, _above_kolmogorov(distance * math.sqrt(many * few / (many + few))))


def chi_squared(reference: Sequence[int], current: Sequence[int]) -> Test | None:
    """The test of homogeneity over categories, without a correction; None where a side or a second one is missing."""
    used = [(was, now) for was, now in zip(reference, current, strict=True) if was or now]
    totals = sum(was for was, _ in used), sum(now for _, now in used)
    if len(used) < 2 or not all(totals):  # noqa: PLR2004 - one category is always the same
        return None
    statistic = 0.0
    for pair in used:
        for seen, total in zip(pair, totals, strict=True):
            expected = sum(pair) * total / sum(totals)
            statistic += (seen - expected) ** 2 / expected
    return Test(statistic, _above_gamma((len(used) - 1) / 2, statistic / 2))


def grouped(reference: Sequence[int]) -> list[range]:
    """Ordered bins as about ten groups of neighbours, each with about as many rows of the reference."""
    total, seen, begin, ended = sum(reference), 0, 0, 0
    groups: list[range] = []
    for at, count in enumerate(reference):
        seen += count
        if count and seen * GROUPS >= total * (ended + 1):
            groups.append(range(begin, at + 1))
            begin, ended = at + 1, seen * GROUPS // total
    if begin < len(reference):  # nothing of the reference is there
        groups = [*groups[:-1], range(groups[-1].start if groups else 0, len(reference))]
    return groups


def _above_kolmogorov(z: float) -> float:
    if z <= 0:
        return 1.0
    if z < _NEVER_BELOW:
        term = math.exp(-(math.pi**2) / (8 * z * z))
        return _share(1 - math.sqrt(2 * math.pi) / z * (term + term**9 + term**25 + term**49))
    term = math.exp(-2 * z * z)
    return _share(2 * (term - term**4 + term**9))


def _above_gamma(a: float, x: float) -> float:
    """The regularized incomplete gamma function Q(a, x), by its series or its continued fraction (Lentz)."""
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, _TERMS_MAX):
            term *= x / (a + n)
            total += term
            if term < total * _CLOSE:
                break
        return _share(1 - front * total)
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for n in range(1, _TERMS_MAX):
        weight, b = -n * (n - a), b + 2
        d = 1 / (weight * d + b or _TINY)
        c = b + weight / c or _TINY
        fraction *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return _share(front * fraction)


def _share(value: float) -> float:
    """A probability, where rounding made it a little less than nothing or more than all."""
    return min(max(value, 0.0), 1.0)
