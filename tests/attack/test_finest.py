"""The finest cells behind margins: what glues together, what does not, and tables where level 2 passes."""

from __future__ import annotations

import numpy as np
import pytest

from clerestory.attack import finest as finest_module
from clerestory.attack.decide import Verdict, decide
from clerestory.attack.finest import DECIDED, NOT_ATTEMPTED, NOT_COUNTS, SAME
from clerestory.attack.level3 import level3
from clerestory.attack.margins import cores
from clerestory.tables import CellSpace, PublicCells, Unit, link_tables


def margins(draw, *edges: str, sizes: dict[str, int] | None = None) -> CellSpace:
    """One table a margin, over flat dimensions of two categories: "ab", "bc"."""
    sizes = sizes or {}
    names = sorted(set("".join(edges)))
    flat = {name: draw.flat(name, sizes.get(name, 2)) for name in names}
    tables = [draw.table(edge, [flat[name] for name in edge], [edge]) for edge in edges]
    axes = [draw.axis(name, sizes.get(name, 2)) for name in names]
    return link_tables("s", axes, tables, maximum_cells=10**6)


@pytest.mark.parametrize("edges", ["abc", "ab bc", "ab cd", "ab bc cd", "abc bcd de", "ab ac ad", "ab b"])
def test_decomposable_margins_glue_together(draw, edges: str) -> None:
    assert cores(margins(draw, *edges.split())) == ()


@pytest.mark.parametrize(
    ("edges", "axes"),
    [("ab bc ac", "abc"), ("ab bc cd ad", "abcd"), ("ab bc ac cd", "abc"), ("abc bcd acd ef", "abcd")],
)
def test_a_cycle_of_margins_does_not(draw, edges: str, axes: str) -> None:
    space = margins(draw, *edges.split())
    (core,) = cores(space)
    assert "".join(space.axes[axis].name for axis in core.parts) == axes


def test_two_cycles_apart_are_two_cores(draw) -> None:
    found = cores(margins(draw, "ab", "bc", "ac", "de", "ef", "df"))
    assert [core.size for core in found] == [8, 8]


def test_a_region_that_holds_counties_glues(draw) -> None:
    """County by year, and region by race: a county says its region."""
    eye, regions = np.eye(4, dtype=bool), np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool)
    whole = np.ones((1, 4), dtype=bool)
    county = draw.dimension("county", "place", [*whole, *regions, *eye], [-1, 0, 0, 1, 1, 2, 2])
    region = draw.dimension("region", "place", [*whole, *regions], [-1, 0, 0])
    year, race = draw.flat("year", 2), draw.flat("race", 3)
    axes = [draw.axis("place", 4), draw.axis("year", 2), draw.axis("race", 3)]
    tables = [
        draw.table("one", [county, year], [["county", "year"]]),
        draw.table("two", [region, race], [["region", "race"]]),
    ]
    assert cores(link_tables("s", axes, tables, maximum_cells=999)) == ()
    tables.append(draw.table("three", [year, race], [["year", "race"]]))
    (core,) = cores(link_tables("s", axes, tables, maximum_cells=999))
    assert core.size == 2 * 2 * 3  # regions, not counties: only the first table knows counties


def test_a_restricted_table_is_looked_at_in_full(draw) -> None:
    a, b = draw.flat("a", 3), draw.flat("b", 2)
    some = draw.table("some", [b], [["b"]], select={"a": np.array([True, True, False])})
    axes = [draw.axis("a", 3), draw.axis("b", 2)]
    space = link_tables("s", axes, [draw.table("all", [a, b], [["a"]]), some], maximum_cells=99)
    (core,) = cores(space)
    assert core.size == 6


def public_of(draw, space: CellSpace, counts: np.ndarray, hide: list[dict[str, int]]) -> PublicCells:
    """All cells shown but those at these categories (the total on other axes)."""
    values = draw.incidence(space) @ counts.ravel()
    hidden = np.zeros(len(space), dtype=bool)
    for where in hide:
        sets = [
            next(
                i
                for i, members in enumerate(space.sets[a])
                if np.array_equal(
                    members,
                    np.arange(members.size) == where[axis.name]
                    if axis.name in where
                    else np.ones(members.size, dtype=bool),
                )
            )
            for a, axis in enumerate(space.axes)
        ]
        hidden |= (space.cells == np.array(sets)).all(axis=1)
    return draw.public(space, values, hidden)


def test_a_copy_of_an_axis_gives_hidden_cells_back(draw) -> None:
    """District decides office: offence by office shows what offence by district hides.

    By district (rows) and offence, and by office and offence; x hidden, totals shown. No one is at another
    district's office, and these zeros are shown.

              o1   o2   o3                  o1   o2   o3
        d1     x    x   40            f1     x   30    x
        d2     x    x   40            f2     x   30    x

    Each table by itself leaves its x open; together d1 o2 is f1 o2.
    """
    space = margins(draw, "do", "fo", "df", sizes={"d": 2, "f": 2, "o": 3})
    counts = np.zeros((2, 2, 3), dtype=np.int64)  # axes d, f, o
    counts[0, 0], counts[1, 1] = (5, 30, 40), (25, 30, 40)
    hide = [{axis: k, "o": o} for axis, o2 in (("d", 1), ("f", 2)) for k in (0, 1) for o in (0, o2)]
    public = public_of(draw, space, counts, hide)
    two = decide(public, width=9, minimum=5)
    assert (two.verdicts == Verdict.WIDE).all() and len(two.variables) == 8
    found = level3(public, width=9, minimum=5)
    assert [part.said for part in found.parts] == [DECIDED] and found.attempted
    assert found.verdicts is not None
    assert (found.verdicts.of(Verdict.BROKEN) < len(space)).all()
    assert len(found.verdicts.of(Verdict.BROKEN)) == 8


def test_few_who_differ_twice_bound_those_who_differ_once(draw) -> None:
    """Fewer differ in a and b than in a and c, and in c and b, together: 2 + 2 at most.

          b1  b2            c1  c2            b1  b2
    a1     x   x      a1    38   2      c1    38   2
    a2     x   x      a2     2  38      c2     2  38
    """
    space = margins(draw, "ab", "ac", "bc")
    counts = np.zeros((2, 2, 2), dtype=np.int64)
    counts[0, 0, 0], counts[1, 1, 1] = 37, 37
    counts[0, 1, 0] = counts[1, 0, 1] = 1
    counts[0, 0, 1] = counts[1, 1, 0] = 1
    counts[0, 1, 1] = counts[1, 0, 0] = 1
    hide = [{"a": i, "b": j} for i in (0, 1) for j in (0, 1)]
    public = public_of(draw, space, counts, hide)
    assert (decide(public, width=9, minimum=1).verdicts == Verdict.WIDE).all()
    found = level3(public, width=9, minimum=1)
    assert found.verdicts is not None and not found.verdicts.wide
    assert (found.verdicts.verdicts == Verdict.BROKEN).all()
    off = next(c for c in np.flatnonzero(public.hidden) if draw.incidence(space)[c] @ counts.ravel() == 2)
    place = int(np.flatnonzero(found.verdicts.variables == off)[0])
    assert found.verdicts.outer_high[place] <= 4


def test_too_many_finest_cells_are_said_to_be_not_attempted(draw, monkeypatch: pytest.MonkeyPatch) -> None:
    space = margins(draw, "ab", "ac", "bc")
    public = public_of(draw, space, np.full((2, 2, 2), 20), [])
    monkeypatch.setattr(finest_module, "MOST", 7)
    found = level3(public, width=9, minimum=5)
    assert [(part.said, part.finest) for part in found.parts] == [(NOT_ATTEMPTED, 8)]
    assert not found.attempted


def test_sums_are_said_to_be_not_attempted(draw) -> None:
    fees = Unit("sum", "fee", (0, 100))
    flat = {name: draw.flat(name, 2) for name in "abc"}
    tables = [draw.table(e, [flat[n] for n in e], [e], unit=fees) for e in ("ab", "bc", "ac")]
    space = link_tables("s", [draw.axis(n, 2) for n in "abc"], tables, maximum_cells=99)
    public = public_of(draw, space, np.full((2, 2, 2), 500), [])
    assert [part.said for part in level3(public, width=9, minimum=5).parts] == [NOT_COUNTS]


def test_where_margins_glue_nothing_has_to_be_done(draw) -> None:
    space = margins(draw, "ab", "bc")
    found = level3(public_of(draw, space, np.full((2, 2, 2), 20), []), width=9, minimum=5)
    assert found.same and found.attempted and [part.said for part in found.parts] == [SAME]


def test_finest_cells_that_hold_nobody_or_that_nobody_tells_apart_are_not_counted(draw) -> None:
    space = margins(draw, "ab", "ac", "bc")
    counts = np.full((2, 2, 2), 20)
    counts[0, 0] = 0
    found = level3(public_of(draw, space, counts, []), width=9, minimum=5)
    assert found.parts[0].finest == 6
