"""A sign that says a hidden count is small is an upper bound: one more relation for the reader.

Rows of relations are homogeneous, so the bound itself takes a cell: one more that is shown and holds it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from clerestory.attack.relations import Kind, Relations
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray


def bounded(
    public: PublicCells, rules: Relations, small: IntArray, greatest: int
) -> tuple[PublicCells, Relations]:
    """The same cells and relations, and `cell + slack = greatest` for each of the cells in `small`.

    The cells keep their positions; the bound is one cell more after them, the slacks stand at the end.
    """
    cells, count, more = len(public.space), rules.variables, len(small)
    space = replace(
        public.space,
        cells=np.vstack([public.space.cells, np.zeros_like(public.space.cells[:1])]),
        units=np.append(public.space.units, public.space.units[:1]),
    )
    old = rules.matrix.tocsc()
    wide = hstack(
        [old[:, :cells], csr_matrix((old.shape[0], 1)), old[:, cells:], csr_matrix((old.shape[0], more))]
    )
    row = np.arange(more)
    place = np.concatenate([small, np.full(more, cells), count + 1 + row])
    factors = np.repeat([1, -1, 1], more)
    rows = csr_matrix((factors, (np.tile(row, 3), place)), shape=(more, count + 1 + more))
    nothing = np.full(more, -1, dtype=np.int64)
    return (
        PublicCells(
            space, np.append(public.values, greatest), np.append(public.hidden, False), public.zeros_shown
        ),
        Relations(
            space=space,
            matrix=vstack([wide, rows]).tocsr().astype(np.int64),
            kinds=np.concatenate(
                [np.insert(rules.kinds, cells, Kind.CELL), np.full(more, Kind.SLACK, dtype=np.int8)]
            ),
            units=np.concatenate([np.insert(rules.units, cells, rules.units[0]), rules.units[small]]),
            boxes=np.concatenate([np.insert(rules.boxes, cells, 0, axis=0), rules.boxes[small]]),
            parents=np.concatenate(
                [np.where(rules.parents >= cells, rules.parents + 1, rules.parents), nothing]
            ),
            axes=np.concatenate([rules.axes, nothing]),
        ),
    )
