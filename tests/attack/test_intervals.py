"""Exact intervals by hand, by formula, by enumeration and by one integer program a cell."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers

from clerestory.attack import ends as ends_module
from clerestory.attack import slabs as slabs_module
from clerestory.attack.decide import feasibility_interval
from clerestory.attack.intervals import UNBOUNDED, Intervals, feasibility_intervals
from clerestory.attack.levels import Level
from clerestory.errors import InputError
from clerestory.tables import PublicCells, link_tables
from tests.attack.conftest import Draw


def ends(found: Intervals) -> dict[int, tuple[int, int]]:
    assert found.exact.all()
    return dict(
        zip(found.cells.tolist(), zip(found.low.tolist(), found.high.tolist(), strict=True), strict=True)
    )


def test_two_hidden_cells_of_a_line_share_its_rest(draw, cell_of) -> None:
    """
    a1  a2  a3  total
     x   x  20     31      x + x = 11: 1 to 10 if zeros are shown, 0 to 11 if that is not known
    """
    space = draw.grid(3)
    values = np.zeros(4, dtype=np.int64)
    cells = [cell_of(space, {"a": f"a{i}"}) for i in (1, 2, 3)]
    values[[*cells, cell_of(space, {})]] = 4, 7, 20, 31
    public = draw.public(space, values, np.isin(np.arange(4), cells[:2]))
    assert set(ends(feasibility_intervals(public)).values()) == {(1, 10)}
    assert set(ends(feasibility_intervals(public, level=Level.RELATIONS)).values()) == {(0, 11)}


def test_a_total_hidden_with_its_parts_is_bounded_by_nothing(draw, cell_of) -> None:
    space = draw.grid(2)
    public = draw.public(space, np.array([3, 1, 2], dtype=np.int64), np.ones(3, dtype=bool))
    found = ends(feasibility_intervals(public))
    total = cell_of(space, {})
    assert found.pop(total) == (2, UNBOUNDED)
    assert set(found.values()) == {(1, UNBOUNDED)}


def test_numbers_that_contradict_each_other_are_refused(draw, cell_of) -> None:
    """
         b1   b2  total
    a1    x    x     10
    a2    x    x     10      b1 + b2 = 21
    """
    space = draw.grid(2, 2)
    values = np.zeros(9, dtype=np.int64)
    shown = {"a1": 10, "a2": 10}
    for name, value in shown.items():
        values[cell_of(space, {"a": name})] = value
    values[cell_of(space, {"b": "b1"})], values[cell_of(space, {"b": "b2"})] = 10, 11
    values[cell_of(space, {})] = 20
    hidden = np.zeros(9, dtype=bool)
    for a, b in product((1, 2), repeat=2):
        hidden[cell_of(space, {"a": f"a{a}", "b": f"b{b}"})] = True
    with pytest.raises(InputError, match="contradict"):
        feasibility_intervals(draw.public(space, values, hidden))


def hide_the_cube(draw, counts: np.ndarray) -> tuple[PublicCells, dict[tuple[int, ...], int]]:
    """All margins of a cube shown, its own cells hidden; and where these are."""
    space = draw.grid(*counts.shape)
    values = draw.incidence(space) @ counts.ravel()
    own = np.flatnonzero((space.cells > 0).all(axis=1))
    hidden = np.zeros(len(space), dtype=bool)
    hidden[own] = True
    at = {
        tuple(int(np.flatnonzero(space.sets[a][space.cells[cell, a]])[0]) for a in range(counts.ndim)): int(
            cell
        )
        for cell in own
    }
    return draw.public(space, values, hidden), at


@pytest.mark.parametrize("seed", range(8))
def test_a_two_way_table_has_frechets_bounds(draw, seed: int) -> None:
    """max(0, n_a + n_b - n) to min(n_a, n_b): Frechet 1940, Bonferroni."""
    counts = np.random.default_rng(seed).poisson(4, (3, 4))
    public, at = hide_the_cube(draw, counts)
    found = ends(feasibility_intervals(public, level=Level.RELATIONS))
    rows, columns, n = counts.sum(1), counts.sum(0), counts.sum()
    for (a, b), cell in at.items():
        assert found[cell] == (max(0, rows[a] + columns[b] - n), min(rows[a], columns[b]))


@pytest.mark.parametrize("seed", range(8))
def test_a_cube_of_two_has_the_bounds_of_its_three_margins(draw, seed: int) -> None:
    """Given all two-way margins of a 2 x 2 x 2 table one number is free (Dobra and Fienberg 2000).

    Each corner is bounded by what its seven others need to be zero or more.
    """
    counts = np.random.default_rng(seed).poisson(5, (2, 2, 2))
    public, at = hide_the_cube(draw, counts)
    found = ends(feasibility_intervals(public, level=Level.RELATIONS))
    odd = np.indices((2, 2, 2)).sum(axis=0) % 2 == 1
    down, up = int(counts[~odd].min()), int(counts[odd].min())
    for place, cell in at.items():
        n = int(counts[place])
        assert found[cell] == ((n - down, n + up) if not odd[place] else (n - up, n + down))


def enumerated(
    public: PublicCells, incidence: np.ndarray, least: int, cap: int
) -> dict[int, tuple[int, int]]:
    """Least and greatest value of each hidden cell over every additive table of least..cap."""
    hidden = np.flatnonzero(public.hidden)
    u, s, _ = np.linalg.svd(incidence.astype(float))
    null = u[:, int((s > 1e-9).sum()) :].T
    guesses = np.array(list(product(range(least, cap + 1), repeat=len(hidden))), dtype=float)
    left = guesses @ null[:, hidden].T + public.values.astype(float) @ null.T
    fit = guesses[np.abs(left).max(axis=1, initial=0) < 1e-7].astype(int)
    return {cell: (int(fit[:, k].min()), int(fit[:, k].max())) for k, cell in enumerate(hidden.tolist())}


@pytest.mark.parametrize("level", [Level.RELATIONS, Level.POLICY])
@pytest.mark.parametrize("seed", range(40))
def test_intervals_are_those_of_every_table_counted(draw, seed: int, level: Level) -> None:
    rng = np.random.default_rng(seed)
    space = draw.random(rng, axes=2, tables=2, select=False, complete=True)
    incidence = draw.incidence(space)
    values = incidence @ rng.integers(0, 5, incidence.shape[1])
    candidates = np.flatnonzero((values > 0) & (values <= 5))
    hidden = np.zeros(len(space), dtype=bool)
    hidden[rng.permutation(candidates)[:4]] = True
    public = draw.public(space, values, hidden)
    found = ends(feasibility_intervals(public, level=level))
    cap = 12
    for cell, (low, high) in enumerated(public, incidence, int(level) - 1, cap).items():
        if high < cap:
            assert found[cell] == (low, high)
        else:
            assert found[cell][0] == low and (found[cell][1] >= cap or found[cell][1] == UNBOUNDED)


@pytest.mark.parametrize("seed", range(12))
def test_all_at_once_and_one_by_one_agree(draw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = draw.random(rng, axes=3, tables=2)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(4, incidence.shape[1])
    hidden = (values > 0) & (rng.random(len(space)) < 0.5)
    public = draw.public(space, values, hidden)
    for cell, (low, high) in ends(feasibility_intervals(public, seed=seed)).items():
        assert feasibility_interval(public, cell) == (low, None if high == UNBOUNDED else high)


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_slabs_change_no_interval(draw, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(3, (4, 3, 3))
    space = draw.grid(*counts.shape)
    values = draw.incidence(space) @ counts.ravel()
    hidden = (values > 0) & (rng.random(len(space)) < 0.6)
    public = draw.public(space, values, hidden)
    plain = ends(feasibility_intervals(public))
    monkeypatch.setattr(slabs_module, "_LARGE", 4)
    assert ends(feasibility_intervals(public, seed=1)) == plain


def test_a_more_knowing_reader_has_narrower_intervals(draw) -> None:
    rng = np.random.default_rng(3)
    space = draw.grid(4, 3, 2)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(4, incidence.shape[1])
    public = draw.public(space, values, (values > 0) & (values < 11))
    one, two = (feasibility_intervals(public, level=level) for level in (Level.RELATIONS, Level.POLICY))
    assert (one.low <= two.low).all() and (two.high <= one.high).all()
    assert (one.low < two.low).any()


def a_cube_with_regions(draw, seed: int) -> PublicCells:
    """Seven counties in three regions of a state, by three years and two sexes; some cells hidden."""
    rng = np.random.default_rng(seed)
    regions = [range(3), range(3, 5), range(5, 7)]
    members = [np.ones(7, dtype=bool), *(np.isin(np.arange(7), list(inside)) for inside in regions)]
    parents = [-1, 0, 0, 0]
    for number, inside in enumerate(regions):
        for county in inside:
            members.append(np.arange(7) == county)
            parents.append(1 + number)
    dimensions = [draw.dimension("a", "a", members, parents), draw.flat("b", 3), draw.flat("c", 2)]
    axes = [draw.axis(name, size) for name, size in (("a", 7), ("b", 3), ("c", 2))]
    space = link_tables("drawn", axes, [draw.table("t", dimensions, ["abc"])], maximum_cells=10**6)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(3, incidence.shape[1])
    return draw.public(space, values, (values > 0) & (rng.random(len(space)) < rng.uniform(0.3, 0.7)))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=integers(0, 10**6))
def test_slabs_and_groups_of_them_claim_nothing_that_integer_programs_deny(seed: int) -> None:
    """Exact ends are those of one integer program a cell; the others lie outside what was seen and may be."""
    public = a_cube_with_regions(Draw, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs_module, "_LARGE", 4)
        patch.setattr(ends_module, "_WHOLE", 0)
        found = feasibility_intervals(public, seed=seed, workers=1 + seed % 2)
    for place, cell in enumerate(found.cells.tolist()):
        low, high = feasibility_interval(public, cell)
        high = UNBOUNDED if high is None else high
        if found.exact[place]:
            assert (found.low[place], found.high[place]) == (low, high)
        assert found.low[place] <= low <= found.seen_low[place]
        if high != UNBOUNDED:
            assert found.seen_high[place] <= high
            assert found.high[place] == UNBOUNDED or high <= found.high[place]


@pytest.mark.parametrize("seed", range(4))
def test_slabs_leave_no_end_open_that_the_whole_decides(draw, seed: int, monkeypatch) -> None:
    public = a_cube_with_regions(draw, seed)
    plain = ends(feasibility_intervals(public))
    monkeypatch.setattr(slabs_module, "_LARGE", 4)
    assert ends(feasibility_intervals(public, seed=1)) == plain


def test_the_number_of_workers_changes_no_interval(draw, monkeypatch: pytest.MonkeyPatch) -> None:
    public = a_cube_with_regions(draw, 5)
    monkeypatch.setattr(slabs_module, "_LARGE", 4)
    monkeypatch.setattr(ends_module, "_LARGE", 4)
    monkeypatch.setattr(ends_module, "_WHOLE", 0)
    one, two = (feasibility_intervals(public, workers=workers) for workers in (1, 2))
    for name in ("low", "high", "exact", "seen_low", "seen_high"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
