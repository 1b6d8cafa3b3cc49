"""Few contributors: a total of one or two persons or holdings gives each to the other.

Source: the minimum frequency rule, Handbook on Statistical Disclosure Control, section 4.2.1, example 1b.
"""

from __future__ import annotations

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules.reason import Broken, Reason
from clerestory.policy import Policy


def few_contributors(original: OriginalCells, policy: Policy) -> Broken:
    """Cells with fewer contributors than the policy asks for; a cell without any is a true zero."""
    if original.contributions is None or not policy.minimum_contributors:
        return Broken(Reason.CONTRIBUTORS, np.zeros(len(original.space), dtype=bool))
    counted = original.contributions.contributors
    return Broken(Reason.CONTRIBUTORS, (counted > 0) & (counted < policy.minimum_contributors))
