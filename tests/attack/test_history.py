"""Earlier releases and today's as one set of linked tables, by hand and against whole-number programs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clerestory.attack.history import Earlier, history
from clerestory.attack.over_time import audit_over_time, small_differences, unrecoverable
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.tables import Changes, Dimension, Node, PublicCells, TableDesign, link_tables, text
from tests.attack.conftest import Draw

POLICY = Policy("test", "none", 11, 9)
IntArray = NDArray[np.int64]


def tree(name: str, codes: dict[str, Sequence[str]]) -> tuple[Dimension, list[str]]:
    """A dimension of groups with members, or of single categories where a group holds itself; its finest."""
    finest = [code for members in codes.values() for code in members]
    nodes, members = [Node("all", text("all"), "all", -1)], [np.ones(len(finest), dtype=bool)]
    for group, inside in codes.items():
        nodes.append(Node(group, text(group), "group", 0))
        members.append(np.isin(finest, inside))
        parent = len(nodes) - 1
        for code in inside:
            if code != group:
                nodes.append(Node(code, text(code), "finest", parent))
                members.append(np.isin(finest, [code]))
    return Dimension(name, text(name), name, ("group", "finest"), tuple(nodes), np.array(members)), finest


def flat(*codes: str) -> dict[str, Sequence[str]]:
    return {code: (code,) for code in codes}


def cells(
    counts: dict[str, dict[str, int]] | dict[str, int],
    *,
    place: dict[str, Sequence[str]] | None = None,
    hidden: Sequence[tuple[str, str]] = (),
    changes: Changes = Changes.FROZEN,
) -> PublicCells:
    """A table of years by places, from its inner counts; "all" stands for totals."""
    years = {y: c if isinstance(c, dict) else {"x": c} for y, c in counts.items()}
    places = place or flat(*next(iter(years.values())))
    year, year_codes = tree("year", flat(*years))
    where, place_codes = tree("place", places)
    design: TableDesign = replace(Draw.table("t", [year, where], [["year", "place"]]), changes=changes)
    axes = [Draw.axis("year", len(year_codes)), Draw.axis("place", len(place_codes))]
    space = link_tables("s", axes, [design], maximum_cells=10**4)
    population = np.array([[years[y][p] for p in place_codes] for y in year_codes])
    values = Draw.incidence(space) @ population.ravel()
    unseen = np.zeros(len(space), dtype=bool)
    for y, p in hidden:
        unseen[cell(space.layouts[0], y, p)] = True
    return Draw.public(space, values, unseen)


def cell(layout: object, year: str, place: str) -> int:
    design = layout.design  # type: ignore[attr-defined]
    nodes = [d.index(code) for d, code in zip(design.dimensions, (year, place), strict=True)]
    return int(layout.cells[(layout.coords == np.array(nodes)).all(axis=1)][0])  # type: ignore[attr-defined]


def attack(now: PublicCells, *before: PublicCells) -> object:
    past = history(now.space, [Earlier(f"r{i}", one) for i, one in enumerate(before)])
    return audit_over_time(past, now, policy=POLICY)


def test_last_years_table_with_one_record_less_gives_that_record_away():
    # Fresno 40 last week, 41 this week: whoever came is in Fresno.
    before = cells({"2021": {"Fresno": 40, "Kern": 55}}, changes=Changes.CUMULATIVE)
    after = cells({"2021": {"Fresno": 41, "Kern": 55}}, changes=Changes.CUMULATIVE)

    with pytest.raises(Refused, match=r"a count implied inside table 't', .*place Fresno: broken"):
        attack(after, before)


def test_a_small_increment_is_safe_behind_hidden_numbers():
    before = cells({"2021": {"Fresno": 40, "Kern": 55}}, changes=Changes.CUMULATIVE)
    everything = [(y, p) for y in ("all", "2021") for p in ("all", "Fresno", "Kern")]
    after = cells({"2021": {"Fresno": 41, "Kern": 55}}, hidden=everything, changes=Changes.CUMULATIVE)

    attack(after, before)


def test_the_same_numbers_again_tell_nothing():
    before = cells({"2021": {"Fresno": 40, "Kern": 55}}, changes=Changes.CUMULATIVE)

    attack(cells({"2021": {"Fresno": 40, "Kern": 55}}, changes=Changes.CUMULATIVE), before)


def test_a_new_year_is_what_totals_of_two_releases_leave():
    # Both releases show the total of a place; the new year's own cell is not published in between.
    before = cells({"2021": {"Fresno": 40, "Kern": 55}, "2022": {"Fresno": 30, "Kern": 31}})
    counts = {"2021": {"Fresno": 40, "Kern": 55}, "2022": {"Fresno": 30, "Kern": 31}}
    small = {"2023": {"Fresno": 4, "Kern": 50}}
    hidden = [("2023", "Fresno"), ("2023", "Kern")]

    with pytest.raises(Refused, match="year 2023, place Fresno: broken"):
        attack(cells(counts | small, hidden=hidden), before)
    wider = [*hidden, ("all", "Fresno"), ("all", "Kern")]
    attack(cells(counts | small, hidden=wider), before)


def test_a_cell_shown_earlier_and_hidden_now_is_reported_and_protects_nothing():
    counts = {"2021": {"Fresno": 40, "Kern": 55, "Kings": 20}}
    before = cells(counts)
    pair = [("2021", "Fresno"), ("2021", "Kern"), ("all", "Fresno"), ("all", "Kern")]
    now = cells(counts, hidden=pair)

    past = history(now.space, [Earlier("r0", before)])
    assert sorted(unrecoverable(past, now)) == [
        "table 't', place Fresno",
        "table 't', place Kern",
    ]  # the only year is the total: one cell
    assert past.known.all()
    audit_over_time(past, now, policy=POLICY)


def test_what_two_patterns_hide_in_turn_is_hidden_by_neither():
    counts = {"2021": {"Fresno": 4, "Kern": 55, "Kings": 20, "Inyo": 30}}

    def hiding(*places: str) -> PublicCells:
        return cells(counts, hidden=[(y, p) for y in ("all", "2021") for p in places])

    with pytest.raises(Refused, match="place Fresno: broken"):
        attack(hiding("Fresno", "Kings"), hiding("Fresno", "Kern"))
    attack(hiding("Fresno", "Kern"), hiding("Fresno", "Kern"))


def test_a_frozen_cell_that_differs_is_named_without_its_value():
    before = cells({"2021": {"Fresno": 40, "Kern": 55}})
    after = cells({"2021": {"Fresno": 41, "Kern": 55}})

    with pytest.raises(Refused, match="place Fresno") as refused:
        attack(after, before)
    assert "40" not in str(refused.value) and "41" not in str(refused.value)


def test_true_values_are_checked_even_where_they_are_hidden():
    before = cells({"2021": {"Fresno": 40, "Kern": 55}})
    after = cells({"2021": {"Fresno": 41, "Kern": 55}})
    past = history(after.space, [Earlier("r0", before)])
    with pytest.raises(Refused, match="place Fresno"):
        past.check(after.values)

    grown = cells({"2021": {"Fresno": 41, "Kern": 54}}, changes=Changes.CUMULATIVE)
    past = history(grown.space, [Earlier("r0", cells({"2021": {"Fresno": 40, "Kern": 55}}))])
    with pytest.raises(Refused, match="place Kern") as refused:
        past.check(grown.values)
    assert "Fresno" not in str(refused.value)


def test_releases_that_contradict_each_other_are_refused_by_name():
    one = cells({"2021": {"Fresno": 40, "Kern": 55}})
    other = cells({"2021": {"Fresno": 40, "Kern": 56}})

    with pytest.raises(Refused, match="r0, r1"):
        history(one.space, [Earlier("r0", one), Earlier("r1", other)])


# --- categories that come, go and are renamed ---------------------------------------------------------------


def test_a_first_year_may_go_when_a_new_one_comes():
    before = cells({"2020": 33, "2021": 40, "2022": 50})
    after = cells({"2021": 40, "2022": 50, "2023": 60})
    past = history(after.space, [Earlier("r0", before)])

    assert [axis.name for axis in past.space.axes] == ["year", "place"]
    assert len(past.space.axes[0].categories) == 4
    audit_over_time(past, after, policy=POLICY)
    with pytest.raises(Refused, match="year 2021"):
        attack(cells({"2021": 41, "2022": 50, "2023": 60}), before)


def test_a_class_may_be_cut_finer():
    before = cells({"2021": {"under-21": 30, "21-and-over": 80}})
    after = cells({"2021": {"under-18": 14, "18-20": 16, "21-and-over": 80}})
    attack(after, before)

    with pytest.raises(Refused, match="not what an earlier release shows"):
        attack(cells({"2021": {"under-18": 14, "18-20": 17, "21-and-over": 80}}), before)


def test_a_renamed_category_is_refused():
    with pytest.raises(
        Refused, match=r"'Kings' and 'King' may be one category|'King' and 'Kings' may be one"
    ):
        attack(cells({"2021": {"Fresno": 40, "King": 20}}), cells({"2021": {"Fresno": 40, "Kings": 20}}))


def test_a_new_place_in_an_old_region_is_taken_for_what_it_is():
    old: dict[str, Sequence[str]] = {"north": ("a", "b"), "south": ("c", "d")}
    new: dict[str, Sequence[str]] = {"north": ("a", "b", "e"), "south": ("c", "d")}
    counts = {"a": 20, "b": 30, "c": 40, "d": 50}
    for changes in (Changes.FROZEN, Changes.CUMULATIVE):
        before = cells({"2021": counts}, place=old, changes=changes)
        attack(cells({"2021": {**counts, "e": 25}}, place=new, changes=changes), before)
        hidden = [(y, p) for y in ("all", "2021") for p in ("e", "b")]
        after = cells({"2021": {**counts, "e": 3}}, place=new, hidden=hidden, changes=changes)
        with pytest.raises(Refused, match="broken"):
            attack(after, before)


def test_a_place_that_moved_to_another_region_is_refused_where_the_region_is_a_category_of_its_own():
    old = cells({"2021": {"a": 20, "b": 30, "c": 40}}, place={"north": ("a", "b"), "south": ("c",)})
    new = cells({"2021": {"a": 20, "b": 30, "c": 40}}, place={"north": ("a",), "south": ("b", "c")})

    with pytest.raises(Refused, match=r"not what an earlier release shows|does not hold in one release"):
        attack(
            cells({"2021": {"a": 20, "b": 30, "c": 41}}, place={"north": ("a",), "south": ("b", "c")}), old
        )
    attack(new, old)  # every place is as it was; regions of both releases are its sums


def test_small_differences_are_those_a_reader_sees_for_the_first_time():
    first = cells({"2021": {"Fresno": 40, "Kern": 55}})
    second = cells({"2021": {"Fresno": 42, "Kern": 80}}, hidden=[("all", "all")])

    found = small_differences(second, [Earlier("r0", first)], 11)
    assert {(one.release, one.cell) for one, _ in found} == {("r0", "table 't', place Fresno")}
    assert not small_differences(second, [Earlier("r0", first), Earlier("r1", second)], 11)
    assert not small_differences(second, [Earlier("r0", first)], 2)


# --- against brute force ------------------------------------------------------------------------------------

MOST = 7
"""No count of the brute-force tables is larger, and a reader knows it: that only makes him stronger."""


def _follows(then: IntArray, now: IntArray, grows: bool) -> bool:
    return bool(np.all(now >= then)) if grows else np.array_equal(now, then)


def possible(releases: Sequence[PublicCells], grows: bool) -> list[tuple[IntArray, ...]]:
    """Every series of counts by category that fits all releases of a table with one dimension."""
    series: list[tuple[IntArray, ...]] = [()]
    for public in releases:
        layout = public.space.layouts[0]
        size = len(public.space.axes[0].categories)
        fitting = []
        for counts in itertools.product(range(MOST + 1), repeat=size):
            values = np.array([sum(counts), *counts])[layout.coords[:, 0]]
            seen, unseen = ~public.hidden[layout.cells], public.hidden[layout.cells]
            if np.array_equal(values[seen], public.values[layout.cells][seen]) and np.all(values[unseen] > 0):
                fitting.append(np.array(counts))
        series = [
            (*earlier, now)
            for earlier in series
            for now in fitting
            if not earlier or _follows(earlier[-1], now[: len(earlier[-1])], grows)
        ]
    return series


def line(counts: Sequence[int], hidden: Sequence[bool], changes: Changes) -> PublicCells:
    """A table with one dimension: the total, then its categories."""
    space = link_tables(
        "s",
        [Draw.axis("a", len(counts))],
        [replace(Draw.table("t", [Draw.flat("a", len(counts))], [["a"]]), changes=changes)],
        maximum_cells=100,
    )
    values = Draw.incidence(space) @ np.array(counts)
    order = np.argsort(space.layouts[0].cells)
    unseen = np.array(hidden)[space.layouts[0].coords[order, 0]] & (values > 0)
    return Draw.public(space, values, unseen)


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[PublicCells], bool]:
    """Two or three releases of a table that grows, by a category or by records, with any pattern."""
    grows = draw(st.booleans())
    changes = Changes.CUMULATIVE if grows else Changes.FROZEN
    counts = draw(st.lists(st.integers(0, 5), min_size=2, max_size=2))
    releases = []
    for _ in range(draw(st.integers(2, 3))):
        hidden = draw(st.lists(st.booleans(), min_size=len(counts) + 1, max_size=len(counts) + 1))
        releases.append(line(counts, hidden, changes))
        if grows:
            counts = [min(MOST, count + draw(st.integers(0, 2))) for count in counts]
        elif len(counts) < 3:
            counts = [*counts, draw(st.integers(0, 5))]
    return releases, grows


@settings(max_examples=150, deadline=None)
@given(drawn=lines())
def test_no_release_passes_in_which_brute_force_narrows_a_count_or_an_increment(
    drawn: tuple[list[PublicCells], bool],
):
    releases, grows = drawn
    policy = Policy("test", "none", 3, 2)
    past = history(releases[-1].space, [Earlier(f"r{i}", public) for i, public in enumerate(releases[:-1])])
    try:
        audit_over_time(past, releases[-1], policy=policy)
    except Refused:
        return
    fitting = possible(releases, grows)
    told, _ = past.unrecoverable(policy.minimum_count)
    assert fitting
    now = releases[-1]
    layout = now.space.layouts[0]
    sums = np.array([[s[-1].sum(), *s[-1]] for s in fitting])[:, layout.coords[:, 0]]
    widths = sums.max(axis=0) - sums.min(axis=0)
    open_ = now.hidden[layout.cells] & ~past.known[layout.cells]
    # Counts above MOST are left out: a width that reaches it may be larger.
    assert np.all((widths >= 2) | (sums.max(axis=0) >= MOST) | ~open_)
    if grows and not told.any():
        for older, newer in itertools.pairwise(range(len(releases))):
            came = np.array([s[newer] - s[older] for s in fitting])
            narrow = came.max(axis=0) - came.min(axis=0) < 2
            small = (came.min(axis=0) > 0) & (came.max(axis=0) < 3)
            at_most = np.array([s[newer] for s in fitting]).max(axis=0)
            assert not np.any(narrow & small & (at_most < MOST))
