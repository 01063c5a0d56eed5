"""The statistics, beside those of SciPy and by what they must be."""

import math
from collections import Counter

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from mmgit.telemetry import drift

counts = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=2, max_size=40)
values = st.lists(st.integers(-50, 50), min_size=1, max_size=300)


@given(counts)
@example([(1, 0), (0, 1)])
@example([(10**7, 10**7 - 3), (5, 10**7)])
def test_chi_squared_is_scipys(pairs: list[tuple[int, int]]) -> None:
    used = [pair for pair in pairs if any(pair)]
    was, now = zip(*pairs, strict=True)
    assume(len(used) > 1 and sum(was) and sum(now))

    found = drift.chi_squared(was, now)

    expected = stats.chi2_contingency(list(zip(*used, strict=True)), correction=False)
    assert found is not None
    assert 0 <= found.p <= 1
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)


@given(values, values)
def test_kolmogorov_smirnov_is_scipys_where_a_bin_is_a_value(was: list[int], now: list[int]) -> None:
    sides = [[Counter(values)[value] for value in range(-50, 51)] for values in (was, now)]

    found = drift.kolmogorov_smirnov(*sides)

    expected = stats.ks_2samp(was, now, method="asymp")
    z = expected.statistic * math.sqrt(len(was) * len(now) / (len(was) + len(now)))
    assert found is not None
    assert 0 <= found.p <= 1
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p == pytest.approx(stats.kstwobign.sf(z), rel=1e-9, abs=1e-12)


def test_psi_is_the_sum_over_shares() -> None:
    was, now = [50_000, 30_000, 20_000], [30_000, 30_000, 40_000]

    found = drift.psi(was, now)

    assert found == pytest.approx((0.3 - 0.5) * math.log(0.3 / 0.5) + (0.4 - 0.2) * math.log(2), rel=1e-3)
    assert drift.psi(was, was) == 0
    assert drift.psi(now, was) == pytest.approx(found)


@given(counts)
def test_psi_is_finite_and_never_negative(pairs: list[tuple[int, int]]) -> None:
    found = drift.psi(*zip(*pairs, strict=True))

    assert math.isfinite(found)
    assert found >= 0


def test_a_side_that_is_empty_has_no_tests() -> None:
    assert drift.kolmogorov_smirnov([0, 0], [1, 2]) is None
    assert drift.chi_squared([1, 2], [0, 0]) is None
    assert drift.chi_squared([5, 0], [3, 0]) is None
    assert drift.psi([0, 0], [1, 2]) == 0


def test_few_rows_have_no_level() -> None:
    assert drift.level_of(3.0, drift.ROWS_MIN - 1) == "unknown"
    assert [drift.level_of(psi, 100) for psi in (0.09, 0.1, 0.25)] == ["none", "some", "much"]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=150))
def test_groups_are_neighbours_and_hold_a_tenth_or_one_bin_more(reference: list[int]) -> None:
    groups = drift.grouped(reference)

    sums = [sum(reference[group.start : group.stop]) for group in groups]
    assert [at for group in groups for at in group] == list(range(len(reference)))
    assert len(groups) <= drift.GROUPS
    assert all(many <= sum(reference) / drift.GROUPS + max(reference) for many in sums)
