"""What is said of how records changed, and that no count is in it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.review import counts_of, drift
from clerestory.tables import Axis, Dimension, Node, TableDesign, Unit, link_tables, text


def counted(total: int, **categories: int) -> dict[str, Any]:
    return {"visits": {"visits": {"total": total, "by": {"town": categories}}}}


def test_nothing_changed_says_nothing() -> None:
    assert drift(counted(200, Ash=120, Elm=80), counted(200, Ash=120, Elm=80)) == ()


def test_totals_categories_and_shares_are_named() -> None:
    found = drift(counted(1000, Ash=600, Elm=400, Fir=0), counted(1300, Ash=600, Elm=500, Fir=200))
    assert found == (
        "Table visits: 30.0% more in total; that is a lot.",
        "Table visits: new in town: Fir.",
        "Table visits: shares that moved in town: Ash 60% → 46%, Fir (a small one).",
    )


def test_what_went_is_named_and_a_small_change_is_no_lot() -> None:
    found = drift(counted(1000, Ash=990, Elm=10), counted(990, Ash=990))
    assert found == ("Table visits: 1.0% fewer in total.", "Table visits: no longer in town: Elm.")


def test_sources_that_came_and_went() -> None:
    assert drift({"a": {}}, {"b": {}}) == ("Source a: no longer counted.", "Source b: new.")


def test_the_first_records_of_an_empty_table() -> None:
    assert (
        drift(counted(0), counted(50, Ash=50))[0] == "Table visits: all of it more in total; that is a lot."
    )


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=5))
def test_a_share_is_told_of_no_small_category(pairs: list[tuple[int, int]]) -> None:
    names = ["Ash", "Beech", "Cedar", "Date", "Elm"]
    before = dict(zip(names, (old for old, _ in pairs), strict=False))
    after = dict(zip(names, (new for _, new in pairs), strict=False))
    lines = drift(counted(sum(before.values()), **before), counted(sum(after.values()), **after))
    for line in lines:
        for name in re.findall(r"(\w+) \d+% →", line):
            assert min(before[name], after[name]) >= 30


def test_counts_are_of_totals_and_of_one_dimension_at_a_time() -> None:
    def dimension(name: str, *codes: str) -> Dimension:
        nodes = [Node("all", text("all"), "all", -1)] + [Node(c, text(c), name, 0) for c in codes]
        members = np.vstack([np.ones(len(codes), bool), np.eye(len(codes), dtype=bool)])
        return Dimension(name, text(name), name, (name,), tuple(nodes), members)

    town, sex = dimension("town", "Ash", "Elm"), dimension("sex", "F", "M")
    design = TableDesign("visits", text("visits"), Unit("records"), (town, sex), (("town", "sex"),), {})
    space = link_tables(
        "visits", (Axis("town", ("Ash", "Elm")), Axis("sex", ("F", "M"))), (design,), maximum_cells=99
    )
    finest = {(1, 1): 5, (1, 2): 7, (2, 1): 11, (2, 2): 13}
    layout = space.layouts[0]
    values = np.zeros(len(space), dtype=np.int64)
    for coords, cell in zip(layout.coords.tolist(), layout.cells, strict=True):
        values[cell] = sum(n for (a, b), n in finest.items() if coords[0] in (0, a) and coords[1] in (0, b))
    found = counts_of(OriginalCells(space, values, values, None))
    assert found == {
        "visits": {"total": 36, "by": {"town": {"Ash": 12, "Elm": 24}, "sex": {"F": 16, "M": 20}}}
    }
