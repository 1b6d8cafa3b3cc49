"""Small linked tables, drawn or random, and their cells straight from a population of finest cells."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from clerestory.tables import (
    RECORDS,
    Axis,
    CellSpace,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    Unit,
    link_tables,
    text,
)

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class Draw:
    """Makes dimensions, spaces, and the values of their cells."""

    @staticmethod
    def dimension(name: str, axis: str, members: Sequence[BoolArray], parents: Sequence[int]) -> Dimension:
        """A tree over an axis, its nodes named by name and position."""
        depth = [0] * len(parents)
        for node, parent in enumerate(parents):
            depth[node] = depth[parent] + 1 if parent >= 0 else 0
        levels = tuple(f"level {i + 1}" for i in range(max(depth)))
        nodes = tuple(
            Node(f"{name}{i}" if i else "all", text(f"{name}{i}"), levels[depth[i] - 1] if i else "all", p)
            for i, p in enumerate(parents)
        )
        return Dimension(name, text(name), axis, levels, nodes, np.array(members, dtype=bool))

    @classmethod
    def flat(cls, name: str, size: int) -> Dimension:
        """One level: the total and every category of the axis of the same name."""
        members = [np.ones(size, dtype=bool), *np.eye(size, dtype=bool)]
        return cls.dimension(name, name, members, [-1] + [0] * size)

    @staticmethod
    def axis(name: str, size: int) -> Axis:
        """An axis with numbered categories."""
        return Axis(name, tuple(str(i) for i in range(size)))

    @classmethod
    def table(
        cls,
        name: str,
        dimensions: Sequence[Dimension],
        margins: Sequence[Sequence[str]],
        *,
        select: Mapping[str, BoolArray] | None = None,
        unit: Unit = RECORDS,
    ) -> TableDesign:
        """A table design with plain titles."""
        return TableDesign(
            name, text(name), unit, tuple(dimensions), tuple(tuple(m) for m in margins), select or {}
        )

    @classmethod
    def grid(cls, *sizes: int) -> CellSpace:
        """One table of all margins of flat dimensions a, b, c ..."""
        names = "abcdef"[: len(sizes)]
        dimensions = [cls.flat(name, size) for name, size in zip(names, sizes, strict=True)]
        axes = [cls.axis(name, size) for name, size in zip(names, sizes, strict=True)]
        return link_tables("drawn", axes, [cls.table("t", dimensions, [names])], maximum_cells=10**6)

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        *,
        axes: int = 3,
        tables: int = 2,
        select: bool = True,
        complete: bool = False,
    ) -> CellSpace:
        """Random linked hierarchical tables; complete: trees go down to single categories, no where."""
        made = [cls.axis(f"A{i}", int(rng.integers(2, 5))) for i in range(axes)]
        shared: dict[tuple[int, int], Dimension] = {}
        designs = []
        for number in range(tables):
            chosen: dict[str, BoolArray] = {}
            dimensions = []
            for i, axis in enumerate(made):
                size = len(axis.categories)
                members = rng.random(size) < 0.6
                if select and rng.random() < 0.3 and members.any() and not members.all():
                    chosen[axis.name] = members
                for again in range(1 + int(rng.random() < 0.15)):
                    whole = chosen.get(axis.name, np.ones(size, dtype=bool))
                    tree = cls._tree(rng, f"d{i}{again}", axis.name, whole, 5 if complete else 2)
                    if axis.name not in chosen:
                        tree = shared.setdefault((i, again), tree)
                    dimensions.append(tree)
            names = [dimension.name for dimension in dimensions]
            count = int(rng.integers(1, 3))
            margins = [
                rng.permutation(names)[: rng.integers(0, len(names) + 1)].tolist() for _ in range(count)
            ]
            designs.append(cls.table(f"t{number}", dimensions, margins, select=chosen))
        return link_tables("random", made, designs, maximum_cells=10**6)

    @classmethod
    def _tree(cls, rng: np.random.Generator, name: str, axis: str, whole: BoolArray, depth: int) -> Dimension:
        members, parents, front = [whole], [-1], [0]
        for _ in range(depth):
            following = []
            for node in front:
                inside = np.flatnonzero(members[node])
                if len(inside) < 2:
                    continue
                parts = int(rng.integers(2, len(inside) + 1))
                label = rng.permutation(
                    np.concatenate([np.arange(parts), rng.integers(0, parts, len(inside) - parts)])
                )
                for part in range(parts):
                    child = np.zeros_like(whole)
                    child[inside[label == part]] = True
                    members.append(child)
                    parents.append(node)
                    following.append(len(members) - 1)
            front = following
        return cls.dimension(name, axis, members, parents)

    @staticmethod
    def incidence(space: CellSpace) -> IntArray:
        """(cells, finest cells) 1 where a finest cell lies in a cell."""
        return np.array(
            [
                functools.reduce(
                    np.kron,
                    [space.sets[a][cell[a]].astype(np.int64) for a in range(len(space.axes))],
                )
                for cell in space.cells
            ]
        )

    @staticmethod
    def public(space: CellSpace, values: IntArray, hidden: BoolArray) -> PublicCells:
        """What is seen when these cells are hidden."""
        return PublicCells(space, np.where(hidden, 0, values), hidden)


@pytest.fixture
def draw() -> type[Draw]:
    return Draw


@pytest.fixture
def cell_of() -> Callable[[CellSpace, Mapping[str, str]], int]:
    """Finds a cell of a drawn grid by its categories: {"a": "a1"}."""

    def find(space: CellSpace, where: Mapping[str, str]) -> int:
        layout = space.layouts[0]
        nodes = [dimension.index(where.get(dimension.name, "all")) for dimension in layout.design.dimensions]
        row = np.flatnonzero((layout.coords == np.array(nodes)).all(axis=1))[0]
        return int(layout.cells[row])

    return find
