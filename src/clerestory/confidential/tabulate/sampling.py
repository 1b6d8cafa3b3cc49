"""Distinct persons in boxes of records: exact where there may be few, else proven to be enough.

A box with many records nearly always holds many persons, and a few of its records show it. So every box is
first asked about a sample of its finest groups, large enough to be likely to prove it; a box whose sample
proves nothing is asked again about a larger one, in the end about all. Each round is one query that touches
only the records of the groups in question, and counts in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import ibis
import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.design import SourceDesign
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import staged
from clerestory.confidential.tabulate.fields import person_of
from clerestory.confidential.tabulate.finest_groups import Groups
from clerestory.confidential.tabulate.rollup import Grid, added, sets_of_atoms
from clerestory.tables.space import IntArray

SAMPLE = 4
"""Records of the first sample, as a multiple of the minimum count."""
THINNER = 4
"""Each level of sampling holds about one in four groups of the level below it."""
PAIRS_WRITTEN_OUT = 50_000
"""Pairs that one query text holds, where they cannot be handed over as a table."""


@dataclass(frozen=True, eq=False)
class _Level:
    """A sample of the finest groups: their positions, categories on each axis, and records."""

    groups: IntArray
    codes: tuple[NDArray[np.int32], ...]
    count: IntArray


def persons_in_boxes(
    records: Records,
    design: SourceDesign,
    groups: Groups,
    grids: Sequence[Grid],
    counted: IntArray,
    minimum: int,
) -> IntArray:
    """(cells,) distinct persons in the box of each cell of these grids; 0 for the other cells.

    counted: (cells,) records in each box.

    At least `minimum` where it is not exact. Records that do not say whose they are count as one person of a
    box that holds nobody else, so that no box is thought to hold more persons than it does.
    """
    persons = np.zeros(len(design.space), dtype=np.int64)
    levels = _levels(design, groups, minimum)
    luts = design.categories
    counts: list[list[IntArray]] = []
    at = []
    open_boxes = []
    asked_before = np.zeros(len(design.space) + 1, dtype=bool)
    asked_before[-1] = True
    for grid in grids:
        cells = grid.box_cells()
        boxes = [np.where(cells >= 0, counted[cells], 0)]
        size = int(np.prod(grid.atom_shape, dtype=np.int64))
        for thinner in levels[1:]:
            codes = grid.atom_codes(len(thinner.groups), thinner.codes, luts)
            boxes.append(grid.boxes(added(codes, thinner.count, size)))
        counts.append(boxes)
        at.append(_first_level(boxes, SAMPLE * minimum))
        open_boxes.append((boxes[0] > 0) & ~asked_before[cells])
        asked_before[cells] = True
    while any(one.any() for one in open_boxes):
        asked = [
            _pairs(grid, level, luts, levels, one)
            for grid, level, one in zip(grids, at, open_boxes, strict=True)
        ]
        found = _ask(records, design, groups, asked)
        for place, grid in enumerate(grids):
            cells = grid.box_cells()
            answer = np.zeros(len(persons) + 1, dtype=np.int64)
            answer[:-1] = found
            known = np.maximum(answer[cells], 1)
            level = at[place]
            sampled = np.take_along_axis(np.stack(counts[place]), level[np.newaxis], axis=0)[0]
            done = open_boxes[place] & ((known >= minimum) | (level == 0) | (sampled == counts[place][0]))
            persons[cells[done]] = known[done]
            open_boxes[place] = open_boxes[place] & ~done
            at[place] = np.where(open_boxes[place], np.maximum(level - 2, 0), level)
    return persons


def _levels(design: SourceDesign, groups: Groups, minimum: int) -> list[_Level]:
    """All groups, then thinner and thinner samples of them, decided by the groups' numbers alone."""
    drawn = np.zeros(len(groups), dtype=np.uint64)
    for word in groups.packing.names:
        # Multiplied by the golden ratio, numbers spread evenly over 64 bits.
        drawn = (drawn ^ groups.words[word].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    codes = tuple(groups.classes[name] for name in design.order)
    levels = [_Level(np.arange(len(groups)), codes, groups.count)]
    limit = 1 << 64
    while len(levels[-1].groups) > SAMPLE * minimum * THINNER:
        limit //= THINNER
        chosen = np.flatnonzero(drawn < np.uint64(limit))
        above = levels[-1]
        drawn = drawn[chosen]
        levels.append(
            _Level(above.groups[chosen], tuple(code[chosen] for code in above.codes), above.count[chosen])
        )
    return levels


def _first_level(boxes: Sequence[IntArray], wanted: int) -> IntArray:
    """For each box the thinnest level at which it still has enough records, or level 0."""
    level = np.zeros(boxes[0].shape, dtype=np.int64)
    for number, counts in enumerate(boxes):
        level[counts >= wanted] = number
    return level


def _pairs(
    grid: Grid, at: IntArray, luts: Sequence[IntArray], levels: Sequence[_Level], chosen: NDArray[np.bool_]
) -> tuple[IntArray, IntArray]:
    """Which finest groups are to be looked at for which cells."""
    all_groups: list[IntArray] = []
    all_cells: list[IntArray] = []
    cells = grid.box_cells()
    for number, level in enumerate(levels):
        boxes = chosen & (at == number)
        if not boxes.any():
            continue
        inside = grid.atoms_inside(boxes).ravel()
        near = np.flatnonzero(inside[grid.atom_codes(len(level.groups), level.codes, luts)])
        choices = []
        for side in grid.sides:
            atoms = side.atoms[luts[side.axis]][level.codes[side.axis][near]]
            choices.append([lists[atoms] for lists in sets_of_atoms(side.members)])
        for sets in product(*choices):
            real = np.ones(len(near), dtype=bool)
            for one in sets:
                real &= one >= 0
            real[real] = boxes[tuple(one[real] for one in sets)]
            all_groups.append(level.groups[near[real]])
            all_cells.append(cells[tuple(one[real] for one in sets)])
    empty = [np.empty(0, dtype=np.int64)]
    return np.concatenate(all_groups or empty), np.concatenate(all_cells or empty)


def _ask(
    records: Records,
    design: SourceDesign,
    groups: Groups,
    asked: Sequence[tuple[IntArray, IntArray]],
) -> IntArray:
    """(cells,) distinct known persons in the groups that are asked about for each cell."""
    rows = np.concatenate([pair[0] for pair in asked])
    cells = np.concatenate([pair[1] for pair in asked])
    found = np.zeros(len(design.space), dtype=np.int64)
    names = groups.packing.names
    table = records.pairs_table(*names, "item")
    person = person_of(records, design.plan.source.said.person)
    stage = staged(records, [one.variable for one in groups.digits], {"person": person})
    words = groups.packing.expressions(stage.digits)
    query = (
        stage.table.select(**words, person=stage.table["person"])
        .join(table, list(names))
        .group_by("item")
        .aggregate(persons=ibis._["person"].nunique())
    )
    for part in _parts(cells, records.dialect):
        columns = {name: groups.words[name][rows[part]] for name in names}
        answer = records.integers(query, pairs={**columns, "item": cells[part]})
        found[answer["item"]] = answer["persons"]
    return found


def _parts(cells: IntArray, dialect: str) -> list[IntArray]:
    """The positions of the pairs, in pieces that keep each cell's together."""
    if dialect == "duckdb" or len(cells) <= PAIRS_WRITTEN_OUT:
        return [np.arange(len(cells))] if len(cells) else []
    order = np.argsort(cells, kind="stable")
    starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
    ends = [0]
    for start in starts[1:]:
        if start - ends[-1] >= PAIRS_WRITTEN_OUT:
            ends.append(int(start))
    return np.split(order, ends[1:])
