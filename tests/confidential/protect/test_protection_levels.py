"""Protection levels: both ends of every sensitive sum are far enough from the truth, by hand and by another
solver; and a single contributor is told no other sum by his own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from clerestory.attack.relations import relations
from clerestory.confidential.audit import audit
from clerestory.confidential.original import Contributions, OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.confidential.protection_levels import ProtectionLevels
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.tables import PublicCells, Unit

TURNOVER = Unit("sum", "turnover", (0, 1))
"""A width of one unit: what is asked beyond it is asked by the levels."""
POLICY = Policy("test", "none", 1, 1, p_percent=10)


def made_of(space, given: dict[int, list[int]]) -> OriginalCells:
    """given: category of the first axis -> contributions; totals are added up."""
    largest, total, count = (
        np.zeros((len(space), 2), dtype=np.int64),
        np.zeros(len(space), dtype=np.int64),
        np.zeros(len(space), dtype=np.int64),
    )
    for cell in range(len(space)):
        members = np.flatnonzero(space.sets[0][space.cells[cell, 0]])
        own = sorted((x for m in members.tolist() for x in given.get(m, [])), reverse=True)
        largest[cell, : min(2, len(own))] = own[:2]
        total[cell], count[cell] = sum(own), len(own)
    return OriginalCells(space, total, count, None, Contributions(count, largest, total))


def test_an_interval_that_reaches_its_levels_passes_and_one_that_does_not_is_refused(made) -> None:
    # 100 and 40 hidden, 200 in all: the first can be 1 to 139
    space = made.space({"a": (3, 0)}, [("a",)], (TURNOVER,))
    values = np.array([200, 100, 40, 60], dtype=np.int64)
    hidden = np.array([False, True, True, False])
    public = PublicCells(space, np.where(hidden, 0, values), hidden)

    def asked(upper: int, lower: int) -> ProtectionLevels:
        up, down, one = np.zeros((3, 4), dtype=np.int64)
        up[1], down[1], one[1] = upper, lower, 1
        return ProtectionLevels(up, down, one > 0, one > 1)

    found = audit(public, policy=POLICY, start=values, levels=asked(39, 99))
    assert (found.levels, found.broken) == (1, 0)
    for upper, lower in ((40, 0), (40, 1), (0, 100), (1, 100)):
        with pytest.raises(Refused) as caught:
            audit(public, policy=POLICY, start=values, levels=asked(upper, lower))
        assert "100" not in str(caught.value)


def test_a_single_contributor_with_one_neighbour_is_refused_and_then_given_a_third(made) -> None:
    # 80 is one firm's; 70 and 1 are two firms', so both are sensitive; the others are many firms'
    space = made.space({"a": (4, 0)}, [("a",)], (TURNOVER,))
    original = made_of(space, {0: [80], 1: [70, 1], 2: [10] * 6, 3: [11] * 6})
    hidden = np.array([False, True, True, False, False])
    public = PublicCells(space, np.where(hidden, 0, original.values), hidden)
    sensitive, single = hidden.copy(), np.array([False, True, False, False, False])
    level = np.where(hidden, 8, 0)
    levels = ProtectionLevels(level, level, sensitive, single)
    assert len(levels.told_by_one(relations(space), hidden)) == 1
    with pytest.raises(Refused, match="single contributor"):
        audit(public, policy=POLICY, start=original.values, levels=levels)
    done = protect(original, POLICY, seed=1)
    assert done.primary.tolist() == hidden.tolist() and done.public.hidden.sum() == 3
    assert done.report.levels == 2


def ends_of(public: PublicCells) -> dict[int, tuple[int, float]]:
    """Ends of each hidden cell over all whole-number tables of the leaves, by another solver's model."""
    space = public.space
    leaves = [len(axis.categories) for axis in space.axes]
    inside = np.array(
        [
            np.multiply.outer(*[space.sets[a][s].astype(float) for a, s in enumerate(cell)]).ravel()
            for cell in space.cells.tolist()
        ]
    )
    shown = ~public.hidden
    rules = [
        LinearConstraint(inside[shown], public.values[shown], public.values[shown]),
        LinearConstraint(inside[~shown], 1, np.inf),
    ]
    found = {}
    for cell in np.flatnonzero(public.hidden).tolist():
        low, high = (
            milp(
                sign * inside[cell],
                constraints=rules,
                integrality=np.ones(int(np.prod(leaves))),
                bounds=Bounds(0, np.inf),
            )
            for sign in (1, -1)
        )
        found[cell] = (round(low.fun), np.inf if high.x is None else round(-high.fun))
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_another_solver_finds_both_ends_beyond_the_levels(made, seed: int) -> None:
    """Two-way tables, where the published cells say as much as the leaves behind them."""
    rng = np.random.default_rng(seed)
    space = made.space({"a": (4, 0), "b": (4, 0)}, [("a", "b")], (TURNOVER,))
    place = rng.integers(0, 4, (40, 2))
    amount = np.ceil(rng.pareto(1.1, 40) * 30 + 1).astype(np.int64)
    inside = np.array(
        [space.sets[0][a][place[:, 0]] & space.sets[1][b][place[:, 1]] for a, b in space.cells.tolist()]
    )
    given_ = [np.sort(amount[own])[::-1] for own in inside]
    largest = np.array([[*own[:2], 0, 0][:2] for own in given_], dtype=np.int64)
    total, count = inside @ amount, inside.sum(axis=1)
    original = OriginalCells(space, total, count, None, Contributions(count, largest, total))
    done = protect(original, POLICY, seed=seed)
    assert done.rules is not None and done.report.levels == int((done.rules.upper > 0).sum())
    for cell, (low, high) in ends_of(done.public).items():
        assert high - low >= 1
        assert high >= total[cell] + done.rules.upper[cell]
        assert low <= max(1, total[cell] - done.rules.lower[cell])
