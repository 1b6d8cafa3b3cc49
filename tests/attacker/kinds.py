"""Further kinds of random sources: sums with bounds, persons who overlap, and all units at once.

Each kind is a function from a number to an instance. KINDS names them all; a campaign goes through each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from clerestory.tables import RECORDS, Axis, CellSpace, Unit
from tests.attacker.instances import (
    PERSONS,
    Instance,
    Rows,
    counted,
    counts_of,
    instance,
    policy_of,
    space_of,
)
from tests.attacker.kinds_attributes import attributes

BOUNDS = ((0, 1), (0, 4), (1, 3), (2, 2), (1, 9))
"""What one record adds to a sum, at least and at most."""


def sums(seed: int) -> Instance:
    """Records beside sums of a measure, in some tables one of them alone."""
    draw = random.Random(seed)
    fee = Unit("sum", measure="fee", bounds=draw.choice(BOUNDS))

    def units(draw: random.Random, axes: Sequence[Axis]) -> list[Unit]:
        return draw.choice([[RECORDS, fee], [RECORDS, fee], [fee], [RECORDS]])

    return _made(seed, "sums", draw, units)


def overlapping(seed: int) -> Instance:
    """Persons who count in every category of one axis that they have a record in, beside records."""
    draw = random.Random(seed)
    axis = draw.choice([0, 0, 1])

    def units(draw: random.Random, axes: Sequence[Axis]) -> list[Unit]:
        persons = Unit("persons", overlapping=frozenset({axes[min(axis, len(axes) - 1)].name}))
        return draw.choice([[persons], [RECORDS, persons], [RECORDS, persons]])

    return _made(seed, "overlapping", draw, units)


def all_units(seed: int) -> Instance:
    """Records, persons at their first record, and sums."""
    draw = random.Random(seed)
    fee = Unit("sum", measure="fee", bounds=draw.choice(BOUNDS))

    def units(draw: random.Random, axes: Sequence[Axis]) -> list[Unit]:
        return draw.sample([RECORDS, PERSONS, fee], draw.choice([1, 2, 3]))

    return _made(seed, "all units", draw, units)


Units = Callable[[random.Random, Sequence[Axis]], list[Unit]]


def _made(seed: int, kind: str, draw: random.Random, units: Units) -> Instance:
    random_ = np.random.default_rng(seed)
    space = space_of(draw, units)
    while space is None or len(space) < 6:
        space = space_of(draw, units)
    shape = tuple(len(axis.categories) for axis in space.axes)
    counts = counts_of(draw, random_, shape, draw.choice(["skewed", "skewed", "skewed", "all small"]))
    where = np.repeat(np.arange(counts.size), counts.ravel())
    coordinates = np.array(np.unravel_index(where, shape)).reshape(len(shape), -1)
    overlap = set().union(*space.overlapping)
    rows = Rows(
        coordinates,
        _people(draw, random_, space, coordinates, overlap),
        {
            unit.measure: random_.integers(unit.bounds[0], unit.bounds[1] + 1, size=len(where))
            for unit in space.unit_list
            if unit.kind == "sum"
        },
    )
    told_apart = any(unit.kind == "persons" for unit in space.unit_list) or draw.random() < 0.2
    return Instance(seed, kind, counted(space, rows, told_apart=told_apart), policy_of(draw))


def _people(
    draw: random.Random,
    random_: np.random.Generator,
    space: CellSpace,
    coordinates: NDArray[np.int64],
    overlap: set[str],
) -> NDArray[np.int64]:
    """(records,) whose each is. Who overlaps on an axis has one category on every other one."""
    size = coordinates.shape[1]
    repeats = draw.choice([1.0, 1.3, 2.0])
    if not overlap:
        return np.asarray(random_.integers(0, max(1, int(size / repeats)), size=size))
    fixed = [i for i, axis in enumerate(space.axes) if axis.name not in overlap]
    place = np.zeros(size, dtype=np.int64)
    for axis in fixed:
        place = place * len(space.axes[axis].categories) + coordinates[axis]
    crowd = np.bincount(place, minlength=1)[place] if size else place
    return np.asarray(
        place * 1_000_000 + random_.integers(0, np.maximum(1, (crowd / repeats).astype(np.int64)))
    )


Kind = Callable[[int], Instance]

KINDS: Mapping[str, Kind] = {
    "counts": instance,
    "sums": sums,
    "overlapping": overlapping,
    "all units": all_units,
    "attributes": attributes,
}
