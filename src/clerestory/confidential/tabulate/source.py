"""Counts all tables of one source."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clerestory.confidential.design import Plan, SourceDesign, link, plan_source, rows_that
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.records import Records, open_source
from clerestory.confidential.tabulate.discover import discovered
from clerestory.confidential.tabulate.groups import GroupCounts, Groups, count_groups
from clerestory.confidential.tabulate.people import (
    assigned_groups,
    boxes_of,
    overlapping_boxes,
    persons_of,
)
from clerestory.confidential.tabulate.persons import persons_in_boxes
from clerestory.confidential.tabulate.rollup import Grid, added, grid_of
from clerestory.errors import InputError
from clerestory.project import Project
from clerestory.tables import Spread, Unit
from clerestory.tables.space import IntArray

_LARGEST_SUM = 1 << 53


def tabulate(
    project: Project, source_name: str, *, progress: Callable[[str], None] | None = None
) -> OriginalCells:
    """The true cells of all tables of a source.

    progress: hears what is being done, in words without values.
    Raises InputError (or Problems), never with a value from the records, if the source cannot be read or does
    not hold what the project files say.
    """
    tell = progress or (lambda _: None)
    plan = plan_source(project, source_name)
    tell("opening")
    with open_source(plan.source, project.root, plan.columns) as records:
        tell("finding categories and periods")
        plan = discovered(records, plan)
        tell("counting records")
        groups = count_groups(records, plan, list(plan.variables.values()))
        design = link(plan, GroupCounts(records, groups))
        tell("rolling up")
        return _Cells(records, design, groups).original(tell)


class _Cells:
    """The cells of a source as they are being filled."""

    def __init__(self, records: Records, design: SourceDesign, groups: Groups) -> None:
        self._records = records
        self._design = design
        self._groups = groups
        size = len(design.space)
        self.values: IntArray = np.zeros(size, dtype=np.int64)
        self.counts: IntArray = np.zeros(size, dtype=np.int64)
        self.persons: IntArray = np.zeros(size, dtype=np.int64)

    def original(self, tell: Callable[[str], None]) -> OriginalCells:
        space, plan = self._design.space, self._design.plan
        of_records: list[Grid] = []
        for unit in space.unit_list:
            by_table = {
                layout.design.name: [grid_of(space, block) for block in own]
                for layout, own in zip(space.layouts, space.blocks, strict=True)
                if layout.design.unit == unit
            }
            grids = [grid for own in by_table.values() for grid in own]
            if unit.kind == "persons" and unit.assign is Spread.DISJOINT:
                tell("counting persons")
                for name, own in by_table.items():
                    self._people(unit, [name], own)
            elif unit.kind == "persons":
                # Together, so that two records of one day are taken in the same order for all tables.
                tell("counting persons")
                self._people(unit, list(by_table), grids)
            else:
                values = self._measured(unit, plan)
                for grid in grids:
                    self._fill(grid, values)
                of_records += grids
        told_apart = bool(plan.source.said.person)
        if told_apart and of_records:
            tell("counting persons where there may be few")
            found = persons_in_boxes(
                self._records,
                self._design,
                self._groups,
                of_records,
                self.counts,
                plan.project.policy.minimum_count,
            )
            self.persons = np.maximum(self.persons, found)
        return OriginalCells(space, self.values, self.counts, self.persons if told_apart else None)

    def _boxes(self, grid: Grid, values: Sequence[IntArray]) -> list[IntArray]:
        """What the boxes hold of each of several columns of the groups."""
        codes = [self._groups.classes[name] for name in self._design.order]
        atoms = grid.atom_codes(len(self._groups), codes, self._design.categories)
        size = int(np.prod(grid.atom_shape, dtype=np.int64))
        return [grid.boxes(added(atoms, column, size)) for column in values]

    def _fill(self, grid: Grid, values: IntArray | None) -> None:
        if values is None:
            (counts,) = self._boxes(grid, [self._groups.count])
            sums = counts
        else:
            counts, sums = self._boxes(grid, [self._groups.count, values])
        grid.fill(self.counts, counts)
        grid.fill(self.values, sums)

    def _measured(self, unit: Unit, plan: Plan) -> IntArray | None:
        """The sums in the finest groups; None for records. Raises InputError if a value cannot be summed."""
        if unit.kind != "sum":
            return None
        measure = self._groups.measures[unit.measure]
        where = f"source {plan.source.name!r}, measure {unit.measure!r}"
        counted = np.zeros(len(self._groups), dtype=bool)
        for table in plan.tables:
            if table.said.sum == unit.measure:
                counted |= self._groups.chosen(plan.restrictions(table))
        for column, what, fix in (
            (measure.missing, "no value", f'add to the table: where = "{unit.measure} is not missing"'),
            (
                measure.odd,
                "a value that is not a whole number",
                "sum it in a smaller unit, such as cents",
            ),
            (
                measure.outside,
                f"a value outside the bounds {list(unit.bounds)}",
                "correct the records, or the bounds",
            ),
        ):
            rows = int(column[counted].sum())
            if rows:
                raise InputError(f"{rows_that(rows, 'have')} {what}", where=where, fix=fix)
        most = int(self._groups.count.sum()) * max(abs(bound) for bound in unit.bounds)
        if max(abs(bound) for bound in unit.bounds) >= _LARGEST_SUM or most >= 1 << 62:
            raise InputError("the bounds are too wide for exact sums", where=where, fix="narrow the bounds")
        return measure.total

    def _people(self, unit: Unit, names: Sequence[str], grids: Sequence[Grid]) -> None:
        tables = [table for table in self._design.plan.tables if table.name in names]
        counted = persons_of(self._records, self._design, unit, tables)
        assigned = None if unit.overlapping else assigned_groups(counted)
        for grid in grids:
            if assigned is None:
                everyone, known = overlapping_boxes(counted, grid)
            else:
                known, unknown = (boxes_of(counted, grid, groups) for groups in assigned)
                everyone = known + unknown
                known = np.where(everyone > 0, np.maximum(known, 1), 0)
            grid.fill(self.values, everyone)
            grid.fill(self.persons, known)
            if unit.assign is Spread.DISJOINT:
                (records,) = self._boxes(grid, [self._groups.count])
                grid.fill(self.counts, records)
            else:
                # One record of each person counts.
                grid.fill(self.counts, everyone)
