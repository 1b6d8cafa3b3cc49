"""Counts all tables of one source."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clerestory.confidential.design import Plan, SourceDesign, link, plan_source, populations_of
from clerestory.confidential.keyed import derived
from clerestory.confidential.original import Contributions, OriginalCells
from clerestory.confidential.records import Records, open_source
from clerestory.confidential.tabulate.bounded import bounded
from clerestory.confidential.tabulate.contributions import contributions_of
from clerestory.confidential.tabulate.discover import discovered
from clerestory.confidential.tabulate.encoded import encode_records
from clerestory.confidential.tabulate.finest import Finest
from clerestory.confidential.tabulate.groups import count_groups
from clerestory.confidential.tabulate.measures import check_measure
from clerestory.confidential.tabulate.people import (
    assigned_groups,
    boxes_of,
    overlapping_boxes,
    persons_of,
)
from clerestory.confidential.tabulate.record_keys import KEY, RecordKeys
from clerestory.confidential.tabulate.rollup import Grid, grid_of
from clerestory.errors import InputError
from clerestory.methods import CellKey, DifferentialPrivacy, Suppression
from clerestory.project import Project
from clerestory.project.models import CellKeyFile
from clerestory.tables import Spread, Unit
from clerestory.tables.space import IntArray


def tabulate(
    project: Project,
    source_name: str,
    *,
    secret: bytes = b"",
    progress: Callable[[str], None] | None = None,
) -> OriginalCells:
    """The true cells of all tables of a source.

    secret: of the project; record keys are made from it where the source's method is cell keys. Under
    differential privacy only so many records of a person count as the method allows.
    progress: hears what is being done, in words without values.
    Raises InputError (or Problems), never with a value from the records, if the source cannot be read or does
    not hold what the project files say.
    """
    tell = progress or (lambda _: None)
    plan = plan_source(project, source_name)
    keys = _record_keys(project, plan, secret)
    columns = plan.columns if keys is None else tuple(dict.fromkeys((*plan.columns, *keys.fields)))
    method = project.method(source_name)
    tell("opening")
    with open_source(plan.source, project.root, columns) as records:
        if isinstance(method, DifferentialPrivacy):
            records = bounded(records, plan, method.records)
        tell("finding categories and periods")
        plan = discovered(records, plan)
        tell("counting records")
        finest: Finest
        if records.dialect == "duckdb":
            finest = encode_records(records, plan, project.policy.minimum_count, keys)
        else:
            finest = count_groups(records, plan, keys)
        design = link(plan, finest)
        tell("rolling up")
        return _Cells(records, design, finest, keys).original(tell)


def _record_keys(project: Project, plan: Plan, secret: bytes) -> RecordKeys | None:
    """How record keys are made, None where the method needs none. Raises InputError without a secret."""
    method = project.method(plan.source.name)
    if not isinstance(method, CellKey):
        return None
    if not secret:
        raise InputError(
            "cell keys need the project's secret", where=f"source {plan.source.name!r}", fix="pass its seed"
        )
    said = plan.source.said.method
    fields = said.key if isinstance(said, CellKeyFile) and said.key else plan.source.said.person
    return RecordKeys(derived(secret, "record keys"), fields, method.keys)


class _Cells:
    """The cells of a source as they are being filled."""

    def __init__(
        self, records: Records, design: SourceDesign, finest: Finest, keys: RecordKeys | None = None
    ) -> None:
        self._records = records
        self._design = design
        self._finest = finest
        self._keys = keys
        size = len(design.space)
        self.values: IntArray = np.zeros(size, dtype=np.int64)
        self.counts: IntArray = np.zeros(size, dtype=np.int64)
        self.persons: IntArray = np.zeros(size, dtype=np.int64)
        self.keys: IntArray = np.zeros(size, dtype=np.int64)

    def original(self, tell: Callable[[str], None]) -> OriginalCells:
        space, plan = self._design.space, self._design.plan
        of_records: list[Grid] = []
        by_unit: dict[Unit, list[Grid]] = {}
        for unit in space.unit_list:
            by_table = {
                layout.design.name: [grid_of(space, block) for block in own]
                for layout, own in zip(space.layouts, space.blocks, strict=True)
                if layout.design.unit == unit
            }
            grids = by_unit[unit] = [grid for own in by_table.values() for grid in own]
            if unit.kind == "persons" and unit.assign is Spread.DISJOINT:
                tell("counting persons")
                for name, own in by_table.items():
                    self._people(unit, [name], own)
            elif unit.kind == "persons":
                # Together, so that two records of one day are taken in the same order for all tables.
                tell("counting persons")
                self._people(unit, list(by_table), grids)
            else:
                self._check(unit, plan)
                for grid in grids:
                    counts, sums = self._finest.boxes(self._design, grid, unit.measure)
                    grid.fill(self.counts, counts)
                    grid.fill(self.values, sums)
                    if self._keys is not None:
                        grid.fill(self.keys, self._finest.boxes(self._design, grid, KEY)[1])
                of_records += grids
        # Only suppression asks how many persons are in a box.
        method = plan.project.method(plan.source.name)
        told_apart = bool(plan.source.said.person) and isinstance(method, Suppression)
        if told_apart and of_records:
            tell("counting persons where there may be few")
            minimum = plan.project.policy.minimum_count
            found = self._finest.persons(self._design, of_records, self.counts, minimum)
            self.persons = np.maximum(self.persons, found)
        contributions = None
        if plan.asks_holdings:
            tell("finding the largest contributors")
            contributions = self._contributions(plan, by_unit)
        return OriginalCells(
            space,
            self.values,
            self.counts,
            self.persons if told_apart else None,
            contributions,
            populations_of(plan, space),
            None if self._keys is None else self.keys,
        )

    def _contributions(self, plan: Plan, by_unit: dict[Unit, list[Grid]]) -> Contributions:
        """Of sums; and of counts, where the source says who its contributors are."""
        counts = bool(plan.source.said.holding and plan.project.policy.minimum_contributors)
        asked = [(unit.measure, grids) for unit, grids in by_unit.items() if unit.kind == "sum" or counts]
        return contributions_of(self._records, self._design, asked, top=plan.project.policy.largest_asked)

    def _check(self, unit: Unit, plan: Plan) -> None:
        """Raises InputError if a unit is a measure that cannot be summed."""
        if unit.kind == "sum":
            tables = [table for table in plan.tables if table.said.sum == unit.measure]
            bad = self._finest.bad_rows(unit.measure, [plan.restrictions(table) for table in tables])
            check_measure(plan, unit.measure, bad, self._finest.rows())

    def _people(self, unit: Unit, names: Sequence[str], grids: Sequence[Grid]) -> None:
        tables = [table for table in self._design.plan.tables if table.name in names]
        counted = persons_of(self._records, self._design, unit, tables)
        assigned = None if unit.overlapping else assigned_groups(counted, self._keys)
        for grid in grids:
            if assigned is None:
                everyone, known = overlapping_boxes(counted, grid)
            else:
                known, unknown = (boxes_of(counted, grid, groups) for groups in assigned)
                everyone = known + unknown
                if self._keys is not None:
                    parts = (boxes_of(counted, grid, groups, KEY) for groups in assigned)
                    grid.fill(self.keys, np.sum(list(parts), axis=0))
                known = np.where(everyone > 0, np.maximum(known, 1), 0)
            grid.fill(self.values, everyone)
            grid.fill(self.persons, known)
            if unit.assign is Spread.DISJOINT:
                records, _ = self._finest.boxes(self._design, grid, "")
                grid.fill(self.counts, records)
            else:
                # One record of each person counts.
                grid.fill(self.counts, everyone)
