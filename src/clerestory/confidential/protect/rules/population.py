"""Small populations: numbers about places or groups of few people, from a public reference file.

Source: CalHHS Data De-Identification Guidelines, step 2 (denominator of 20,000); a zero stays, since a
non-event identifies nobody.
"""

from __future__ import annotations

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules.reason import Broken, Reason
from clerestory.policy import Policy


def small_populations(original: OriginalCells, policy: Policy) -> Broken:
    """Cells about fewer people than the policy's minimum, in tables that name a reference file."""
    if original.populations is None:
        return Broken(Reason.POPULATION, np.zeros(len(original.space), dtype=bool))
    about = original.populations
    small = (about >= 0) & (about < policy.minimum_population) & (original.records > 0)
    return Broken(Reason.POPULATION, small)
