"""The audit passes what is wide, and raises otherwise: never a value that means no."""

from __future__ import annotations

import numpy as np
import pytest

from clerestory.confidential.audit import audit
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.tables import (
    RECORDS,
    Axis,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    Unit,
    link_tables,
    text,
)

POLICY = Policy("test", "none", 11, 9)


def line(values: list[int], hidden: list[bool], units: tuple[Unit, ...] = (RECORDS,)) -> PublicCells:
    """A total and its parts; a unit more repeats the line."""
    size = len(values) // len(units) - 1
    nodes = (Node("all", text("all"), "all", -1), *(Node(f"a{i}", text("a"), "a", 0) for i in range(size)))
    members = np.vstack([np.ones((1, size), dtype=bool), np.eye(size, dtype=bool)])
    dimension = Dimension("a", text("a"), "a", ("a",), nodes, members)
    designs = [TableDesign(f"by {u.name}", text("t"), u, (dimension,), (("a",),), {}) for u in units]
    axis = Axis("a", tuple(map(str, range(size))))
    space = link_tables("drawn", [axis], designs, maximum_cells=99)
    order = np.lexsort((space.cells[:, 0], space.units))
    truth, seen = np.zeros(len(space), dtype=np.int64), np.zeros(len(space), dtype=bool)
    truth[order], seen[order] = values, hidden
    return PublicCells(space, np.where(seen, 0, truth), seen)


def test_a_wide_pattern_passes_with_its_figures() -> None:
    found = audit(line([31, 4, 7, 20], [False, True, True, False]), policy=POLICY)
    assert (found.hidden, found.wide, found.broken, found.undecided, found.smallest) == (2, 2, 0, 0, 9)
    assert found.level.startswith("level 2")


def test_a_narrow_cell_is_refused_by_name_and_without_its_value() -> None:
    with pytest.raises(Refused) as caught:
        audit(line([36, 7, 9, 20], [False, True, False, False]), policy=POLICY)
    assert "table 'by records', a a0" in str(caught.value)
    assert "7" not in str(caught.value)


def test_a_small_count_in_plain_sight_is_refused() -> None:
    with pytest.raises(Refused, match="a small count is shown"):
        audit(line([23, 3, 20], [False, False, False]), policy=POLICY)


def test_a_box_that_one_unit_hides_and_another_shows_is_refused() -> None:
    values, hidden = [40, 20, 20, 30, 15, 15], [True, True, False, True, False, False]
    with pytest.raises(Refused, match="hidden in another unit"):
        audit(line(values, hidden, (RECORDS, Unit("persons"))), policy=POLICY)
