"""What a sign in place of a number says: that the hidden number is small, or large, or in between.

For `decide` a bound is one more relation for the reader. Rows of relations are homogeneous, so the bound
itself takes a cell: one more that is shown and holds it.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from clerestory.attack.relations import Kind, Relations
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

UNBOUNDED = -1
"""Stands for no greatest value."""
_BELOW = re.compile(r"(<|<=|≤|=<)\s*(\d{1,9})")
_ABOVE = re.compile(r"(>|>=|≥|=>)\s*(\d{1,9})")
_OR_MORE = re.compile(r"(\d{1,9})\s*\+")
_BETWEEN = re.compile(r"(\d{1,9})\s*(?:-|–|to)\s*(\d{1,9})")


def span(sign: str) -> tuple[int, int] | None:
    """Least and greatest value that a sign gives (<11, ≤10, 1-10, 11+), None if it gives none.

    The least of <11 is 0, whatever else the reader knows; the greatest of 11+ is UNBOUNDED.
    """
    if found := _BELOW.fullmatch(sign):
        return 0, int(found[2]) - (found[1] == "<")
    if found := _ABOVE.fullmatch(sign):
        return int(found[2]) + (found[1] == ">"), UNBOUNDED
    if found := _OR_MORE.fullmatch(sign):
        return int(found[1]), UNBOUNDED
    if (found := _BETWEEN.fullmatch(sign)) and int(found[1]) <= int(found[2]):
        return int(found[1]), int(found[2])
    return None


def bounded(
    public: PublicCells, rules: Relations, least: IntArray, greatest: IntArray
) -> tuple[PublicCells, Relations]:
    """The same cells and relations, and for each hidden cell with a bound a row that says it.

    least, greatest: (cells,), UNBOUNDED where there is no greatest. A row is `cell + slack = greatest` or
    `cell - slack = least`. The cells keep their positions; the bounds are cells after them, the slacks
    stand at the end.
    """
    cells, variables = len(public.space), rules.variables
    low = np.flatnonzero(public.hidden & (least > (1 if public.zeros_shown else 0)))
    high = np.flatnonzero(public.hidden & (greatest != UNBOUNDED))
    if not len(low) and not len(high):
        return public, rules
    held, which = np.unique(np.concatenate([least[low], greatest[high]]), return_inverse=True)
    named = np.concatenate([low, high])
    extra, more = len(held), len(named)
    space = replace(
        public.space,
        cells=np.vstack([public.space.cells, np.zeros((extra, len(public.space.axes)), dtype=np.int32)]),
        units=np.append(public.space.units, np.repeat(public.space.units[:1], extra)),
    )
    old = rules.matrix.tocsc()
    count = old.shape[0]
    wide = hstack([old[:, :cells], csr_matrix((count, extra)), old[:, cells:], csr_matrix((count, more))])
    row = np.arange(more)
    place = np.concatenate([named, cells + which.ravel(), variables + extra + row])
    slack = np.repeat([-1, 1], [len(low), len(high)])
    factors = np.concatenate([np.ones(more, dtype=np.int64), np.full(more, -1), slack])
    rows = csr_matrix((factors, (np.tile(row, 3), place)), shape=(more, variables + extra + more))
    nothing = np.full(more, -1, dtype=np.int64)
    at = np.full(extra, cells)
    return (
        PublicCells(
            space,
            np.append(public.values, held),
            np.append(public.hidden, np.zeros(extra, dtype=bool)),
            public.zeros_shown,
            public.insiders,
        ),
        Relations(
            space=space,
            matrix=vstack([wide, rows]).tocsr().astype(np.int64),
            kinds=np.concatenate(
                [np.insert(rules.kinds, at, Kind.CELL), np.full(more, Kind.SLACK, dtype=np.int8)]
            ),
            units=np.concatenate([np.insert(rules.units, at, rules.units[0]), rules.units[named]]),
            boxes=np.concatenate([np.insert(rules.boxes, at, 0, axis=0), rules.boxes[named]]),
            parents=np.concatenate(
                [np.where(rules.parents >= cells, rules.parents + extra, rules.parents), nothing]
            ),
            axes=np.concatenate([rules.axes, nothing]),
            sets=rules.sets,
        ),
    )
