"""Dominance, p% and prior-posterior on the worked examples of the Handbook, and by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.confidential.protect.rules.concentration import dominance_level, ratio_level
from clerestory.policy import Dominance, PriorPosterior


def dominance(contributions: list[int], n: int, k: float, total: int | None = None) -> int:
    largest = [*sorted(contributions, reverse=True)[:3], 0, 0, 0]
    whole = np.array([sum(contributions) if total is None else total])
    return int(dominance_level(np.array([largest[:3]]), whole, Dominance(n, k))[0])


def percent(contributions: list[int], p: float, total: int | None = None) -> int:
    largest = [*sorted(contributions, reverse=True)[:2], 0, 0]
    whole = np.array([sum(contributions) if total is None else total])
    return int(ratio_level(np.array([largest[:2]]), whole, Fraction(str(p)) / 100)[0])


def test_example_1_one_dominates_by_no_rule_but_the_second_knows_the_first_within_two_percent() -> None:
    """Handbook, 4.2.1, example 1: X = 100,000, x1 = 50,000, x2 = 49,000; safe by (1,90)."""
    assert dominance([50_000, 49_000], 1, 90, total=100_000) == 0
    assert percent([50_000, 49_000], 2, total=100_000) == 0  # overestimates by 2 percent exactly
    assert percent([50_000, 49_000], 10, total=100_000) == 4_000  # 10/100 * 50,000 - 1,000


def test_example_2_safe_by_the_p_rule_and_not_by_dominance() -> None:
    """Handbook, 4.2.1, example 2: X = 110,000, x1 = 52,000, x2 = 50,000, p = 10, k = 90.9."""
    assert percent([52_000, 50_000], 10, total=110_000) == 0
    assert dominance([52_000, 50_000], 2, 90.9, total=110_000) > 0


def test_example_4_the_feasible_upper_bound_must_reach_352_94() -> None:
    """Handbook, 4.2.2, example 4: 300, 20 and 10; unsafe by (1,85); 100/85 * 300 = 352.94."""
    level = dominance([300, 20, 10], 1, 85)
    assert 330 + level == 353


def test_example_1b_two_contributors_know_each_other() -> None:
    """Handbook, 4.2.1, example 1b: whatever p, a total of two is sensitive."""
    assert percent([60, 40], 1) == 1
    assert percent([60, 40], 10) == 6


def test_example_1d_one_large_company_and_fifty_small_ones() -> None:
    """Handbook, 4.2.1, example 1d: 99 percent of the turnover is one company's."""
    companies = [4_950, *[1] * 50]
    assert dominance(companies, 1, 90) == 500  # 100/90 * 4,950 - 5,000
    assert percent(companies, 10) == 446  # 495 - 49


def test_a_prior_posterior_rule_is_a_p_rule_with_p_over_q() -> None:
    """Handbook, 4.2.1: p* = 100 p / q."""
    largest, total = np.array([[300, 20]]), np.array([330])
    rule = PriorPosterior(5, 50)
    assert ratio_level(largest, total, rule.ratio).tolist() == [percent([300, 20, 10], 10)] == [20]


def test_one_contributor_alone_is_sensitive_by_every_rule() -> None:
    assert percent([70], 10) == 7
    assert dominance([70], 1, 90) == 8  # 77.8 - 70
    assert dominance([70], 2, 90) == 8


def test_parameters_are_exact_and_sums_do_not_run_over() -> None:
    huge = 1 << 61
    assert percent([huge], 12.5) == huge // 8
    assert dominance([1000, 1], 1, 99.9) == 1
    assert dominance([999, 1], 1, 99.9) == 0  # exactly 99.9 percent is not more


CONTRIBUTIONS = st.lists(st.integers(0, 1000), min_size=1, max_size=8)


@given(contributions=CONTRIBUTIONS, p=st.sampled_from([1.0, 5.0, 12.5, 25.0, 60.0]))
def test_the_level_is_the_least_that_keeps_the_second_from_knowing_the_first(
    contributions: list[int], p: float
) -> None:
    """Handbook, 4.2.2, example 5: X + U - x2 >= (1 + p/100) x1 and no smaller whole U does."""
    first, second, *_ = [*sorted(contributions, reverse=True), 0]
    level = percent(contributions, p)
    enough = Fraction(str(p)) / 100 * first + first
    assert sum(contributions) + level - second >= enough
    assert level == 0 or sum(contributions) + level - 1 - second < enough


@given(contributions=CONTRIBUTIONS, n=st.integers(1, 3), k=st.sampled_from([60.0, 85.0, 99.5]))
def test_the_level_is_the_least_total_that_the_largest_do_not_dominate(
    contributions: list[int], n: int, k: float
) -> None:
    top = sum(sorted(contributions, reverse=True)[:n])
    level = dominance(contributions, n, k)
    part = Fraction(str(k)) / 100
    assert top <= part * (sum(contributions) + level)
    assert level == 0 or top > part * (sum(contributions) + level - 1)


@pytest.mark.parametrize("p", [10.0, 25.0])
@given(contributions=CONTRIBUTIONS)
def test_what_dominance_calls_safe_the_matching_p_rule_calls_safe(contributions: list[int], p: float) -> None:
    """Handbook, 4.2.1, A: k = 100 * 100 / (100 + p)."""
    largest = [*sorted(contributions, reverse=True), 0]
    safe = (largest[0] + largest[1]) * (100 + p) <= 100 * sum(contributions)
    assert not safe or percent(contributions, p) == 0
