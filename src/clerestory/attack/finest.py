"""Level 3: the finest cells behind the margins. Whole tables of them decide; what level 2 left open may fall.

Where tables by AB, AC and BC are published and none by ABC, no relation among published cells says all
that is known: the cells of ABC are counts too, and cannot be negative. The finest cells become variables
beside the published ones, and the same attack decides. Margins that glue together need none of that: see
margins.
Source: Dobra and Fienberg, "Bounds for cell entries in contingency tables given marginal totals and
decomposable graphs", PNAS 97 (2000).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from clerestory.attack.margins import Core, cores
from clerestory.attack.relations import Kind, Relations
from clerestory.tables import CellSpace, PublicCells
from clerestory.tables.space import IntArray

MOST = 15_000
"""Finest cells of one core, after those that shown zeros rule out; for more, level 3 is not attempted."""
_MOST_BEFORE = 2_000_000
"""Finest cells of one core before any is ruled out: what is set up at all."""

SAME = "level 2 is level 3 here: its margins glue together"
DECIDED = "decided over the finest cells"
NOT_ATTEMPTED = "not attempted: too many finest cells"
NOT_COUNTS = "not attempted: sums, or persons that overlap"


@dataclass(frozen=True, eq=False)
class FinestCells:
    """Finest cells of a core that may hold somebody.

    cells: (n,) published cells that say something of them; inside: (n, finest cells) 1 where one lies in the
    other; parts: (finest cells, axes) position on each axis of the core, -1 on the others. core: its sets.
    """

    core: Core
    cells: IntArray
    inside: csr_matrix
    parts: IntArray

    def __len__(self) -> int:
        return len(self.parts)


@dataclass(frozen=True)
class FinestPart:
    """Margins that were treated as one. axes: those they divide; finest: the cells behind them that may hold
    somebody, 0 where none were needed; said: one of SAME, DECIDED, NOT_ATTEMPTED, NOT_COUNTS."""

    axes: tuple[str, ...]
    finest: int
    said: str

    @property
    def attempted(self) -> bool:
        """Whether it was decided, or needed no decision."""
        return self.said in (SAME, DECIDED)


@dataclass(frozen=True, eq=False)
class Behind:
    """What a reader at level 3 reasons about. parts: margins that hang together; rules: the relations with
    the finest cells of those that were attempted; same: whether level 2 is level 3, and nothing is added."""

    parts: tuple[FinestPart, ...]
    rules: Relations
    same: bool

    @property
    def attempted(self) -> bool:
        """Whether the rules say all that finest cells tell."""
        return all(part.attempted for part in self.parts)

    @property
    def missing(self) -> str:
        """Which parts were left out, and why, in words."""
        left = [part for part in self.parts if not part.attempted]
        return "; ".join(f"the finest cells of {', '.join(part.axes)}: {part.said}" for part in left)


def behind(public: PublicCells, rules: Relations) -> Behind:
    """The relations of a source with the finest cells behind its margins, where they add anything.

    rules: relations(public.space). A part that is too large, or that holds no counts, is left out.
    """
    found = cores(public.space)
    if not found:
        axes = tuple(axis.name for axis in public.space.axes)
        return Behind((FinestPart(axes, 0, SAME),), rules, True)
    parts = []
    whole = rules
    for core in found:
        axes = tuple(public.space.axes[axis].name for axis in core.parts)
        if not _counts(public.space):
            parts.append(FinestPart(axes, 0, NOT_COUNTS))
            continue
        cells = None if core.size > _MOST_BEFORE else finest_cells(rules, public, core)
        if cells is None or len(cells) > MOST:
            parts.append(FinestPart(axes, core.size if cells is None else len(cells), NOT_ATTEMPTED))
            continue
        parts.append(FinestPart(axes, len(cells), DECIDED))
        whole = with_finest(whole, cells)
    return Behind(tuple(parts), whole, False)


def _counts(space: CellSpace) -> bool:
    kinds = all(unit.kind in ("records", "persons") for unit in space.unit_list)
    return kinds and not any(space.overlapping)


def finest_cells(rules: Relations, public: PublicCells, core: Core) -> FinestCells:
    """The finest cells of a core, but for those in which a shown zero leaves nobody.

    Finest cells that no published cell tells apart are one.
    """
    space = public.space
    leaves = _leaves(rules, core)
    shape = tuple(len(sets) for sets in core.parts.values())
    inside = [_atoms_of(space, axis, sets) for axis, sets in core.parts.items()]
    empty = ~public.hidden & (public.values == 0)
    size = int(np.prod(shape))
    # Records hold the other units: nobody is counted where no record is. Others tell of themselves alone.
    kinds = [unit.kind for unit in space.unit_list]
    first = kinds.index("records") if "records" in kinds else 0 if len(kinds) == 1 else -1
    dead = np.zeros(size, dtype=bool)
    members: list[IntArray] = []
    for cell in leaves.tolist():
        grid = [
            np.flatnonzero(atoms[space.cells[cell, axis]])
            for axis, atoms in zip(core.parts, inside, strict=True)
        ]
        members.append(np.ravel_multi_index(np.ix_(*grid), shape).ravel())
        if empty[cell] and space.units[cell] == first:
            dead[members[-1]] = True
    none = np.zeros(0, dtype=np.int64)
    rows = np.concatenate([none, *(np.full(len(m), row) for row, m in enumerate(members))])
    columns = np.concatenate([none, *members])
    marks = np.random.default_rng(0).integers(1, 2**62, len(leaves), dtype=np.uint64)
    label = np.zeros(size, dtype=np.uint64)
    np.add.at(label, columns, marks[rows])
    alive = np.flatnonzero(~dead)
    _, first_of, number = np.unique(label[alive], return_index=True, return_inverse=True)
    one = alive[first_of]
    place = np.full(size, -1, dtype=np.int64)
    place[alive] = number.ravel()
    keep = np.isin(columns, one)
    ones = np.ones(int(keep.sum()), dtype=np.int64)
    inside_ = csr_matrix((ones, (rows[keep], place[columns[keep]])), (len(leaves), len(one)))
    parts = np.full((len(one), len(space.axes)), -1, dtype=np.int64)
    parts[:, list(core.parts)] = np.column_stack(np.unravel_index(one, shape))
    return FinestCells(core, leaves, inside_, parts)


def _atoms_of(space: CellSpace, axis: int, sets: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(set ids, parts of the core) which parts each published set of an axis holds."""
    return np.asarray(space.sets[axis].astype(np.int64) @ sets.T.astype(np.int64) > 0)


def _leaves(rules: Relations, core: Core) -> IntArray:
    """Cells that the core's finest cells make up, but for those that such cells make up in turn."""
    space = rules.space
    made = np.ones(len(space), dtype=bool)
    for axis in range(len(space.axes)):
        sets = space.sets[axis]
        if axis not in core.parts:
            made &= sets[space.cells[:, axis]].all(axis=1)
            continue
        parts = core.parts[axis]
        shared = sets.astype(np.int64) @ parts.T.astype(np.int64)
        whole = np.all((shared == 0) | (shared == parts.sum(axis=1)), axis=1)
        whole &= shared.sum(axis=1) == sets.sum(axis=1)
        made &= whole[space.cells[:, axis]]
    everything = np.zeros(rules.variables, dtype=bool)
    everything[: len(space)] = made
    outside = rules.matrix.copy()
    outside.data = np.ones_like(outside.data)
    strangers = outside @ (~everything).astype(np.int64)
    lines = np.flatnonzero((rules.parents >= 0) & (rules.parents < len(space)) & (strangers == 0))
    made[rules.parents[lines]] = False
    return np.flatnonzero(made)


def with_finest(rules: Relations, finest: FinestCells) -> Relations:
    """The relations with finest cells as further variables, in each unit.

    A finest cell that is known exactly must be no small count; otherwise it is not judged. Persons in a
    finest cell are at most its records.
    """
    space = rules.space
    matrix, kinds, units, boxes = rules.matrix, [rules.kinds], [rules.units], [rules.boxes]
    size, variables = len(finest), rules.variables
    sets = list(rules.sets)
    own = np.zeros((size, len(sets)), dtype=np.int32)  # the whole axis where the core does not divide it
    for axis, parts in finest.core.parts.items():
        sets[axis], ids = _numbered(sets[axis], parts)
        own[:, axis] = ids[finest.parts[:, axis]]
    start: list[int] = []
    blocks: list[csr_matrix] = []
    for number in range(len(space.unit_list)):
        rows = np.flatnonzero(space.units[finest.cells] == number)
        blocks.append(_sums(finest.cells[rows], finest.inside[rows], variables))
        start.append(variables)
        variables += size
        kinds.append(np.full(size, Kind.STEP, dtype=np.int8))
        units.append(np.full(size, number, dtype=np.int32))
        boxes.append(own)
    records = [at for at, unit in zip(start, space.unit_list, strict=True) if unit.kind == "records"]
    persons = [at for at, unit in zip(start, space.unit_list, strict=True) if unit.kind == "persons"]
    for larger, smaller in product(records, persons):
        at = np.arange(size)
        columns = np.column_stack([larger + at, smaller + at, variables + at]).ravel()
        data = np.tile(np.array([1, -1, -1], dtype=np.int64), size)
        blocks.append(csr_matrix((data, columns, np.arange(0, 3 * size + 1, 3)), (size, variables + size)))
        variables += size
        kinds.append(np.full(size, Kind.SLACK, dtype=np.int8))
        units.append(np.zeros(size, dtype=np.int32))
        boxes.append(own)
    wide = [
        csr_matrix((block.data, block.indices, block.indptr), (block.shape[0], variables))
        for block in (matrix, *blocks)
    ]
    rows_added = sum(block.shape[0] for block in blocks)
    none = np.full(rows_added, -1, dtype=np.int64)
    return replace(
        rules,
        matrix=vstack(wide, format="csr"),
        kinds=np.concatenate(kinds),
        units=np.concatenate(units),
        boxes=np.concatenate(boxes),
        parents=np.concatenate([rules.parents, none]),
        axes=np.concatenate([rules.axes, none]),
        sets=tuple(sets),
    )


def _numbered(
    sets: NDArray[np.bool_], parts: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """The sets of an axis with those parts that are not among them, and the number of each part."""
    known = {row.tobytes(): number for number, row in enumerate(sets)}
    for part in parts:
        known.setdefault(part.tobytes(), len(known))
    fresh = [part for part in parts if known[part.tobytes()] >= len(sets)]
    ids = np.array([known[part.tobytes()] for part in parts], dtype=np.int32)
    return np.vstack([sets, *fresh]) if fresh else sets, ids


def _sums(cells: IntArray, inside: csr_matrix, start: int) -> csr_matrix:
    """Rows: each cell less the finest cells inside it; the first of these is variable `start`."""
    count = len(cells)
    own = csr_matrix((np.ones(count, dtype=np.int64), (np.arange(count), cells)), (count, start))
    shifted = csr_matrix(
        (-inside.data, inside.indices + start, inside.indptr), (count, start + inside.shape[1])
    )
    wide = csr_matrix((own.data, own.indices, own.indptr), shifted.shape)
    return (wide + shifted).tocsr()
