"""Concentration rules for sums: (n,k) dominance, p%, the prior-posterior rule, and their protection levels.

With contributions x1 >= x2 >= ... and total X a cell is sensitive, and its upper protection level is,

    (n,k)   x1 + ... + xn > k/100 X          100/k (x1 + ... + xn) - X
    p%      X - x1 - x2 < p/100 x1           p/100 x1 - (X - x1 - x2)
    (p,q)   X - x1 - x2 < p/q x1             p/q x1 - (X - x1 - x2)

Source: Handbook on Statistical Disclosure Control (Hundepool et al.), section 4.2, tables "Sensitivity rules"
and "Upper protection levels"; Loeve (2001). The arithmetic is exact: parameters are fractions, and levels are
rounded up. Contributions that may be negative are taken by their size, as GaussSuppression does.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import Contributions, OriginalCells
from clerestory.confidential.protect.rules.reason import Broken, Reason
from clerestory.confidential.protect.rules.threshold import of_kind
from clerestory.policy import Dominance, Policy
from clerestory.tables.space import IntArray

Exact = NDArray[np.object_]
"""Whole numbers without a limit, so that a share of a sum near 2^62 does not run over."""


def dominance_level(largest: IntArray, total: IntArray, rule: Dominance) -> IntArray:
    """(cells,) upper protection levels of the (n,k) rule; 0 where the cell is not sensitive.

    largest: (cells, at least n) contributions, descending; total: (cells,).
    """
    top = _exact(largest[:, : rule.contributors]).sum(axis=1)
    part = rule.part
    return _ceiling(top * part.denominator - _exact(total) * part.numerator, part.numerator)


def ratio_level(largest: IntArray, total: IntArray, ratio: Fraction) -> IntArray:
    """(cells,) upper protection levels of the p% rule (ratio p/100) and of the (p,q) rule (ratio p/q).

    largest: (cells, at least 2) contributions, descending; total: (cells,). 0 where not sensitive.
    """
    first, second = _exact(largest[:, 0]), _exact(largest[:, 1])
    rest = _exact(total) - first - second
    return _ceiling(first * ratio.numerator - rest * ratio.denominator, ratio.denominator)


def concentrated(original: OriginalCells, policy: Policy) -> tuple[Broken, ...]:
    """The sums that break each concentration rule of the policy."""
    found = original.contributions
    if found is None:
        return ()
    sums = of_kind(original.space, "sum") & (found.contributors > 0)
    broken = []
    if policy.dominance is not None:
        level = _at(dominance_level, found, sums, policy.dominance)
        broken.append(Broken(Reason.DOMINANCE, level > 0, level))
    if policy.p_percent:
        level = _at(ratio_level, found, sums, Fraction(str(policy.p_percent)) / 100)
        broken.append(Broken(Reason.P_PERCENT, level > 0, level))
    if policy.prior_posterior is not None:
        level = _at(ratio_level, found, sums, policy.prior_posterior.ratio)
        broken.append(Broken(Reason.PRIOR_POSTERIOR, level > 0, level))
    return tuple(broken)


def _at(rule: Any, found: Contributions, sums: NDArray[np.bool_], parameter: Any) -> IntArray:
    """A rule's levels at the sums; 0 elsewhere."""
    level = np.zeros(len(sums), dtype=np.int64)
    level[sums] = rule(found.largest[sums], found.total[sums], parameter)
    return level


def _exact(numbers: IntArray) -> Exact:
    return numbers.astype(object)


def _ceiling(excess: Exact, divisor: int) -> IntArray:
    """excess / divisor, rounded up; 0 where it is not above 0."""
    rounded = -((-excess) // divisor)
    return np.where(excess > 0, rounded, 0).astype(np.int64)
