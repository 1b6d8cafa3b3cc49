"""Shown numbers that cannot all be true: which lines do not add up, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Relations
from clerestory.attack.system import propagate
from clerestory.confidential.standalone.amounts import in_unit
from clerestory.confidential.standalone.findings import home, row_of
from clerestory.confidential.standalone.given import GivenTable, said_where
from clerestory.errors import InputError
from clerestory.tables.space import IntArray

_SHOWN = 5
"""Lines of a contradiction that a message lists."""


def contradicted(
    table: GivenTable,
    rules: Relations,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    problem: InputError,
) -> InputError:
    """The error that names the first lines that cannot add up. lower, upper: (variables,) what is known."""
    rows = row_of(table)
    lines = _impossible(rules, lower, upper)
    crossed = np.zeros(0, dtype=np.int64)
    if not len(lines):
        low, high = propagate(rules.matrix, lower, upper)
        crossed = np.flatnonzero(low > high)
        lines = np.unique(rules.matrix[:, crossed].tocsr().nonzero()[0]) if len(crossed) else crossed
    said = [_line(table, rules, int(line), rows) for line in lines[:_SHOWN]]
    more = f"\n  and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    signs = "; or a sign says what cannot be" if table.known else ""
    zeros = "; if zeros may be hidden too, say --zeros-hidden" if table.public.zeros_shown else ""
    digits = "; if the numbers are rounded, say --rounded" if table.sums else ""
    return InputError(
        "the shown numbers contradict each other"
        + (": " + "\n  ".join(["", *said]) + more if said else problem.what.partition(":")[1]),
        where=f"table {table.public.space.source!r}",
        fix="correct them; if a category is inside another one, or a part has no row, give the hierarchy"
        + signs
        + zeros
        + digits,
    )


def _impossible(rules: Relations, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> IntArray:
    """Lines that cannot be zero within the bounds."""
    matrix = rules.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    factor = matrix.data.astype(np.float64)
    one, two = factor * lower[matrix.indices], factor * upper[matrix.indices]
    least = np.bincount(row, np.minimum(one, two), minlength=matrix.shape[0])
    most = np.bincount(row, np.maximum(one, two), minlength=matrix.shape[0])
    return np.flatnonzero((least > 0) | (most < 0))


def _line(table: GivenTable, rules: Relations, line: int, rows: IntArray) -> str:
    """A line in words: what it says it is, and what its shown parts add up to."""
    public, cells = table.public, len(table.public.space)
    parent = int(rules.parents[line])
    inside = rules.matrix[line].indices
    at = parent if 0 <= parent < cells else home(table, rules, int(inside[0]))
    axis = int(rules.axes[line])
    over = f" over {rules.space.axes[axis].name}" if axis >= 0 else ""
    parts = inside[(inside != parent) & (inside < cells)]
    shown = parts[~public.hidden[parts]]
    place = said_where(table.where(rows[at]))
    if at != parent or public.hidden[parent]:
        return f"{place}{over}: does not fit what is shown beside it"
    hidden = len(inside) - 1 - len(shown)
    unknown = f" and {hidden} not shown" if hidden else ""
    whole = in_unit(int(public.values[parent]), table.decimals)
    told = in_unit(int(public.values[shown].sum()), table.decimals)
    return f"{place}{over}: shows {whole:,}; its parts: {told:,} in {len(shown)} shown{unknown}"
