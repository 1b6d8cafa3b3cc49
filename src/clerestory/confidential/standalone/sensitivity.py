"""Which sums give a contributor away, and how far other values must stay feasible around them.

A cell is sensitive where a rule asks for a distance above 0; the formulas are those of the rules of projects.
Source: Hundepool et al., Handbook on Statistical
Disclosure Control, ch. 4, sensitivity rules and upper protection levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from clerestory.confidential.protect.rules.concentration import dominance_level, ratio_level
from clerestory.confidential.standalone.contributions import Contributions
from clerestory.errors import InputError
from clerestory.policy import Dominance
from clerestory.tables.space import IntArray


@dataclass(frozen=True)
class SumRules:
    """The rules that are asked for, None for those that are not.

    p: percent; pq: (p, q) in percent; dominance: (n, k), k in percent; contributors: the fewest; few_range:
    percent of the sum that must stay feasible on both sides where there are fewer.
    """

    p: float | None
    pq: tuple[float, float] | None
    dominance: tuple[int, float] | None
    contributors: int | None
    few_range: float = 10.0

    def __post_init__(self) -> None:
        p, q = self.pq if self.pq is not None else (1.0, 100.0)
        n, k = self.dominance if self.dominance is not None else (1, 50.0)
        bad = (
            "p is above 0 and at most 100 percent"
            if self.p is not None and not 0 < self.p <= 100
            else "of p and q, 0 < p < q <= 100 percent"
            if not 0 < p < q <= 100
            else "dominance is n, 1 or more, and k, above 0 and below 100 percent"
            if n < 1 or not 0 < k < 100
            else "there is at least 1 contributor"
            if self.contributors is not None and self.contributors < 1
            else ""
        )
        if bad:
            raise InputError(bad, where="the rules for sums", fix="p = 10, or n = 2 and k = 85, say")

    @property
    def depth(self) -> int:
        """How many of the largest contributions the rules look at."""
        return max(2, self.dominance[0] if self.dominance is not None else 0)

    def __str__(self) -> str:
        """In words."""
        parts = []
        if self.p is not None:
            parts.append(f"p% rule with p = {self.p:g}")
        if self.pq is not None:
            parts.append(f"pq rule with p = {self.pq[0]:g}, q = {self.pq[1]:g}")
        if self.dominance is not None:
            parts.append(f"({self.dominance[0]},{self.dominance[1]:g}) dominance rule")
        if self.contributors is not None:
            parts.append(f"at least {self.contributors} contributors")
        return ", ".join(parts)


def protection_levels(found: Contributions, rules: SumRules) -> IntArray:
    """(cells,) the distance above and below each sum that must stay feasible, 0 where it is not sensitive."""
    sums, largest = found.sums, found.largest
    levels = np.zeros(len(sums), dtype=np.int64)
    if rules.p is not None:
        levels = np.maximum(levels, ratio_level(largest, sums, _exact(rules.p) / 100))
    if rules.pq is not None:
        p, q = rules.pq
        levels = np.maximum(levels, ratio_level(largest, sums, _exact(p) / _exact(q)))
    if rules.dominance is not None:
        levels = np.maximum(levels, dominance_level(largest, sums, Dominance(*rules.dominance)))
    if rules.contributors is not None:
        few = (found.contributors > 0) & (found.contributors < rules.contributors)
        some = np.ceil(rules.few_range / 100 * sums - 1e-9).astype(np.int64)
        levels = np.maximum(levels, np.where(few, some, 0))
    return np.where(sums > 0, levels, 0)


def _exact(percent: float) -> Fraction:
    return Fraction(str(percent))
