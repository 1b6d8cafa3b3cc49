"""What protection loses least of: cells, value, or what readers asked to keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.loss import loss
from clerestory.confidential.protect.publish import protect
from clerestory.policy import CALHHS_DDG_2_0, Cost
from clerestory.tables import RECORDS, TOTAL, Axis, Dimension, Node, TableDesign, link_tables, text


def dimension(name: str, codes: str) -> Dimension:
    nodes = [Node(TOTAL, text("all"), "all", -1), *(Node(c, text(c), name, 0) for c in codes)]
    members = np.vstack([np.ones(len(codes), dtype=bool), np.eye(len(codes), dtype=bool)])
    return Dimension(name, text(name), name, (name,), tuple(nodes), members)


def drawn(counts: list[list[int]], keep: tuple[tuple[str, ...], ...] = ()) -> OriginalCells:
    """A table of towns by kind, with its totals."""
    inside = np.array(counts)
    dims = (dimension("town", "abcdef"[: len(inside)]), dimension("kind", "uvwxyz"[: inside.shape[1]]))
    design = TableDesign("t", text("t"), RECORDS, dims, (("town", "kind"),), {}, keep=keep)
    axes = [Axis(d.name, tuple(n.code for n in d.nodes[1:])) for d in dims]
    space = link_tables("t", axes, [design], maximum_cells=1000)
    values = np.array(
        [
            int(inside[np.ix_(space.sets[0][row], space.sets[1][column])].sum())
            for row, column in space.cells.tolist()
        ]
    )
    return OriginalCells(space, values, values, None)


TABLE = [[3, 40, 52, 61], [45, 30, 33, 12], [60, 35, 900, 14], [58, 47, 13, 800]]


def hidden_totals(original: OriginalCells, seed: int) -> int:
    done = protect(original, CALHHS_DDG_2_0, seed=seed)
    totals = (original.space.cells == 0).any(axis=1)
    return int(done.public.hidden[totals].sum())


@pytest.mark.parametrize("seed", range(6))
def test_margins_to_keep_are_shown_where_others_can_be_hidden(seed: int) -> None:
    assert hidden_totals(drawn(TABLE, keep=(("town",), ("kind",))), seed) == 0


def test_a_margin_to_keep_holds_its_own_totals_and_no_finer_cell() -> None:
    found = loss(drawn(TABLE, keep=(("town",),)), CALHHS_DDG_2_0)
    space = drawn(TABLE).space
    town_alone = space.cells[:, 1] == 0
    assert np.all(found[town_alone] == 20) and np.all(found[~town_alone] == 1)


def test_less_value_is_hidden_where_value_is_the_cost() -> None:
    original = drawn(TABLE)
    lost = {}
    for cost in Cost:
        policy = replace(CALHHS_DDG_2_0, cost=cost)
        done = [protect(original, policy, seed=seed) for seed in range(4)]
        lost[cost] = sum(int(original.values[d.secondary].sum()) for d in done)
        assert all(d.report.broken == 0 for d in done)
    assert lost[Cost.VALUE] <= lost[Cost.CELLS]
