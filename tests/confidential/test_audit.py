"""The audit passes what is wide, and raises otherwise: never a value that means no."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clerestory.attack import finest
from clerestory.attack.levels import Level
from clerestory.confidential.audit import attacked, audit
from clerestory.errors import InputError, Refused, Undecided
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


def test_each_level_is_named_for_what_it_is() -> None:
    public = line([31, 4, 7, 20], [False, True, True, False])
    for level in Level:
        found = audit(public, policy=replace(POLICY, audit_level=int(level)))
        assert found.level.startswith(f"level {int(level)}:")


def test_a_reader_who_does_not_know_that_zeros_are_shown_is_level_1() -> None:
    """x + x = 10: 0 to 10 for him, 1 to 9 for who knows."""
    public = line([30, 4, 6, 20], [False, True, True, False])
    policy = replace(POLICY, minimum_count=5)
    wider = replace(policy, interval_width=10)
    assert audit(public, policy=wider, level=Level.RELATIONS).smallest == 10
    with pytest.raises(Refused):
        audit(public, policy=policy)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(InputError, match="no audit level 4"):
        audit(line([31, 4, 7, 20], [False, True, True, False]), policy=replace(POLICY, audit_level=4))


def three_margins(shown: bool) -> PublicCells:
    """By a and b (hidden), a and c, b and c: few differ in the last two, so few do in the first."""
    sides = {}
    for name in "abc":
        nodes = [
            Node("all", text("all"), "all", -1),
            *(Node(f"{name}{i}", text("x"), "x", 0) for i in (0, 1)),
        ]
        members = np.vstack([np.ones((1, 2), dtype=bool), np.eye(2, dtype=bool)])
        sides[name] = Dimension(name, text(name), name, ("x",), tuple(nodes), members)
    designs = [
        TableDesign(e, text(e), RECORDS, tuple(sides[n] for n in e), ((e[0], e[1]),), {})
        for e in ("ab", "ac", "bc")
    ]
    axes = [Axis(name, ("0", "1")) for name in "abc"]
    space = link_tables("drawn", axes, designs, maximum_cells=99)
    counts = np.array([[[37, 1], [1, 1]], [[1, 1], [1, 37]]])
    values, hidden = np.zeros(len(space), dtype=np.int64), np.zeros(len(space), dtype=bool)
    for i, cell in enumerate(space.cells):
        at = np.ix_(*[np.flatnonzero(space.sets[a][cell[a]]) for a in range(3)])
        values[i] = counts[at].sum()
        hidden[i] = not shown and cell[0] > 0 and cell[1] > 0
    return PublicCells(space, np.where(hidden, 0, values), hidden)


THREE = replace(POLICY, minimum_count=1, audit_level=3)


def test_what_passes_level_2_may_be_refused_at_level_3() -> None:
    public = three_margins(shown=False)
    assert audit(public, policy=replace(THREE, audit_level=2)).reached == Level.POLICY
    with pytest.raises(Refused, match="table 'ab', a a0"):
        audit(public, policy=THREE)
    found = attacked(public, policy=THREE, level=Level.FINEST)
    assert found.broken == 4 and [part.finest for part in found.parts] == [8]


def test_a_level_that_was_not_attempted_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    public = three_margins(shown=True)
    assert audit(public, policy=THREE).reached == Level.FINEST
    monkeypatch.setattr(finest, "MOST", 4)
    with pytest.raises(Undecided, match="not attempted"):
        audit(public, policy=THREE)


def test_level_2_says_where_it_is_level_3() -> None:
    found = audit(line([31, 4, 7, 20], [False, True, True, False]), policy=POLICY)
    assert found.level.startswith("level 2") and found.reached == Level.FINEST
