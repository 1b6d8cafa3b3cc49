"""Differential privacy: noise on every cell, drawn by OpenDP, then whole numbers that add up.

The unit is a person: with or without all records of any one person, a release is nearly as likely. What one
person can change is bounded before: `records` of each person count at most, a cell stands once however many
tables show it, and a record is in no more cells than there are layers of the design that hold it.
Sources: Bun and Steinke (2016), Concentrated differential privacy (zCDP, composition: lemma 1.7; pure DP
implies zCDP: proposition 1.4); Canonne, Kamath and Steinke (2020), The discrete Gaussian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nextafter, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Relations
from clerestory.confidential.keyed import cell_names, derived, uniforms
from clerestory.confidential.protect.additive import adjacent, projected
from clerestory.errors import InputError, Undecided
from clerestory.methods import DifferentialPrivacy, Mechanism
from clerestory.tables import CellSpace, Unit
from clerestory.tables.space import IntArray

_NUDGES = 64


@dataclass(frozen=True)
class Sensitivity:
    """How much all cells of a unit change with one person more or less: sum of changes, root of squares."""

    unit: Unit
    cells: int
    absolute: int
    squared: int

    @property
    def euclidean(self) -> float:
        """The root of `squared`, never less than it."""
        return nextafter(sqrt(self.squared), inf)


@dataclass(frozen=True)
class Measurement:
    """The noise of one unit: its scale, and what it spends, as OpenDP computes it."""

    sensitivity: Sensitivity
    scale: float
    rho: float


def layers_of(space: CellSpace, unit: int) -> int:
    """In how many cells of a unit one record can be, at most.

    The sets of each axis are put in layers within which none overlap; cells whose sets lie in the same layers
    overlap as little, so a record is in one cell of each combination of layers. Exact for trees.
    """
    own = space.cells[space.units == unit]
    if not len(own):
        return 0
    columns = [_layer_numbers(sets)[own[:, axis]] for axis, sets in enumerate(space.sets)]
    return len(np.unique(np.column_stack(columns), axis=0)) if columns else 1


def _layer_numbers(sets: NDArray[np.bool_]) -> IntArray:
    """(sets,) the layer of each set: large sets first, each in the first layer that it does not overlap."""
    numbers = np.zeros(len(sets), dtype=np.int64)
    taken: list[NDArray[np.bool_]] = []
    for place in np.argsort(-sets.sum(axis=1), kind="stable"):
        for number, covered in enumerate(taken):
            if not np.any(covered & sets[place]):
                covered |= sets[place]
                numbers[place] = number
                break
        else:
            numbers[place] = len(taken)
            taken.append(sets[place].copy())
    return numbers


def sensitivities(space: CellSpace, method: DifferentialPrivacy) -> tuple[Sensitivity, ...]:
    """For each unit of a source, what one person can change.

    Records: in each layer his records change cells by `records` altogether, and at worst one cell by all of
    them. Persons: by one in each layer, or, where they overlap, in at most `records` cells of each layer.
    """
    found = []
    for number, unit in enumerate(space.unit_list):
        layers = layers_of(space, number)
        most, each = method.records, 1
        if unit.kind == "sum":
            each = max(abs(bound) for bound in unit.bounds)
        elif unit.kind == "persons" and not space.overlapping[number]:
            most = 1
        elif unit.kind == "persons":
            found.append(Sensitivity(unit, 0, most * layers, most * layers))
            continue
        found.append(Sensitivity(unit, 0, most * each * layers, (most * each) ** 2 * layers))
    return tuple(
        Sensitivity(one.unit, int((space.units == number).sum()), one.absolute, one.squared)
        for number, one in enumerate(found)
    )


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ImportError:
        raise InputError(
            "differential privacy needs OpenDP",
            where="method differential-privacy",
            fix='install it: pip install "clerestory[noise]"',
        ) from None
    dp.enable_features("contrib")
    return dp


def _mechanism(dp: Any, method: DifferentialPrivacy, scale: float) -> Any:
    metric = dp.l1_distance(T=int) if method.mechanism is Mechanism.LAPLACE else dp.l2_distance(T=float)
    space = dp.vector_domain(dp.atom_domain(T=int)), metric
    if method.mechanism is Mechanism.LAPLACE:
        return dp.m.make_laplace(*space, scale)
    return dp.m.make_gaussian(*space, scale)


def _spent(measure: Any, method: DifferentialPrivacy, sensitivity: Sensitivity) -> float:
    """The rho that a mechanism spends on one unit, by OpenDP's own map."""
    if method.mechanism is Mechanism.LAPLACE:
        return float(measure.map(d_in=sensitivity.absolute)) ** 2 / 2
    return float(measure.map(d_in=sensitivity.euclidean))


def measurements(space: CellSpace, method: DifferentialPrivacy) -> tuple[Measurement, ...]:
    """The noise of each unit; together they spend at most the method's rho, shared equally.

    Raises InputError where OpenDP is not installed.
    """
    dp = _opendp()
    wanted = sensitivities(space, method)
    found = []
    for one in wanted:
        share = method.rho / len(wanted)
        if method.mechanism is Mechanism.LAPLACE:
            scale = one.absolute / sqrt(2 * share)
        else:
            scale = one.euclidean / sqrt(2 * share)
        for _ in range(_NUDGES):
            spent = _spent(_mechanism(dp, method, scale), method, one)
            if spent <= share:
                break
            scale *= 1 + 1e-12 + (spent / share - 1)
        else:
            raise Undecided("no scale of noise keeps to rho", where=f"source {space.source!r}")
        found.append(Measurement(one, scale, spent))
    return tuple(found)


def drawn(space: CellSpace, values: IntArray, method: DifferentialPrivacy) -> IntArray:
    """(cells,) the true numbers with noise, by OpenDP's secure randomness: another draw each time."""
    dp = _opendp()
    noisy = np.zeros(len(values), dtype=np.int64)
    for number, one in enumerate(measurements(space, method)):
        own = np.flatnonzero(space.units == number)
        if len(own):
            noisy[own] = _mechanism(dp, method, one.scale)(values[own].tolist())
    return noisy


def consistent(
    rules: Relations,
    noisy: IntArray,
    *,
    secret: bytes,
    progress: Callable[[str], None] | None = None,
) -> IntArray:
    """(cells,) whole numbers, 0 or more, that add up, near to the noisy ones, from these alone."""
    nothing = np.zeros(len(noisy), dtype=bool)
    near = projected(rules, noisy.astype(float), zeros=nothing)
    # A number that is nearly 0 is not known to be 0: it may still move.
    near = np.maximum(near, 1e-5)
    ties = (uniforms(cell_names(rules.space, derived(secret, "noise")), noisy) - 0.5) * 1e-5
    found = adjacent(rules, near, further=None, ties=ties, progress=progress)
    if found is None:
        raise Undecided("no whole numbers add up", where=f"source {rules.space.source!r}")
    return found
