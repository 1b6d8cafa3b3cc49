"""How many people each cell could be about, from the reference files that tables name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.design.plan import Plan
from clerestory.project import Population
from clerestory.tables import CellSpace, Dimension, Layout
from clerestory.tables.space import IntArray


def populations_of(plan: Plan, space: CellSpace) -> IntArray | None:
    """(cells,) people in the categories of each cell, the least that any table says; -1 where none says.

    None if no table names a reference file. A category that the file has no row for holds nobody.
    """
    said = {table.name: table.population for table in plan.tables if table.population is not None}
    if not said:
        return None
    people = np.full(len(space), -1, dtype=np.int64)
    for layout in space.layouts:
        population = said.get(layout.design.name)
        if population is not None:
            own = population_rows(layout, population)
            before = people[layout.cells]
            people[layout.cells] = np.where(before >= 0, np.minimum(before, own), own)
    return people


def population_rows(layout: Layout, population: Population) -> IntArray:
    """(rows,) people in the categories of each row of a table."""
    at = {dimension.name: place for place, dimension in enumerate(layout.design.dimensions)}
    own = [layout.design.dimensions[at[name]] for name in population.dimensions]
    leaves = [
        {dimension.nodes[node].code: k for k, node in enumerate(dimension.leaves())} for dimension in own
    ]
    counts = np.zeros(tuple(len(codes) for codes in leaves), dtype=np.int64)
    for key, number in population.counts.items():
        place = tuple(codes.get(code, -1) for codes, code in zip(leaves, key, strict=True))
        if -1 not in place:
            counts[place] += number
    for axis, dimension in enumerate(own):
        counts = np.moveaxis(np.tensordot(_below(dimension), counts, axes=(1, axis)), 0, axis)
    return np.asarray(counts[tuple(layout.coords[:, at[name]] for name in population.dimensions)])


def _below(dimension: Dimension) -> NDArray[np.int64]:
    """(nodes, leaves) 1 where a leaf is a node or below it."""
    leaves = dimension.leaves()
    below = np.zeros((len(dimension.nodes), len(leaves)), dtype=np.int64)
    for place, leaf in enumerate(leaves):
        node = leaf
        while node >= 0:
            below[node, place] = 1
            node = dimension.nodes[node].parent
    return below
