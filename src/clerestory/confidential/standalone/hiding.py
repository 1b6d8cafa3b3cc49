"""Hides sums: those that give a contributor away, and more until every hidden one is far enough from known.

Source: complementary suppression with upper and lower protection levels, Handbook on Statistical Disclosure
Control, ch. 4; single contributors, tau-ARGUS User's Manual, "singletons".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.suppress import suppress
from clerestory.confidential.protection_levels import ProtectionLevels
from clerestory.confidential.standalone.contributions import Contributions
from clerestory.policy import Policy
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
Progress = Callable[[str], None]

_NO_COUNTS = Policy("sums", "the rules that are asked for", minimum_count=0, interval_width=0)
"""Sums say nothing of how many they are of, and how wide each must be is a share of it."""


@dataclass(frozen=True, eq=False)
class HiddenSums:
    """hidden, primary: (cells,) bool."""

    hidden: BoolArray
    primary: BoolArray


def hide_sums(
    found: Contributions,
    levels: IntArray,
    *,
    within: float,
    seed: int,
    progress: Progress | None = None,
) -> HiddenSums:
    """Which sums are hidden so that each can be larger and smaller by its level, and by `within` percent.

    levels: (cells,) of the sensitive ones, else 0. A sum of u units stays at least 1, so what it cannot be
    smaller it can be larger. Raises Refused, naming the cell, where no set of hidden cells is enough;
    Undecided at the limits of the attack.
    """
    need = np.maximum(levels, np.ceil(within / 100 * found.sums - 1e-9).astype(np.int64))
    lower = np.minimum(need, np.maximum(found.sums - 1, 0))
    primary = (levels > 0) & (found.sums > 0)
    hidden = suppress(
        relations(found.space),
        OriginalCells(found.space, found.sums, found.contributors, None),
        _NO_COUNTS,
        primary,
        levels=ProtectionLevels(2 * need - lower, lower, primary, found.contributors == 1),
        seed=seed,
        progress=progress,
    )
    return HiddenSums(hidden, primary)
