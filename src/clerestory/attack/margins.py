"""Which margins of a source need whole tables of finest cells, and which glue together without them.

Take each published margin as a set of variables: an axis at a level of detail, which knows its coarser ones.
Where these sets form an acyclic hypergraph (the margins of a decomposable model), whole-number tables of the
margins that agree where they overlap always have a common whole-number table of finest cells: it is built
margin by margin, and for each value of the overlap it is a two-way table with given sides. So a reader who
knows the finest cells knows nothing more. What is left after removing such margins is the core.
Source: Dobra and Fienberg, "Bounds for cell entries in contingency tables given marginal totals and
decomposable graphs", PNAS 97 (2000); the reduction is Graham's, as in Beeri, Fagin, Maier and Yannakakis,
"On the desirability of acyclic database schemes", JACM 30 (1983).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from clerestory.tables import CellSpace
from clerestory.tables.space import Block

BoolArray = NDArray[np.bool_]
Partition = frozenset[int]
"""Set ids of an axis that are disjoint and make it up."""
Vertex = tuple[int, int]
"""An axis, and how fine: 0 is the finest partition that any margin uses, larger numbers are coarser."""


@dataclass(frozen=True)
class Core:
    """Margins that hang together in a cycle. parts: for each axis they use, disjoint sets (n, categories)."""

    parts: dict[int, BoolArray]

    @property
    def size(self) -> int:
        """How many finest cells its axes have at this detail."""
        return int(np.prod([len(sets) for sets in self.parts.values()], dtype=object))


def cores(space: CellSpace) -> tuple[Core, ...]:
    """The cores of a source's margins; none where level 3 is level 2."""
    edges = _edges(space)
    if edges is None or any(space.overlapping):
        return (Core(_atoms(space, range(len(space.axes)))),)
    margins, partitions = edges
    largest = [edge for edge in margins if not any(edge < other for other in margins)]
    if len(largest) > 1 and not _unit_by_unit(space):
        return (Core(_atoms(space, range(len(space.axes)))),)
    published = {tuple(cell) for cell in space.cells.tolist()}
    found = []
    for group in _connected(_reduced(margins)):
        if not all(_is_published(space, edge, partitions, published) for edge in group):
            return (Core(_atoms(space, range(len(space.axes)))),)
        finest: dict[int, int] = {}
        for axis, rank in sorted({vertex for edge in group for vertex in edge}):
            finest[axis] = min(rank, finest.get(axis, rank))
        parts = {axis: space.sets[axis][sorted(partitions[axis][rank])] for axis, rank in finest.items()}
        found.append(Core(parts))
    return tuple(found)


def _unit_by_unit(space: CellSpace) -> bool:
    """Whether tables of all units glue together if those of each do.

    Records less one count of persons are a count too, so these two can be glued one after the other. A sum
    that its records bound, or two counts of persons within the same records, cannot.
    """
    kinds = Counter(unit.kind for unit in space.unit_list)
    return len(space.unit_list) == 1 or (kinds["sum"] == 0 and kinds["persons"] <= 1)


def _is_published(
    space: CellSpace,
    edge: frozenset[Vertex],
    partitions: list[list[Partition]],
    published: set[tuple[int, ...]],
) -> bool:
    """Whether every cell of what is left of a margin is published: its table may not have these levels."""
    sides: list[list[int]] = [[0] for _ in space.axes]
    for axis, rank in sorted(edge, reverse=True):
        sides[axis] = sorted(partitions[axis][rank])
    return all(cell in published for cell in product(*sides))


def _edges(space: CellSpace) -> tuple[list[frozenset[Vertex]], list[list[Partition]]] | None:
    """The margins as sets of vertices, and the partitions of each axis from fine to coarse.

    None where they cannot be told that way: a table is restricted, levels do not nest, or units differ.
    """
    by_unit: dict[int, set[tuple[tuple[int, Partition], ...]]] = {}
    for blocks, layout in zip(space.blocks, space.layouts, strict=True):
        if layout.design.select:
            return None
        unit = space.unit_list.index(layout.design.unit)
        for block in blocks:
            sides = _sides(space, block)
            if sides is None:
                return None
            by_unit.setdefault(unit, set()).add(sides)
    margins = list(by_unit.values())
    if any(other != margins[0] for other in margins[1:]):
        return None
    ordered: list[list[Partition]] = []
    for axis in range(len(space.axes)):
        used = {partition for margin in margins[0] for a, partition in margin if a == axis}
        chain = sorted(used, key=lambda partition: (-len(partition), sorted(partition)))
        if not all(_refines(space.sets[axis], a, b) for a, b in pairwise(chain)):
            return None
        ordered.append(chain)
    edges = {
        frozenset(
            (axis, rank)
            for axis, partition in margin
            for rank in range(ordered[axis].index(partition), len(ordered[axis]))
        )
        for margin in margins[0]
    }
    return sorted(edges, key=sorted), ordered


def _sides(space: CellSpace, block: Block) -> tuple[tuple[int, Partition], ...] | None:
    """For each axis that a margin divides, its finest sets; None if they do not make up the axis."""
    sides = []
    for axis, ids in zip(block.axes, block.sets, strict=True):
        own = np.unique(ids[ids >= 0])
        sets = space.sets[axis]
        sizes = sets[own].sum(axis=1)
        shared = sets[own].astype(np.int64) @ sets[own].T.astype(np.int64)
        contains = (shared == sizes[None, :]) & (sizes[None, :] < sizes[:, None])
        leaves = own[~contains.any(axis=1)]
        if not np.array_equal(sets[leaves].sum(axis=0), np.ones(sets.shape[1])):
            return None
        if len(leaves) > 1:
            sides.append((axis, frozenset(leaves.tolist())))
    return tuple(sides)


def _refines(sets: BoolArray, fine: Partition, coarse: Partition) -> bool:
    inside = sets[sorted(fine)].astype(np.int64) @ sets[sorted(coarse)].T.astype(np.int64)
    return bool(np.all((inside > 0).sum(axis=1) == 1))


def _reduced(margins: list[frozenset[Vertex]]) -> list[frozenset[Vertex]]:
    """What Graham's reduction leaves: nothing, where the margins are acyclic."""
    edges = list(margins)
    while True:
        count = Counter(vertex for edge in edges for vertex in edge)
        trimmed = [frozenset(v for v in edge if count[v] > 1) for edge in edges]
        kept: list[frozenset[Vertex]] = []
        for edge in sorted(set(trimmed), key=lambda e: (-len(e), sorted(e))):
            if edge and not any(edge <= other for other in kept):
                kept.append(edge)
        if kept == edges:
            return kept
        edges = kept


def _connected(edges: list[frozenset[Vertex]]) -> list[list[frozenset[Vertex]]]:
    groups: list[list[frozenset[Vertex]]] = []
    for edge in edges:
        linked = [group for group in groups if any({a for a, _ in e} & {a for a, _ in edge} for e in group)]
        groups = [group for group in groups if group not in linked]
        groups.append([edge, *(e for group in linked for e in group)])
    return groups


def _atoms(space: CellSpace, axes: range) -> dict[int, BoolArray]:
    """For each axis the classes of categories that some published set tells apart, if several."""
    found = {}
    for axis in axes:
        _, label = np.unique(space.sets[axis], axis=1, return_inverse=True)
        label = label.ravel()
        if label.max(initial=0) > 0:
            found[axis] = np.array([label == number for number in range(int(label.max()) + 1)])
    return found
