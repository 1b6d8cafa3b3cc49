"""Records that were made up, and the original cells that they give."""

from __future__ import annotations

import numpy as np
import pytest

from clerestory.confidential.original import OriginalCells
from clerestory.policy import Policy
from clerestory.tables import RECORDS, CellSpace, Dimension, Node, TableDesign, Unit, link_tables, text
from clerestory.tables import Axis as _Axis


class Made:
    """Linked tables over flat or two-level dimensions, counted from made-up records."""

    @staticmethod
    def policy(minimum: int = 11, width: int = 9) -> Policy:
        return Policy("test", "none", minimum, width)

    @staticmethod
    def dimension(name: str, size: int, groups: int = 0) -> Dimension:
        """Every category, and above them as many groups as asked for."""
        members, nodes = [np.ones(size, dtype=bool)], [Node("all", text("all"), "all", -1)]
        finest = "group" if not groups else "category"
        for number in range(groups):
            members.append(np.arange(size) % groups == number)
            nodes.append(Node(f"{name}-group{number}", text("group"), "group", 0))
        for category in range(size):
            members.append(np.arange(size) == category)
            parent = 1 + category % groups if groups else 0
            nodes.append(Node(f"{name}{category}", text("category"), finest, parent))
        levels = ("group", "category") if groups else ("group",)
        return Dimension(name, text(name), name, levels, tuple(nodes), np.array(members))

    @classmethod
    def space(
        cls,
        sizes: dict[str, tuple[int, int]],
        margins: list[tuple[str, ...]],
        units: tuple[Unit, ...] = (RECORDS,),
        adults: str = "",
    ) -> CellSpace:
        """sizes: name -> (categories, groups). adults: the axis that a second table restricts."""
        dimensions = tuple(cls.dimension(name, *size) for name, size in sizes.items())
        axes = [_Axis(name, tuple(map(str, range(size)))) for name, (size, _) in sizes.items()]
        designs = [
            TableDesign(f"by {unit.name}", text("t"), unit, dimensions, tuple(margins), {}) for unit in units
        ]
        if adults:
            select = {adults: np.arange(sizes[adults][0]) > 0}
            others = tuple(d for d in dimensions if d.name != adults)
            names = (tuple(d.name for d in others),)
            designs.append(TableDesign("adults", text("t"), units[0], others, names, select))
        return link_tables("made", axes, designs, maximum_cells=10**6)

    @staticmethod
    def original(
        space: CellSpace, seed: int, records: int, *, overlapping: int = -1, skew: float = 0.6
    ) -> OriginalCells:
        """Counts of made-up records, two a person; overlapping: the axis of which a person has several."""
        rng = np.random.default_rng(seed)
        people = max(1, records // 2)
        sizes = [len(axis.categories) for axis in space.axes]
        of = np.column_stack([rng.choice(n, people, p=rng.dirichlet(np.full(n, skew))) for n in sizes])
        person = rng.integers(0, people, records)
        finest = of[person]
        if overlapping >= 0:
            moved = rng.random(records) < 0.4
            finest[moved, overlapping] = rng.integers(0, sizes[overlapping], int(moved.sum()))
        fee = rng.integers(2, 7, records)
        counts = np.zeros((3, len(space)), dtype=np.int64)
        for cell, box in enumerate(space.cells):
            inside = np.ones(records, dtype=bool)
            for axis, members in enumerate(space.sets):
                inside &= members[box[axis]][finest[:, axis]]
            counts[:, cell] = inside.sum(), len(np.unique(person[inside])), fee[inside].sum()
        which = [{"records": 0, "persons": 1, "sum": 2}[unit.kind] for unit in space.unit_list]
        values = counts[np.array(which)[space.units], np.arange(len(space))]
        return OriginalCells(space, values, counts[0], counts[1])


@pytest.fixture
def made() -> type[Made]:
    return Made
