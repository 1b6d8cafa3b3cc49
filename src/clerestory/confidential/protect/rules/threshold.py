"""The threshold rule: counts from 1 to one less than the minimum, of records and of persons.

Source: CalHHS Data De-Identification Guidelines, step 2 (numerator); Handbook on Statistical Disclosure
Control, section 5.2 (frequency tables).
"""

from __future__ import annotations

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules.reason import BoolArray, Broken, Reason
from clerestory.policy import Policy
from clerestory.tables import CellSpace
from clerestory.tables.space import IntArray


def few_records(original: OriginalCells, policy: Policy) -> Broken:
    """Cells whose box, or whose own count, holds few records."""
    small = _few(original.records, policy)
    small |= of_kind(original.space, "records") & _few(original.values, policy)
    return Broken(Reason.RECORDS, small)


def few_persons(original: OriginalCells, policy: Policy) -> Broken:
    """Cells whose box holds few persons, or that count few.

    A count may be small where the box is not: persons who are counted where their first record is.
    """
    small = of_kind(original.space, "persons") & _few(original.values, policy)
    if original.persons is not None:
        small |= _few(original.persons, policy)
    return Broken(Reason.PERSONS, small)


def of_kind(space: CellSpace, kind: str) -> BoolArray:
    """(cells,) cells whose unit is of this kind: records, persons or sum."""
    return np.array([unit.kind == kind for unit in space.unit_list] or [False])[space.units]


def _few(counts: IntArray, policy: Policy) -> BoolArray:
    return np.asarray((counts > 0) & (counts < policy.minimum_count))
