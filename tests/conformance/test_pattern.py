"""What the pattern of hidden cells gives away (level 4), by enumeration on tiny tables.

`CLERESTORY_CAMPAIGN=1 pytest -s -m campaign tests/conformance/test_pattern.py` prints the rate that
docs/explanation/protection.md states, of CLERESTORY_PATTERN_COUNT (300) tables from CLERESTORY_PATTERN_FIRST
(0) on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.errors import ClerestoryError
from clerestory.policy import Policy
from clerestory.tables import (
    RECORDS,
    TOTAL,
    Axis,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    link_tables,
    text,
)
from tests.attacker.brute import attack
from tests.attacker.instances import as_published
from tests.attacker.knowledge import system_of
from tests.attacker.pattern import Method, Pattern, TooMany, read_pattern, solutions
from tests.attacker.published import Release, cells_of
from tests.attacker.solvers import Interval
from tests.attacker.test_brute import HIDDEN, drawn, flat, line, release

SEEDS = range(10)
FIRST = int(os.environ.get("CLERESTORY_PATTERN_FIRST", "0"))
COUNT = int(os.environ.get("CLERESTORY_PATTERN_COUNT", "300"))
campaign = pytest.mark.skipif(
    os.environ.get("CLERESTORY_CAMPAIGN") != "1", reason="long: set CLERESTORY_CAMPAIGN=1"
)
POLICY = Policy(profile="tiny", source="small numbers", minimum_count=3, interval_width=2)


# --- the attack itself, against a method worked out by hand -------------------------------------------------


def naive(width: int) -> Method:
    """Hides counts below 3 and then the smallest other cells of the line until two are hidden: no seed."""

    def hides(truth: Mapping[str, int], seed: int) -> frozenset[str]:
        children = {label: v for label, v in truth.items() if not label.endswith("total") and v > 0}
        hidden = {label for label, v in children.items() if v < 3}
        rest = sorted(set(children) - hidden, key=lambda label: (children[label], label))
        while hidden and (len(hidden) < 2 or sum(children[label] for label in hidden) <= width + 1):
            hidden.add(rest.pop(0))
        return frozenset(hidden)

    return hides


def test_a_pattern_can_fit_no_table_or_nearly_all() -> None:
    """Hidden are a and b, which come to 7. Beside a cell of 4 no table gives that: the small one's partner
    would be the 4. Beside a 9 all do but 3 + 4, of which nothing is small: the range stays what it was.
    """
    area = flat("area", ["a", "b", "c", "d"])
    one = release(line({"all": 31, "a": "x", "b": "x", "c": 4, "d": 20}, area), width=2, minimum_count=3)
    assert not attack(one).narrow
    found = read_pattern(one, naive(2), seeds=[0])
    assert found.tables == 6 and found.seen == 6 and not found.narrow

    other = release(line({"all": 36, "a": "x", "b": "x", "c": 9, "d": 20}, area), width=2, minimum_count=3)
    assert not attack(other).narrow
    found = read_pattern(other, naive(2), seeds=[0])
    assert not found.narrow and found.tables == 6


def test_what_the_pattern_leaves_out_narrows_a_cell() -> None:
    """a and b come to 5. With 1 + 4 the cell of 3 would be hidden in place of the 4; with 2 + 3 it is as
    large as the 3 and comes later by name. So one is a 2 and the other a 3, though the numbers say 1 to 4.
    """
    area = flat("area", ["a", "b", "c", "d"])
    one = release(line({"all": 28, "a": "x", "b": "x", "c": 3, "d": 20}, area), width=2, minimum_count=3)
    assert not attack(one).narrow
    found = read_pattern(one, naive(2), seeds=[0])
    assert found.narrow == {
        "line[records]: area a": Interval(2, 3),
        "line[records]: area b": Interval(2, 3),
    }


def test_every_table_that_agrees_is_gone_through() -> None:
    table = drawn(
        """       c1 c2 total
        r1      x  x  5
        r2      x  x  6
        total   7  4  11""",
        flat("rows", ["r1", "r2"]),
        flat("columns", ["c1", "c2"]),
    )
    assert HIDDEN == "x"
    found = sorted(solutions(system_of(release(table)), most=10))
    # r1c1 from 2 to 4: r1c2 = 5 - r1c1 and r2c1 = 7 - r1c1, r2c2 = 6 - r2c1 = r1c1 - 1
    assert found == [(2, 3, 5, 1), (3, 2, 4, 2), (4, 1, 3, 3)]
    with pytest.raises(TooMany):
        list(solutions(system_of(release(table)), most=2))


# --- what our own method gives away -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tiny:
    """A table of a few cells, with its truth."""

    seed: int
    original: OriginalCells


def tiny(seed: int) -> Tiny:
    """One line, a line in two regions, or a small table of two dimensions; counts from 0 to about 9."""
    rng = np.random.default_rng(seed)
    shape = [(5,), (6,), (2, 3), (3, 3), (4,)][seed % 5]
    axes = [Axis(name, tuple(f"{name}{i}" for i in range(n))) for name, n in zip("ab", shape, strict=False)]
    dimensions = [_tree(axis, grouped=len(axis.categories) == 6) for axis in axes]
    names = tuple(axis.name for axis in axes)
    design = TableDesign("tiny", text("tiny"), RECORDS, tuple(dimensions), (names,), {})
    space = link_tables("source", axes, [design], maximum_cells=100)
    finest = rng.choice([0, 1, 2, 3, 4, 5, 7, 9], size=shape, p=[0.1, 0.15, 0.15, 0.1, 0.15, 0.15, 0.1, 0.1])
    values = np.array([_sum(finest, [space.sets[a][s] for a, s in enumerate(cell)]) for cell in space.cells])
    return Tiny(seed, OriginalCells(space, values, values, None))


def _tree(axis: Axis, *, grouped: bool) -> Dimension:
    size = len(axis.categories)
    nodes = [Node(TOTAL, text("all"), TOTAL, -1)]
    rows = [np.ones(size, dtype=bool)]
    cuts = list(pairwise([0, size // 2, size] if grouped else [0, size]))
    for first, last in cuts:
        above = 0
        if grouped:
            above = len(nodes)
            nodes.append(Node(f"{axis.name}-region{first}", text("region"), "region", 0))
            rows.append((np.arange(size) >= first) & (np.arange(size) < last))
        for i in range(first, last):
            nodes.append(Node(axis.categories[i], text(axis.categories[i]), "place", above))
            rows.append(np.arange(size) == i)
    levels = ("region", "place") if grouped else ("place",)
    return Dimension(axis.name, text(axis.name), axis.name, levels, tuple(nodes), np.array(rows))


def _sum(finest: np.ndarray, sides: list[np.ndarray]) -> int:
    return int(finest[np.ix_(*sides)].sum())


def ours(made: Tiny) -> Method:
    """The package's own method, as a reader of its code would run it."""
    space = made.original.space
    nothing = np.zeros(len(space), dtype=bool)
    everything = as_published(PublicCells(space, np.arange(len(space)), nothing), POLICY)
    label = {cell.value: cell.label for cell in cells_of(everything)}

    def hides(truth: Mapping[str, int], seed: int) -> frozenset[str] | None:
        values = np.array([truth[label[cell]] for cell in range(len(space))])
        try:
            hidden = protect(OriginalCells(space, values, values, None), POLICY, seed=seed).public.hidden
        except ClerestoryError:
            return None
        return frozenset(label[cell] for cell in np.flatnonzero(hidden).tolist())

    return hides


def read(seed: int) -> tuple[Pattern, Release, dict[str, int]] | None:
    """What the pattern of a tiny table's release tells; None where nothing is hidden or there is too much."""
    made = tiny(seed)
    public = protect(made.original, POLICY, seed=1_000 + seed).public
    if not public.hidden.any():
        return None
    published = as_published(public, POLICY)
    nothing = np.zeros(len(public.hidden), dtype=bool)
    open_ = as_published(PublicCells(public.space, made.original.values, nothing), POLICY)
    truth = {cell.label: cell.value or 0 for cell in cells_of(open_)}
    try:
        return read_pattern(published, ours(made), seeds=SEEDS, most=400), published, truth
    except TooMany:
        return None


@dataclass
class Rate:
    """Of so many releases, in how many the pattern told a cell too well; exactly; and wrongly."""

    releases: int = 0
    narrow: int = 0
    exact: int = 0
    wrong: int = 0
    cells: int = 0
    narrow_cells: int = 0

    def __str__(self) -> str:
        return (
            f"level 4: of {self.releases} tiny releases, the pattern narrows a hidden cell in {self.narrow}, "
            f"tells one exactly in {self.exact}, and misleads in {self.wrong}; {self.narrow_cells} of "
            f"{self.cells} hidden cells are narrowed"
        )


def rate(seeds: range) -> Rate:
    found = Rate()
    for seed in seeds:
        one = read(seed)
        if one is None:
            continue
        pattern, published, truth = one
        assert not attack(published, search_nodes=0).broken
        found.releases += 1
        found.cells += sum(cell.value is None for cell in cells_of(published))
        found.narrow += bool(pattern.narrow)
        found.narrow_cells += len(pattern.narrow)
        found.exact += bool(pattern.exactly)
        found.wrong += any(
            not interval.low <= truth[label] <= (interval.high or 0)
            for label, interval in pattern.narrow.items()
        )
    return found


def test_the_pattern_of_a_few_tiny_tables_is_read() -> None:
    """No immunity is claimed; but a pattern that tells most hidden cells would be worse than none."""
    found = rate(range(12))
    assert found.releases >= 6
    assert found.narrow_cells <= 0.5 * found.cells, str(found)


@campaign
@pytest.mark.campaign
def test_campaign_reports_the_rate_at_which_the_pattern_tells(
    record_property: Callable[[str, object], None],
) -> None:
    found = rate(range(FIRST, FIRST + COUNT))
    record_property("level 4", str(found))
    print(f"\n{found}")
    assert found.releases
