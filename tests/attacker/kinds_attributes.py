"""Random sources with a sensitive dimension, in tables that may hide zeros."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import OriginalCells
from clerestory.tables import RECORDS, Attribute, CellSpace, link_tables
from tests.attacker.instances import MOST_CELLS, Instance, Rows, counted, counts_of, policy_of, space_of


def attributes(seed: int) -> Instance:
    """Records in tables that may hide zeros; of most of them the first dimension is sensitive.

    Whole groups are in one category now and then: of everybody in a category of the other axes, all.
    """
    draw = random.Random(seed)
    random_ = np.random.default_rng(seed)
    space = _space(draw)
    shape = tuple(len(axis.categories) for axis in space.axes)
    counts = counts_of(draw, random_, shape, draw.choice(["skewed", "skewed", "all large"]))
    sensitive = {layout.design.dimensions[0].axis for layout in space.layouts if layout.design.attributes}
    for number, axis in enumerate(space.axes):
        if axis.name in sensitive:
            counts = np.moveaxis(_gathered(random_, np.moveaxis(counts, number, 0)), 0, number)
    where = np.repeat(np.arange(counts.size), counts.ravel())
    coordinates = np.array(np.unravel_index(where, shape)).reshape(len(shape), -1)
    made: OriginalCells = counted(space, Rows(coordinates, np.arange(len(where)), {}), told_apart=False)
    return Instance(seed, "attributes", made, policy_of(draw))


def _gathered(random_: np.random.Generator, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Some columns with everybody in one category."""
    flat = counts.reshape(len(counts), -1).copy()
    for column in np.flatnonzero(random_.random(flat.shape[1]) < 0.25).tolist():
        total = flat[:, column].sum()
        flat[:, column] = 0
        flat[random_.integers(len(flat)), column] = total
    return flat.reshape(counts.shape)


def _space(draw: random.Random) -> CellSpace:
    while True:
        plain = space_of(draw, lambda draw, axes: [RECORDS])
        if plain is None or len(plain) < 6:
            continue
        designs = [replace(layout.design, zeros_shown=False) for layout in plain.layouts]
        designs = [
            replace(design, attributes=(Attribute(design.dimensions[0].name, draw.choice([1, 2, 3])),))
            if draw.random() < 0.7
            else design
            for design in designs
        ]
        space = link_tables("source", plain.axes, designs, maximum_cells=4 * MOST_CELLS)
        if len(space.attribute_pairs[0]):
            return space
