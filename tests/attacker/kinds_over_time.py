"""Random sources with two releases: tables that get another year, and tables that get more records."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import OriginalCells
from clerestory.policy import Policy
from clerestory.tables import RECORDS, Axis, CellSpace, Changes, Dimension, TableDesign, link_tables
from tests.attacker.instances import MOST_CELLS, Rows, counted, counts_of, policy_of, restricted, space_of


@dataclass(frozen=True, eq=False)
class TwoReleases:
    """The true cells of a source at two times, and how its tables say that they change."""

    seed: int
    changes: Changes
    earlier: OriginalCells
    later: OriginalCells
    policy: Policy


def two_releases(seed: int) -> TwoReleases:
    """The pair of this number. Frozen: the first axis gets categories. Cumulative: cells get records."""
    draw = random.Random(seed)
    random_ = np.random.default_rng(seed)
    changes = draw.choice([Changes.FROZEN, Changes.CUMULATIVE])
    while True:
        space = space_of(draw, lambda draw, axes: [RECORDS])
        fits = space is not None and 4 <= len(space) <= MOST_CELLS // 2
        if space is not None and fits and len(space.axes[0].categories) > 1:
            break
    later = _changing(space, changes)
    shape = tuple(len(axis.categories) for axis in later.axes)
    then = counts_of(draw, random_, shape, draw.choice(["skewed", "skewed", "all small"]))
    if changes is Changes.FROZEN:
        size = draw.randint(1, shape[0] - 1)
        earlier = _until(later, size)
        return TwoReleases(
            seed, changes, _original(earlier, then[:size]), _original(later, then), policy_of(draw)
        )
    came = random_.choice([0, 0, 0, 1, 3, 20], size=shape)
    return TwoReleases(seed, changes, _original(later, then), _original(later, then + came), policy_of(draw))


def _original(space: CellSpace, counts: NDArray[np.int64]) -> OriginalCells:
    where = np.repeat(np.arange(counts.size), counts.ravel())
    coordinates = np.array(np.unravel_index(where, counts.shape)).reshape(counts.ndim, -1)
    return counted(space, Rows(coordinates, np.arange(len(where)), {}), told_apart=False)


def _changing(space: CellSpace, changes: Changes) -> CellSpace:
    designs = [replace(layout.design, changes=changes) for layout in space.layouts]
    return link_tables(space.source, space.axes, designs, maximum_cells=4 * MOST_CELLS)


def _until(space: CellSpace, size: int) -> CellSpace:
    """The same tables when only so many categories of the first axis had come."""
    first = space.axes[0]
    axes = (Axis(first.name, first.categories[:size]), *space.axes[1:])
    there = np.arange(len(first.categories)) < size
    designs: list[TableDesign] = []
    for layout in space.layouts:
        design = layout.design
        select = {a: (m[:size] if a == first.name else m) for a, m in design.select.items()}
        if any(not members.any() for members in select.values()):
            continue
        dimensions = tuple(
            _cut(restricted(d, there), size) if d.axis == first.name else d for d in design.dimensions
        )
        designs.append(replace(design, dimensions=dimensions, select=select))
    return link_tables(space.source, axes, designs, maximum_cells=4 * MOST_CELLS)


def _cut(dimension: Dimension, size: int) -> Dimension:
    return replace(dimension, members=dimension.members[:, :size])
