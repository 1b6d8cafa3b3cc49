"""A walk by circuits meets ends in tables that fit; what is no step counts for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clerestory.attack.circuits import Board
from clerestory.attack.decide import feasibility_interval
from clerestory.attack.relations import relations
from clerestory.attack.system import attackers_system, components
from clerestory.attack.tables import completed
from clerestory.attack.walk import Walk


def started(draw, seed: int):
    """A walk on the largest component of a random cube, its public cells, and its ends."""
    rng = np.random.default_rng(seed)
    space = draw.grid(4, 3, 3)
    incidence = draw.incidence(space)
    values = incidence @ rng.poisson(4, incidence.shape[1])
    public = draw.public(space, values, (values > 0) & (rng.random(len(space)) < 0.6))
    rules = relations(space)
    part = components(attackers_system(rules, public))[-1]
    walk = Walk(rules, part, completed(rules, values)[part.columns])
    ends = [(place, greatest) for place in range(len(part.columns)) for greatest in (False, True)]
    most = np.where(np.isinf(part.upper), 1000.0, part.upper).astype(np.int64)
    return public, part, walk, ends, part.lower.astype(np.int64), most


@pytest.mark.parametrize("seed", range(6))
def test_what_a_walk_meets_lies_within_the_interval_by_integer_programs(draw, seed: int) -> None:
    public, part, walk, ends, lower, upper = started(draw, seed)
    assert walk.possible
    before = walk.table.copy()
    walk.sweep(ends, lower, upper, np.random.default_rng(seed))
    assert part.holds(walk.table) and np.any(walk.table != before)
    assert np.any(walk.low < walk.high)
    for place, cell in enumerate(part.columns.tolist()):
        if cell < len(public.space):
            low, high = feasibility_interval(public, cell)
            assert low <= walk.low[place] and (high is None or walk.high[place] <= high)


def test_a_step_that_breaks_a_relation_is_dropped(draw, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, walk, ends, lower, upper = started(draw, 0)
    honest = Board.move

    def broken(self, *words, **named):
        found = honest(self, *words, **named)
        return None if found is None else replace(found, columns=found.columns[:-1], steps=found.steps[:-1])

    monkeypatch.setattr(Board, "move", broken)
    before = walk.table.copy()
    walk.sweep(ends, lower, upper, np.random.default_rng(0))
    assert np.array_equal(walk.table, before)
    assert np.array_equal(walk.low, before) and np.array_equal(walk.high, before)


def test_a_step_below_a_bound_is_dropped(draw, monkeypatch: pytest.MonkeyPatch) -> None:
    _, part, walk, ends, lower, upper = started(draw, 0)
    honest = Board.move

    def too_far(self, *words, **named):
        found = honest(self, *words, **named)
        return None if found is None else replace(found, steps=50 * found.steps)

    monkeypatch.setattr(Board, "move", too_far)
    before = walk.table.copy()
    walk.sweep(ends, lower, upper, np.random.default_rng(0))
    assert part.holds(walk.table)
    assert np.array_equal(walk.low, before) and np.array_equal(walk.high, before)
