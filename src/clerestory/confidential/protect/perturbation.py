"""Cell-key perturbation: every count changes by a small number that follows from who is in the cell.

Each record has a key that never changes; a cell's key is the sum of its records' keys, modulo the number of
keys; a fixed table says by how much a count with that key changes. The same people have the same number in
every table and release, so that asking twice gains nothing. Zeros stay zeros.
Sources: Fraser and Wooton (2005), A proposed method for confidentialising tabular output to protect against
differencing; Marley and Leaver (2011), A method for confidentialising user-defined tables; look-up as in the
ONS package cell-key-perturbation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Relations
from clerestory.confidential.keyed import cell_names, derived, uniforms
from clerestory.confidential.protect.additive import adjacent, projected
from clerestory.errors import InputError
from clerestory.methods import CellKey
from clerestory.tables.space import IntArray

LAST_ROW = 750
"""Counts above this use the last ROWS_AGAIN rows of the table over and over, as the ONS package does."""
ROWS_AGAIN = 250

_NEWTON = 60
_FLAT = 1e-12


@dataclass(frozen=True, eq=False)
class PTable:
    """By how much counts change. changes: (LAST_ROW + 1, keys) int, by count and cell key; row 0 is 0."""

    changes: NDArray[np.int16]

    @property
    def keys(self) -> int:
        """How many cell keys there are."""
        return int(self.changes.shape[1])

    @property
    def largest(self) -> int:
        """The most by which a count changes."""
        return int(np.abs(self.changes).max(initial=0))


def ptable_of(rows: Sequence[tuple[int, int, int]]) -> PTable:
    """A table from rows (count, cell key, change), the columns pcv, ckey, pvalue of the ONS package.

    What has no row does not change. Raises InputError for a count or key below 0, or a count below 0 after
    the change.
    """
    given = np.array(rows, dtype=np.int64).reshape(-1, 3)
    if not len(given) or given[:, :2].min() < 0:
        raise InputError("a p-table needs rows, with counts and keys of 0 or more", where="p-table")
    if np.any(given[:, 0] + given[:, 2] < 0):
        raise InputError("a p-table makes a count less than 0", where="p-table", fix="correct its pvalue")
    changes = np.zeros((LAST_ROW + 1, int(given[:, 1].max()) + 1), dtype=np.int16)
    inside = (given[:, 0] > 0) & (given[:, 0] <= LAST_ROW)
    changes[given[inside, 0], given[inside, 1]] = given[inside, 2]
    return PTable(changes)


def perturbed(counts: IntArray, keys: IntArray, table: PTable) -> IntArray:
    """(cells,) the published counts. keys: (cells,) the sum of the record keys of each cell."""
    row = np.where(counts <= LAST_ROW, counts, (counts - 1) % ROWS_AGAIN + LAST_ROW - ROWS_AGAIN + 1)
    return np.asarray(counts + table.changes[row, keys % table.keys])


def entropy_table(method: CellKey) -> PTable:
    """The table of greatest entropy among those that change counts by `largest` at most, without bias.

    For each count the changes have mean 0 and the method's variance (or the nearest that there is), make no
    count negative and none from 1 to `smallest`; every change that may be has at least one key. Fractions of
    a key are settled so that the mean is 0 as nearly as whole keys allow.
    Source: Marley and Leaver (2011); Giessing (2016), Computational issues in the design of transition
    probabilities and disclosure risk estimation for additive noise, PSD 2016 (the same as R package ptable).
    Raises InputError if a count could not change without bias.
    """
    changes = np.zeros((LAST_ROW + 1, method.keys), dtype=np.int16)
    same: NDArray[np.int16] | None = None
    for count in range(1, LAST_ROW + 1):
        free = count > method.largest + method.smallest
        if same is None or not free:
            row = _row(count, method)
            same = row if free else None
        changes[count] = row
    return PTable(changes)


def probabilities(count: int, method: CellKey) -> tuple[IntArray, NDArray[np.float64]]:
    """The changes that a count may have, ascending, and how likely each is."""
    support = np.arange(-method.largest, method.largest + 1)
    after = count + support
    support = support[(after == 0) | (after > method.smallest)]
    if not (len(support) and support[0] < 0 < support[-1]) and not np.array_equal(support, [0]):
        raise InputError(
            f"a count of {count} cannot change without bias",
            where="method cell-key",
            fix="use a greater `largest`, or a smaller `smallest`",
        )
    below, above = int(support[support <= 0][-1]), int(support[support >= 0][0])
    narrowest = -below * above
    widest = -int(support[0]) * int(support[-1])
    variance = float(np.clip(method.variance, narrowest, widest))
    if below == above == 0:
        tightest = np.where(support == 0, 1.0, 0.0)
    else:
        tightest = np.where(support == below, above, np.where(support == above, -below, 0)) / (above - below)
    if variance <= narrowest + _FLAT:
        return support, tightest
    if variance >= widest - _FLAT:
        ends = np.where(support == support[0], support[-1], 0) - np.where(
            support == support[-1], support[0], 0
        )
        return support, ends / (support[-1] - support[0])
    return support, _greatest_entropy(support.astype(float), variance)


def _greatest_entropy(support: NDArray[np.float64], variance: float) -> NDArray[np.float64]:
    """exp(a v + b v^2), normed, with mean 0 and the variance: Newton's method on the dual, damped."""
    moments = np.stack([support, support**2 - variance])
    scale = np.abs(moments).max(axis=1, keepdims=True)
    moments = moments / scale

    def value(at: NDArray[np.float64]) -> float:
        power = at @ moments
        top = power.max()
        return float(top + np.log(np.exp(power - top).sum()))

    at = np.zeros(2)
    for _ in range(_NEWTON):
        power = at @ moments
        weight = np.exp(power - power.max())
        weight /= weight.sum()
        slope = moments @ weight
        if np.abs(slope).max() < _FLAT:
            break
        bend = (moments * weight) @ moments.T - np.outer(slope, slope)
        step = np.linalg.solve(bend + _FLAT * np.eye(2), -slope)
        length, now = 1.0, value(at)
        while length > 1e-6 and value(at + length * step) > now + 1e-4 * length * (slope @ step):
            length /= 2
        at = at + length * step
    power = at @ moments
    weight = np.exp(power - power.max())
    return np.asarray(weight / weight.sum())


def _row(count: int, method: CellKey) -> NDArray[np.int16]:
    """The change for each cell key."""
    support, likely = probabilities(count, method)
    wanted = likely * method.keys
    shares = np.floor(wanted).astype(np.int64)
    # Largest remainders first; then no change that may be is left without a key.
    for place in np.argsort(-(wanted - shares), kind="stable")[: method.keys - int(shares.sum())]:
        shares[place] += 1
    for place in np.flatnonzero(shares == 0):
        shares[place] += 1
        shares[int(np.argmax(shares))] -= 1
    _unbiased(support, shares)
    return np.repeat(support, shares).astype(np.int16)


def _unbiased(support: IntArray, shares: IntArray) -> None:
    """Moves single keys between neighbouring changes until the mean is as near to 0 as they allow."""
    while True:
        bias = int(support @ shares)
        step = 1 if bias < 0 else -1
        best, place = abs(bias), -1
        for here in range(len(support)):
            there = here + step
            if 0 <= there < len(support) and shares[here] > 1:
                left = abs(bias + int(support[there] - support[here]))
                if left < best or (left == best and place >= 0 and shares[here] > shares[place]):
                    best, place = left, here
        if place < 0:
            return
        shares[place] -= 1
        shares[place + step] += 1


def additive(
    rules: Relations,
    counts: IntArray,
    noisy: IntArray,
    *,
    secret: bytes,
    progress: Callable[[str], None] | None = None,
) -> IntArray:
    """(cells,) whole numbers, 0 or more, near to the noisy ones, that add up; where a count is 0, 0.

    The nearest by squared distance, then whole numbers beside them. counts: (cells,) the true ones, which are
    asked only whether they are 0.
    """
    zeros = counts == 0
    near = projected(rules, noisy.astype(float), zeros=zeros)
    near[zeros] = 0.0
    # Nearly whole is not whole here: the projection is near, not exact, so a number may move by one more.
    ties = (uniforms(cell_names(rules.space, derived(secret, "additive")), counts) - 0.5) * 1e-5
    found = adjacent(rules, near, further=None, ties=ties, progress=progress)
    if found is None:
        raise InputError(
            "no whole numbers add up beside the true zeros", where=f"source {rules.space.source!r}"
        )
    return found
