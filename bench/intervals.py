"""Exact intervals of all hidden cells at once, against two whole-table linear programs a cell.

    python -m bench.intervals [--cells 6000] [--sample 40] [--workers 2] [--level 2]

A synthetic cube with a hierarchy and four dimensions; small counts are hidden, and further cells until every
line hides none or at least two that leave each other room. The search starts from the true table, as an audit
does. The loop is timed on a sample of the cells.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.intervals import feasibility_intervals
from clerestory.attack.levels import Level, seen_at
from clerestory.attack.relations import Relations, relations
from clerestory.attack.system import attackers_system, components
from clerestory.attack.tables import ceiling, completed, program
from clerestory.tables import (
    RECORDS,
    TOTAL,
    Axis,
    CellSpace,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    link_tables,
    text,
)

IntArray = NDArray[np.int64]

SIZES = {
    1_000: (20, 6, 5, 2),
    3_000: (30, 6, 6, 3),
    6_000: (40, 8, 7, 3),
    12_000: (58, 10, 7, 4),
    25_000: (116, 12, 7, 4),
}
"""About so many hidden cells: counties, years, races and sexes."""
MINIMUM, ROOM = 11, 9


def tree(name: str, size: int, groups: int) -> Dimension:
    """A total, groups (none if 0) and single categories."""
    nodes = [Node(TOTAL, text(TOTAL), TOTAL, -1)]
    members = [np.arange(size)]
    for group in np.array_split(np.arange(size), groups) if groups else []:
        nodes.append(Node(f"g{len(nodes)}", text("group"), "group", 0))
        members.append(group)
    above = range(1, len(nodes)) if groups else [0]
    for parent in above:
        for category in members[parent].tolist():
            nodes.append(Node(f"{name}{category}", text("one"), "one", parent))
            members.append(np.array([category]))
    rows = np.array([np.isin(np.arange(size), inside) for inside in members])
    levels = ("group", "one") if groups else ("one",)
    return Dimension(name, text(name), name, levels, tuple(nodes), rows)


def cube(sizes: tuple[int, ...], seed: int = 0) -> tuple[CellSpace, IntArray]:
    """The space of one table with all margins, and its true values."""
    rng = np.random.default_rng(seed)
    names = ("county", "year", "race", "sex")
    dimensions = [
        tree(n, size, size // 5 if n == "county" else 0) for n, size in zip(names, sizes, strict=True)
    ]
    axes = [Axis(n, tuple(map(str, range(size)))) for n, size in zip(names, sizes, strict=True)]
    design = TableDesign("cube", text("cube"), RECORDS, tuple(dimensions), (names,), {})
    space = link_tables("cube", axes, [design], maximum_cells=10**6)
    mean = np.ones(())
    for size in sizes:
        mean = np.multiply.outer(mean, rng.lognormal(0, 1.2, size))
    counts = rng.poisson(mean / mean.mean() * 10).astype(np.int64)
    for axis, sets in enumerate(space.sets):
        counts = np.moveaxis(np.tensordot(sets.astype(np.int64), counts, axes=(1, axis)), 0, axis)
    return space, counts[tuple(space.cells.T)]


def hide(rules: Relations, values: IntArray) -> NDArray[np.bool_]:
    """Small counts, and in every line the smallest others until its hidden cells have room."""
    hidden = (values > 0) & (values < MINIMUM)
    by_column = rules.matrix.tocsc()
    waiting = list(range(rules.matrix.shape[0]))
    while waiting:
        touched: set[int] = set()
        for row in waiting:
            cells = rules.matrix.indices[rules.matrix.indptr[row] : rules.matrix.indptr[row + 1]]
            own = cells[hidden[cells]]
            others = cells[~hidden[cells] & (values[cells] > 0)]
            if len(own) and len(others) and (len(own) == 1 or values[own].sum() - len(own) < ROOM):
                chosen = others[np.argmin(values[others])]
                hidden[chosen] = True
                touched.update(
                    by_column.indices[by_column.indptr[chosen] : by_column.indptr[chosen + 1]].tolist()
                )
        waiting = sorted(touched)
    return hidden


def one_by_one(rules: Relations, public: PublicCells, level: Level, sample: int) -> float:
    """Seconds for both linear ends of a hidden cell over its whole component, kept warm; the mean."""
    part = components(attackers_system(rules, seen_at(public, level)))[-1]
    linear = program(ceiling(part, 0))
    chosen = np.random.default_rng(0).choice(len(part.columns), sample, replace=False)
    linear.solve()
    start = time.perf_counter()
    for place in chosen.tolist():
        costs = np.zeros(len(part.columns))
        costs[place] = 1.0
        linear.set_costs(costs)
        linear.solve(greatest=True)
        linear.solve()
    return (time.perf_counter() - start) / sample


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, choices=sorted(SIZES), nargs="*", default=[1_000, 3_000, 12_000])
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--level", type=int, choices=[1, 2], default=2)
    asked = parser.parse_args(words)
    level = Level(asked.level)
    print(
        "| cells | hidden | ends reached | exact | seconds | processor | two linear programs a cell | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for size in asked.cells:
        space, values = cube(SIZES[size])
        rules = relations(space)
        hidden = hide(rules, values)
        public = PublicCells(space, np.where(hidden, 0, values), hidden)
        table = completed(rules, values)
        start, processor = time.perf_counter(), time.process_time()
        found = feasibility_intervals(public, level=level, known=rules, start=table, workers=asked.workers)
        processor = time.process_time() - processor
        seconds = time.perf_counter() - start
        loop = one_by_one(rules, public, level, asked.sample) * len(found.cells)
        reached = ((found.low == found.seen_low).mean() + (found.high == found.seen_high).mean()) / 2
        print(
            f"| {len(space):,} | {len(found.cells):,} | {reached:.1%} | {found.exact.mean():.1%} "
            f"| {seconds:.0f} | {processor:.0f} "
            f"| {loop:.0f} s (from {asked.sample} cells) | {loop / seconds:.1f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
