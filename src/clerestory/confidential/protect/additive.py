"""Whole numbers that add up, as near as can be to numbers that need not: the core of controlled rounding.

Each number goes to one of the whole numbers beside it, so that every line of every linked table still adds
up; where that cannot be, some go further. Source: Causey, Cox and Ernst (1985), Applications of
transportation theory to statistical problems, JASA 80: with two ways this is always possible; with more it is
a whole-number program, which may have no solution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, diags, eye, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from clerestory.attack.bounded import lines_of
from clerestory.attack.optimum import Infeasible, whole_optimum
from clerestory.attack.relations import Relations
from clerestory.errors import Undecided
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]

_SNAP = 1e-6
"""What is so near to a whole number is one."""
_STEPS = 400
_ENOUGH = 1e-4
_UNSEEN = 1e-6
"""Weight of what is not published, against 1 of a published cell."""


@dataclass(frozen=True, eq=False)
class _Model:
    """A program over all variables of the lines: z = base + one - down + up, with costs of each part."""

    matrix: csr_matrix
    rhs: IntArray
    upper: FloatArray
    costs: FloatArray


def adjacent(
    rules: Relations,
    targets: FloatArray,
    *,
    further: int | None,
    ties: FloatArray,
    progress: Callable[[str], None] | None = None,
) -> IntArray | None:
    """(cells,) whole numbers, 0 or more, that add up; each one of the two beside its target.

    targets: (cells,), 0 or more. A target that is whole stays, and one of 0 stays in any case. further: by
    how many more a number may move, None for as many as it takes; such moves come last. ties: (cells,) small
    numbers that decide among equals. The sum of the distances is the least there is, or in a
    large table near it. Returns None if nothing adds up; raises Undecided at the solver's limits.
    """
    lines = rules.matrix[np.flatnonzero(lines_of(rules))].tocsr()
    cells, variables = len(targets), rules.variables
    near = np.where(np.abs(targets - np.rint(targets)) < _SNAP, np.rint(targets), targets)
    floor = np.zeros(variables, dtype=np.int64)
    floor[:cells] = np.floor(near).astype(np.int64)
    rest = np.zeros(variables)
    rest[:cells] = np.clip(near - floor[:cells], 0, 1)
    one = np.zeros(variables)
    one[:cells] = near > floor[:cells]
    fixed_zero = np.zeros(variables, dtype=bool)
    fixed_zero[:cells] = near == 0
    published = np.arange(variables) < cells
    beyond = np.inf if further is None else float(further)
    up = np.where(published, np.where(fixed_zero, 0, beyond), np.inf)
    down = np.where(published, np.minimum(beyond, floor), 0)
    tie = np.zeros(variables)
    tie[:cells] = ties
    # Further moves cost more than any choice beside the target, so they come last.
    dear = 4.0
    costs = np.concatenate(
        [1 - 2 * rest + tie, np.where(published, dear + tie, 0), np.where(published, dear - tie, 0)]
    )
    bounds = np.concatenate([one, up, down])
    matrix = hstack([lines, lines, -lines]).tocsr()
    model = _Model(matrix, -(lines @ floor), bounds, costs)
    steps = _solved(model, rules, progress)
    if steps is None:
        return None
    first, above, below = steps.reshape(3, variables)
    return np.asarray((floor + first + above - below)[:cells])


def _solved(model: _Model, rules: Relations, progress: Callable[[str], None] | None) -> IntArray | None:
    """The best steps, component by component; None where nothing fits."""
    steps = np.zeros(len(model.upper), dtype=np.int64)
    free = np.flatnonzero(model.upper > 0)
    inner = model.matrix[:, free].tocsr()
    settled = np.diff(inner.indptr) == 0
    if np.any(model.rhs[settled] != 0):
        return None
    # A column on no line takes what costs least: its own nearer side.
    lonely = np.diff(inner.tocsc().indptr) == 0
    at = free[lonely]
    steps[at[(model.costs[at] < 0) & (model.upper[at] <= 1)]] = 1
    rows, columns = np.flatnonzero(~settled), np.flatnonzero(~lonely)
    if not len(columns):
        return steps
    linked = inner[rows][:, columns].tocsr()
    parts = _parts(linked)
    for number, (used, own) in enumerate(parts, start=1):
        places = free[columns[own]]
        block = linked[used][:, own].tocsr()
        found = _best(block, model.rhs[rows][used], model.upper[places], model.costs[places], rules)
        if found is None:
            return None
        steps[places] = found
        if progress is not None:
            progress(f"part {number:,} of {len(parts):,} adds up")
    return steps


def _parts(matrix: csr_matrix) -> list[tuple[IntArray, IntArray]]:
    """Rows and columns that hang together."""
    rows, columns = matrix.shape
    ones = np.ones(matrix.nnz, dtype=np.int8)
    ends = np.concatenate([np.zeros(columns, dtype=matrix.indptr.dtype), matrix.indptr])
    graph = csr_matrix((ones, matrix.indices, ends), shape=(columns + rows, columns + rows))
    count, label = connected_components(graph, directed=False)
    column, row = label[:columns], label[columns:]
    split = [
        np.split(np.argsort(own, kind="stable"), np.cumsum(np.bincount(own, minlength=count))[:-1])
        for own in (row, column)
    ]
    return list(zip(*split, strict=True))


def _best(
    matrix: csr_matrix, rhs: IntArray, upper: FloatArray, costs: FloatArray, rules: Relations
) -> IntArray | None:
    try:
        table = whole_optimum(matrix, rhs, np.zeros(len(upper)), upper, costs, thorough=True)
    except Infeasible:
        return None
    if table is None:
        raise Undecided(
            "whole numbers that add up were not found within the limits",
            where=f"source {rules.space.source!r}",
            fix="publish fewer crossings, allow a larger reach, or use a method whose parts need not add up",
        )
    return table


def projected(rules: Relations, targets: FloatArray, *, zeros: NDArray[np.bool_]) -> FloatArray:
    """(cells,) the nearest numbers, by squared distance, that are 0 or more and add up along every line.

    zeros: (cells,) bool, what must be 0. By the alternating direction method of multipliers on the two sets;
    near enough (1e-4) for whole numbers to be looked for beside it.
    """
    cells, variables = len(targets), rules.variables
    lines = rules.matrix[np.flatnonzero(lines_of(rules))].tocsr().astype(np.float64)
    wanted = np.zeros(variables)
    wanted[:cells] = np.where(zeros, 0.0, targets)
    used = np.asarray(abs(lines).sum(axis=0)).ravel() > 0
    weight = np.where(np.arange(variables) < cells, 1.0, _UNSEEN)
    upper = np.full(variables, np.inf)
    upper[:cells][zeros] = 0.0
    if not lines.shape[0]:
        return np.clip(wanted, 0, upper)[:cells]
    # The step size: between the two weights, nearer to that of what is published.
    step = np.where(np.arange(variables) < cells, 1.0, 0.05)
    scale = weight + step
    inverse = diags(1 / scale)
    square = (lines @ inverse @ lines.T + 1e-9 * eye(lines.shape[0])).tocsc()
    factor = splu(csc_matrix(square))
    z = np.clip(wanted, 0, upper)
    dual = np.zeros(variables)
    for _ in range(_STEPS):
        right = (weight * wanted + step * (z - dual)) / scale
        x = right - (lines.T @ factor.solve(lines @ right)) / scale
        new = np.clip(x + dual, 0, upper)
        dual += x - new
        moved = np.max(np.abs(new - z)[used], initial=0.0)
        apart = np.max(np.abs(x - new)[used], initial=0.0)
        z = new
        if moved < _ENOUGH and apart < _ENOUGH:
            break
    return np.asarray(z[:cells])
