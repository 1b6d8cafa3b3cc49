"""The finest groups that have records, counted in one aggregation and rolled up with NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import ibis
import numpy as np

from clerestory.confidential.design import Plan, SourceDesign
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import packing, staged
from clerestory.confidential.tabulate.finest import Restriction, distinct_odd_values
from clerestory.confidential.tabulate.finest_groups import Groups
from clerestory.confidential.tabulate.measures import (
    PARTS,
    BadRows,
    column_of,
    measure_columns,
    measures_of,
)
from clerestory.confidential.tabulate.record_keys import KEY, RecordKeys
from clerestory.confidential.tabulate.rollup import Grid, added
from clerestory.confidential.tabulate.sampling import persons_in_boxes
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False)
class GroupedRecords:
    """Records at the finest level, as counted groups."""

    records: Records
    plan: Plan
    groups: Groups
    _each: dict[str, IntArray] = field(default_factory=dict)

    def each(self, variable: str) -> IntArray:
        """Records in each class of a variable, in the whole source."""
        if variable not in self._each:
            self._each[variable] = self.groups.each(variable)
        return self._each[variable]

    def inside(self, classes: Restriction) -> int:
        """Records that are, for each variable, in one of its classes."""
        return int(self.groups.count[self.groups.chosen(classes)].sum())

    def distinct(self, variable: str) -> int:
        """How many different odd values a category variable has."""
        return distinct_odd_values(self.records, self.plan, variable)

    def rows(self) -> int:
        """How many records there are."""
        return int(self.groups.count.sum())

    def boxes(self, design: SourceDesign, grid: Grid, measure: str) -> tuple[IntArray, IntArray]:
        """What the boxes of a grid hold: records, and the sum of a measure ("" for none)."""
        classes = [self.groups.classes[name] for name in design.order]
        atoms = grid.atom_codes(len(self.groups), classes, design.categories)
        size = int(np.prod(grid.atom_shape, dtype=np.int64))
        counts = grid.boxes(added(atoms, self.groups.count, size))
        if not measure:
            return counts, counts
        return counts, grid.boxes(added(atoms, self.groups.measures[measure]["total"], size))

    def bad_rows(self, measure: str, restrictions: Sequence[Restriction]) -> BadRows:
        """Rows that any of the restrictions lets through, and in which the measure cannot be summed."""
        counted = np.zeros(len(self.groups), dtype=bool)
        for restriction in restrictions:
            counted |= self.groups.chosen(restriction)
        parts = self.groups.measures[measure]
        return BadRows(*(int(parts[part][counted].sum()) for part in PARTS[1:]))

    def persons(
        self, design: SourceDesign, grids: Sequence[Grid], counted: IntArray, minimum: int
    ) -> IntArray:
        """(cells,) distinct persons in the box of each cell of these grids, like Finest.persons."""
        return persons_in_boxes(self.records, design, self.groups, grids, counted, minimum)


def count_groups(records: Records, plan: Plan, keys: RecordKeys | None = None) -> GroupedRecords:
    """Counts the records of a source at the finest level, in one aggregation. keys: summed like a measure."""
    extra = measure_columns(records, plan)
    if keys is not None:
        extra[column_of(KEY, "total")] = keys.expression(records)
    stage = staged(records, list(plan.variables.values()), extra)
    digits = stage.digits
    packed = packing([one.size for one in digits])
    columns = packed.expressions(digits) | {name: stage.table[name] for name in extra}
    sums = {name: ibis._[name].sum() for name in extra}
    query = stage.table.select(**columns).group_by(list(packed.names)).aggregate(n=ibis._.count(), **sums)
    found = records.integers(query)
    measures = {
        measure: {part: found[column_of(measure, part)] for part in PARTS} for measure in measures_of(plan)
    }
    if keys is not None:
        measures[KEY] = {"total": found[column_of(KEY, "total")]}
    groups = Groups(
        digits,
        packed,
        {name: found[name] for name in packed.names},
        dict(zip(plan.variables, packed.unpacked(found, digits), strict=True)),
        found["n"],
        measures,
    )
    return GroupedRecords(records, plan, groups)
