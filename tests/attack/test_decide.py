"""Attacks by hand, by enumeration, and the promise that wide and broken are proofs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from clerestory.attack import decide as module
from clerestory.attack.decide import Verdict, decide, feasibility_interval
from clerestory.attack.relations import Kind, relations
from clerestory.errors import InputError
from clerestory.tables import PublicCells, link_tables


def verdicts_of(public: PublicCells, width: int, minimum: int = 11, **more):
    found = decide(public, width=width, minimum=minimum, **more)
    return found, dict(zip(found.variables.tolist(), found.verdicts.tolist(), strict=True))


def test_a_lone_hidden_cell_is_recovered_by_subtraction(draw, cell_of) -> None:
    """
    a1  a2  total
     x  12     15
    """
    space = draw.grid(2)
    values = np.zeros(3, dtype=np.int64)
    lone, total = cell_of(space, {"a": "a1"}), cell_of(space, {})
    values[[lone, cell_of(space, {"a": "a2"}), total]] = 3, 12, 15
    found, verdict = verdicts_of(draw.public(space, values, np.arange(3) == lone), 1)
    assert verdict[lone] == Verdict.BROKEN
    assert found.outer_low[0] == found.outer_high[0] == 3
    assert len(found.small_lines) == 1


def test_two_hidden_cells_of_a_line_share_its_rest(draw, cell_of) -> None:
    """
    a1  a2  a3  total
     x   x  20     31      x + x = 11, each at least 1: from 1 to 10
    """
    space = draw.grid(3)
    values = np.zeros(4, dtype=np.int64)
    cells = [cell_of(space, {"a": f"a{i}"}) for i in (1, 2, 3)]
    values[[*cells, cell_of(space, {})]] = 4, 7, 20, 31
    hidden = np.isin(np.arange(4), cells[:2])
    assert decide(draw.public(space, values, hidden), width=9, minimum=11).wide
    _, verdict = verdicts_of(draw.public(space, values, hidden), 10)
    assert {verdict[cells[0]], verdict[cells[1]]} == {Verdict.BROKEN}
    assert feasibility_interval(draw.public(space, values, hidden), cells[0]) == (1, 10)


def test_hidden_cells_whose_sum_is_small_are_a_small_count(draw, cell_of) -> None:
    """
    a1  a2  a3  total
     x   x  20     28      x + x = 8: wide by 6, but 8 is a small count itself
    """
    space = draw.grid(3)
    values = np.zeros(4, dtype=np.int64)
    cells = [cell_of(space, {"a": f"a{i}"}) for i in (1, 2, 3)]
    values[[*cells, cell_of(space, {})]] = 3, 5, 20, 28
    found = decide(draw.public(space, values, np.isin(np.arange(4), cells[:2])), width=5, minimum=11)
    assert (found.verdicts == Verdict.WIDE).all() and len(found.small_lines) == 1 and not found.wide


def test_two_shown_cells_that_differ_by_a_few_give_the_few_away(draw) -> None:
    """Everybody 40, adults 37: three minors, whom no table names."""
    everyone = draw.table("all", [], [[]])
    adults = draw.table("adults", [], [[]], select={"age": np.array([False, True])})
    space = link_tables("s", [draw.axis("age", 2)], [everyone, adults], maximum_cells=99)
    values = np.where(space.cells[:, 0] == 0, 40, 37).astype(np.int64)
    found = decide(draw.public(space, values, np.zeros(2, dtype=bool)), width=1, minimum=11)
    assert [found.relations.kinds[v] for v in found.variables] == [Kind.BOX]
    assert (found.verdicts == Verdict.BROKEN).all()


def test_a_total_hidden_with_its_parts_is_bounded_by_nothing(draw) -> None:
    space = draw.grid(2)
    values = np.array([3, 1, 2], dtype=np.int64)
    assert decide(draw.public(space, values, np.ones(3, dtype=bool)), width=9, minimum=11).wide
    assert feasibility_interval(draw.public(space, values, np.ones(3, dtype=bool)), 0)[1] is None


def test_numbers_that_contradict_each_other_are_refused(draw, cell_of) -> None:
    space = draw.grid(2)
    values = np.zeros(3, dtype=np.int64)
    values[cell_of(space, {})] = 5
    with pytest.raises(InputError, match="contradict"):
        decide(draw.public(space, values, np.zeros(3, dtype=bool)), width=1, minimum=11)


def test_nothing_hidden_and_nothing_published_is_safe(draw) -> None:
    space = draw.grid(2, 2)
    nothing = np.zeros(len(space), dtype=np.int64)
    assert decide(draw.public(space, nothing, nothing > 0), width=9, minimum=11).wide


def enumerated(public: PublicCells, incidence: np.ndarray, cap: int) -> dict[int, tuple[int, int]]:
    """Every table of whole numbers up to cap that is additive: least and greatest value of hidden cells."""
    hidden = np.flatnonzero(public.hidden)
    u, s, _ = np.linalg.svd(incidence.astype(float))
    null = u[:, int((s > 1e-9).sum()) :].T
    values = public.values.astype(float)
    low, high = dict.fromkeys(hidden.tolist(), cap + 1), dict.fromkeys(hidden.tolist(), 0)
    for guess in product(range(1, cap + 1), repeat=len(hidden)):
        values[hidden] = guess
        if np.abs(null @ values).max(initial=0) < 1e-7:
            for cell, value in zip(hidden.tolist(), guess, strict=True):
                low[cell], high[cell] = min(low[cell], value), max(high[cell], value)
    return {cell: (low[cell], high[cell]) for cell in hidden.tolist()}


@pytest.mark.parametrize("seed", range(60))
def test_verdicts_agree_with_the_enumeration_of_every_table(draw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = draw.random(rng, axes=2, tables=2, select=False, complete=True)
    incidence = draw.incidence(space)
    values = incidence @ rng.integers(0, 5, incidence.shape[1])
    candidates = np.flatnonzero((values > 0) & (values <= 5))
    hidden = np.zeros(len(space), dtype=bool)
    hidden[rng.permutation(candidates)[:4]] = True
    public = draw.public(space, values, hidden)
    exact = enumerated(public, incidence, 10)
    width = int(rng.integers(1, 6))
    _, verdict = verdicts_of(public, width)
    if any(high == 10 for _, high in exact.values()):
        return  # the enumeration was cut short
    for cell, (low, high) in exact.items():
        assert verdict[cell] == (Verdict.WIDE if high - low >= width else Verdict.BROKEN)
        assert feasibility_interval(public, cell) == (low, high)


def outside(public: PublicCells, incidence: np.ndarray, cell: int) -> tuple[float, float]:
    """The ends by another solver and another model: finest cells of any sign, published cells whole."""
    n, m = incidence.shape
    rows = np.hstack([-np.eye(n), incidence])
    lower = np.concatenate([np.where(public.hidden, 1, public.values), np.full(m, -np.inf)])
    upper = np.concatenate([np.where(public.hidden, 1e4, public.values), np.full(m, np.inf)])
    ends = []
    for sign in (1, -1):
        cost = np.zeros(n + m)
        cost[cell] = sign
        found = milp(
            cost,
            constraints=LinearConstraint(rows, 0, 0),
            bounds=Bounds(lower, upper),
            integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        )
        assert found.status == 0
        ends.append(round(sign * found.fun))
    return ends[0], ends[1]


@pytest.mark.parametrize("seed", range(40))
def test_verdicts_agree_with_a_separate_model_and_solver(draw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    restricted = seed % 2 == 0
    space = draw.random(rng, axes=3, tables=2, select=restricted, complete=not restricted)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(4, incidence.shape[1])
    hidden = (values > 0) & (rng.random(len(space)) < 0.5)
    public = draw.public(space, values, hidden)
    found, verdict = verdicts_of(public, 7, seed=seed)
    assert not (found.verdicts == Verdict.UNDECIDED).any()
    no_boxes = found.relations.variables == len(space)
    for cell in np.flatnonzero(hidden)[:8].tolist():
        low, high = outside(public, incidence, cell)
        if verdict[cell] == Verdict.WIDE:
            assert high - low >= 7
        elif no_boxes:  # a box that nobody publishes adds knowledge that the outside model lacks
            assert high - low < 7


@pytest.mark.parametrize("seed", range(40))
def test_the_ways_of_large_components_come_to_the_same_verdicts(draw, monkeypatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = draw.random(rng, axes=3, tables=3, select=seed % 2 == 0)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(1, incidence.shape[1])
    public = draw.public(space, values, (values > 0) & (rng.random(len(space)) < 0.4))
    small, verdict = verdicts_of(public, 3, seed=seed)
    monkeypatch.setattr(module, "_WHOLE", 0)
    large, again = verdicts_of(public, 3, seed=seed)
    assert verdict == again
    assert (small.small_lines == large.small_lines).all()


def test_a_change_that_is_said_to_fit_counts_only_if_it_does(draw, cell_of) -> None:
    """
    a1  a2  a3  total
     x   x  20     31      x + x = 11
    """
    space = draw.grid(3)
    values = np.zeros(4, dtype=np.int64)
    one, two, three = (cell_of(space, {"a": f"a{i}"}) for i in (1, 2, 3))
    values[[one, two, three, cell_of(space, {})]] = 4, 7, 20, 31
    public = draw.public(space, values, np.isin(np.arange(4), [one, two]))
    said = [
        (np.array([one]), np.array([90])),
        (np.array([one, two]), np.array([90, -90])),
        (np.array([one, three]), np.array([9, -9])),
    ]
    _, verdict = verdicts_of(public, 10, start=values, moves=said)
    assert verdict[one] == verdict[two] == Verdict.BROKEN


@pytest.mark.parametrize("seed", range(20))
def test_the_truth_as_a_start_changes_no_verdict(draw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = draw.random(rng)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(5, incidence.shape[1])
    hidden = (values > 0) & ((values < 11) | (rng.random(len(space)) < 0.3))
    public = draw.public(space, values, hidden)
    alone, with_truth = (decide(public, width=9, minimum=11, start=s) for s in (None, values))
    assert (alone.variables == with_truth.variables).all()
    assert (alone.verdicts == with_truth.verdicts).all()
    assert relations(space).variables == alone.relations.variables
