"""Protection levels: how far from the true value the ends of a hidden cell's interval must be, on both sides.

Confidential: levels follow from the contributions behind a cell, so nothing public says them.
Source: Handbook on Statistical Disclosure Control, section 4.2.2 (protection levels); single contributors:
tau-ARGUS User's Manual, "singletons".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Levels
from clerestory.attack.history import History
from clerestory.attack.relations import Relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules import Primary
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class ProtectionLevels:
    """What is asked of cells if they are hidden, besides the policy's width.

    upper, lower: (cells,) a value so far above, and one so far below, the true one must stay feasible; 0
    where nothing is asked. sensitive: (cells,) those that give a contributor away; single: (cells,) those
    that one contributor alone makes up, who knows them.
    """

    upper: IntArray
    lower: IntArray
    sensitive: BoolArray
    single: BoolArray

    def __repr__(self) -> str:
        return f"ProtectionLevels(cells={len(self.upper)}, values=<confidential>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("protection levels are not pickled")

    def ends(self, values: IntArray) -> Levels:
        """What the largest and the smallest feasible value of each cell must reach, by the true values."""
        least = np.where(self.upper > 0, values + self.upper, 0)
        most = np.where(self.lower > 0, values - self.lower, np.iinfo(np.int64).max)
        return least, most

    def joint(self, past: History) -> ProtectionLevels:
        """The same for the linked tables of all releases; what earlier ones tell is past protecting."""
        cells, left = len(past.space), ~past.known
        upper, lower = np.zeros((2, cells), dtype=np.int64)
        sensitive, single = np.zeros((2, cells), dtype=bool)
        upper[past.current], lower[past.current] = self.upper * left, self.lower * left
        sensitive[past.current], single[past.current] = self.sensitive & left, self.single & left
        return ProtectionLevels(upper, lower, sensitive, single)

    def told_by_one(self, rules: Relations, hidden: BoolArray) -> IntArray:
        """Lines with a shown total and two unknown parts, both sensitive and one a single contributor's.

        He knows his own part, and so the other one exactly.
        """
        if not self.single.any():
            return np.zeros(0, dtype=np.int64)
        lines = np.flatnonzero(rules.parents >= 0)
        matrix = rules.matrix[lines]
        cells, none = len(hidden), np.zeros(rules.variables, dtype=np.int64)
        unknown, single, asked = none + 1, none.copy(), none.copy()
        unknown[:cells] = hidden
        single[:cells], asked[:cells] = hidden & self.single, hidden & self.sensitive
        parents = rules.parents[lines]
        # In a row the parent has the factor 1 and each part -1.
        known = unknown[parents] == 0
        two = (-(matrix @ unknown) == 2) & (-(matrix @ asked) == 2)
        return np.asarray(lines[known & two & (-(matrix @ single) > 0)])


def protection_levels(
    original: OriginalCells, found: Primary, rules: Relations, insiders: int = 1
) -> ProtectionLevels:
    """What the rules that primary suppressions break ask for; rules: relations(original.space).

    A hidden number that the public knows not to be 0 cannot be smaller than that, so no more is asked; nor
    than what a reader has himself of it (insiders: records).
    """
    floor = rules.floor(original.space.may_hide_zeros, insiders)[: len(original.space)]
    lower = np.clip(found.lower, 0, np.maximum(original.values - floor, 0))
    return ProtectionLevels(found.upper, lower, found.upper > 0, found.single)
