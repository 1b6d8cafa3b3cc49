"""Attribute disclosure: everyone, or all but a few, of a visible group in one category of a sensitive field.

15 of 15 denied tells about each of the 15, whatever the size of the group. The part is hidden; what the rest
of the group must be able to be is a linear form, group - part >= minimum, which the audit holds open.
Source: Handbook on Statistical Disclosure Control, section 5.2 (group attribute disclosure); NCES 2011-603.
"""

from __future__ import annotations

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules.reason import Broken, Reason
from clerestory.confidential.protect.rules.threshold import of_kind


def told_attributes(original: OriginalCells) -> Broken:
    """Parts that hold all of a group, or all but fewer than the minimum of its table's attribute.

    Counted in the cell's own unit, and for sums in records. A part of nobody tells nothing of anybody.
    """
    groups, parts, minimums = original.space.attribute_pairs
    people = np.where(of_kind(original.space, "sum"), original.records, original.values)
    told = (people[parts] > 0) & (people[groups] - people[parts] < minimums)
    cells = np.zeros(len(original.space), dtype=bool)
    cells[parts[told]] = True
    return Broken(Reason.ATTRIBUTE, cells)
