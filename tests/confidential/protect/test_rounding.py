"""Rounding: to the nearest, without bias, or so that tables add up; and what a reader makes of it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clerestory.attack.bounded import adds_up, narrowed, told_intervals
from clerestory.attack.bounded_moves import move_apart
from clerestory.attack.bounded_tables import two_tables
from clerestory.attack.relations import relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.confidential.protect.rounding import controlled, conventionally, randomly, rounded
from clerestory.errors import Refused
from clerestory.methods import Rounding, RoundingKind
from clerestory.tables import PublicCells

SECRET = b"a secret of the project's own 32"
CONTROLLED = Rounding(RoundingKind.CONTROLLED, 10)


def shown(space, values) -> PublicCells:
    return PublicCells(space, values, np.zeros(len(space), dtype=bool))


def test_conventional_rounding_by_hand() -> None:
    values = np.array([0, 1, 2, 3, 4, 5, 7, 8, 12, 13])
    assert conventionally(values, 5).tolist() == [0, 0, 0, 5, 5, 5, 5, 10, 10, 15]
    assert conventionally(np.array([4, 5, 14, 15]), 10).tolist() == [0, 10, 10, 20]


@pytest.mark.parametrize("value", [0, 1, 4, 7, 9, 10, 23])
def test_random_rounding_has_no_bias(value: int) -> None:
    draws = 40_000
    chance = np.random.default_rng(7).random(draws)
    found = randomly(np.full(draws, value), 10, chance)
    assert set(found) <= {value // 10 * 10, -(-value // 10) * 10}
    # Five standard errors: a fair coin of width 10 has a deviation of 5 at most.
    assert abs(found.mean() - value) < 5 * 5 / draws**0.5


def test_a_cell_is_rounded_alike_whatever_else_is_published(made) -> None:
    one = made.space({"a": (4, 0), "b": (3, 0)}, [("a", "b")])
    other = made.space({"a": (4, 0), "b": (3, 0), "c": (2, 0)}, [("a", "b"), ("b", "c")])
    method = Rounding(RoundingKind.RANDOM, 10)

    def by_box(space) -> dict[tuple[int, ...], int]:
        same = np.full(len(space), 13)
        found, _ = rounded(OriginalCells(space, same, same, None), method, relations(space), secret=SECRET)
        boxes = {}
        for cell, value in zip(space.cells, found, strict=True):
            sets = tuple(
                tuple(np.flatnonzero(space.sets[axis][cell[axis]]))
                for axis in range(len(space.axes))
                if not space.sets[axis][cell[axis]].all()
            )
            names = tuple(
                space.axes[axis].name
                for axis in range(len(space.axes))
                if not space.sets[axis][cell[axis]].all()
            )
            boxes[names, sets] = int(value)
        return boxes

    first, second = by_box(one), by_box(other)
    assert set(first) <= set(second)
    assert all(second[box] == value for box, value in first.items())
    assert len(set(first.values())) == 2, "and not all the same way"


def brute_force(space, values, base) -> int | None:
    """The least sum of changes over all tables of multiples beside the true numbers that add up."""
    rules = relations(space)
    choices = [sorted({v // base * base, -(-v // base) * base}) for v in values.tolist()]
    best = None
    for table in product(*choices):
        candidate = np.array(table)
        if adds_up(shown(space, candidate), rules):
            cost = int(np.abs(candidate - values).sum())
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_controlled_rounding_is_the_nearest_that_adds_up(made, seed: int) -> None:
    sizes = {"a": (2, 0), "b": (3, 0)} if seed % 2 else {"a": (4, 2)}
    space = made.space(sizes, [tuple(sizes)])
    original = made.original(space, seed, 60)
    method = Rounding(RoundingKind.CONTROLLED, 5)
    chance = np.random.default_rng(seed).random(len(space))
    found, reach = controlled(original.values, relations(space), method, chance)
    assert reach == 1
    assert int(np.abs(found - original.values).sum()) == brute_force(space, original.values, 5)


def test_where_three_ways_do_not_add_up_it_is_refused_or_goes_further(made) -> None:
    """Ones at 000, 011, 101, 110 of 2 x 2 x 2, to multiples of 2: every slice holds 2, so exactly one of its
    two ones becomes 2. Whichever is taken first forbids the other three, and the slice opposite is empty."""
    space = made.space({"a": (2, 0), "b": (2, 0), "c": (2, 0)}, [("a", "b", "c")])
    rules = relations(space)
    ones = np.array([(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)])
    values = np.zeros(len(space), dtype=np.int64)
    for cell, box in enumerate(space.cells):
        inside = np.ones(4, dtype=bool)
        for axis in range(3):
            inside &= space.sets[axis][box[axis]][ones[:, axis]]
        values[cell] = inside.sum()
    chance = np.random.default_rng(1).random(len(space))
    with pytest.raises(Refused) as refused:
        controlled(values, rules, Rounding(RoundingKind.CONTROLLED, 2), chance)
    assert "reach = 2" in refused.value.fix
    wide = Rounding(RoundingKind.CONTROLLED, 2, reach=2)
    found, reach = controlled(values, rules, wide, chance)
    assert reach == 2 and np.abs(found - values).max() <= wide.within
    assert adds_up(shown(space, found), rules) and not found[values == 0].any()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), records=st.integers(0, 800), kind=st.sampled_from(RoundingKind))
def test_zeros_stay_and_numbers_stay_near(made, seed: int, records: int, kind: RoundingKind) -> None:
    space = made.space({"a": (4, 2), "b": (3, 0)}, [("a", "b")])
    original = made.original(space, seed, records)
    method = Rounding(kind, 10)
    rules = relations(space)
    found, _ = rounded(original, method, rules, secret=SECRET)
    assert np.all(found % 10 == 0) and np.all(found >= 0)
    assert not found[original.values == 0].any()
    assert np.all(np.abs(found - original.values) <= method.within)
    lower, upper = told_intervals(method, found, np.ones(len(space), dtype=np.int64))
    assert np.all((lower <= original.values) & (original.values <= upper))
    assert adds_up(shown(space, found), rules) or kind is not RoundingKind.CONTROLLED
    again, _ = rounded(original, method, rules, secret=SECRET)
    assert np.array_equal(found, again)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_reader_narrows_is_what_trying_every_table_says(made, seed: int) -> None:
    space = made.space({"a": (3, 0)}, [("a",)])
    original = made.original(space, seed, 30)
    method = Rounding(RoundingKind.RANDOM, 6)
    rules = relations(space)
    values, _ = rounded(original, method, rules, secret=bytes([seed]) * 32)
    lower, upper = told_intervals(method, values, np.ones(len(space), dtype=np.int64))
    found = narrowed(space, lower, upper, minimum=5, width=1, rules=rules)
    total = int(np.flatnonzero((space.cells == 0).all(axis=1))[0])
    parts = [cell for cell in range(len(space)) if cell != total]
    possible = [
        finest
        for finest in product(*[range(int(lower[c]), int(upper[c]) + 1) for c in parts])
        if lower[total] <= sum(finest) <= upper[total]
    ]
    for place, cell in enumerate(parts):
        assert found.system.lower[cell] == min(finest[place] for finest in possible)
        assert found.system.upper[cell] == max(finest[place] for finest in possible)
    seen = two_tables(found)
    assert not len(seen.undecided) or len(found.broken)


@pytest.mark.parametrize("kind", RoundingKind)
@pytest.mark.parametrize("seed", range(4))
def test_small_moves_reach_nothing_that_no_table_has(made, seed: int, kind: RoundingKind) -> None:
    space = made.space({"a": (2, 0), "b": (2, 0)}, [("a", "b")])
    original = made.original(space, seed, 14)
    rules = relations(space)
    values, reach = rounded(
        original,
        Rounding(kind, 4, 2 - (kind is not RoundingKind.CONTROLLED)),
        rules,
        secret=bytes([seed]) * 32,
    )
    lower, upper = told_intervals(Rounding(kind, 4, reach), values, np.ones(len(space), dtype=np.int64))
    found = narrowed(space, lower, upper, minimum=5, width=1, rules=rules)
    parts = [cell for cell in range(len(space)) if (space.cells[cell] != 0).all()]
    inside = np.array(
        [
            [
                all(
                    not np.any(
                        space.sets[axis][space.cells[part, axis]] & ~space.sets[axis][space.cells[cell, axis]]
                    )
                    for axis in range(2)
                )
                for part in parts
            ]
            for cell in range(len(space))
        ]
    )
    tables = []
    for finest in product(*[range(int(lower[c]), int(upper[c]) + 1) for c in parts]):
        whole = inside @ np.array(finest)
        if np.all((lower <= whole) & (whole <= upper)):
            tables.append(whole)
    ends = np.array(tables)
    start = ends[len(ends) // 2]
    least, greatest = start.copy(), start.copy()
    assert rules.variables == len(space)
    move_apart(found, start, least, greatest, seed=seed)
    assert np.all(ends.min(axis=0) <= least) and np.all(greatest <= ends.max(axis=0))
    seen = two_tables(found, likely=values, seed=seed)
    judged = np.flatnonzero(found.judged)
    apart = (ends.max(axis=0) - ends.min(axis=0))[judged] >= 1
    assert set(seen.undecided) == set(judged[~apart])


def test_a_small_count_that_adding_up_gives_away_is_refused_with_a_base_that_would_do(made) -> None:
    """The total is 10 and its one part that is not 0 is 10: both are shown as 20, to the nearest 20."""
    space = made.space({"a": (2, 0)}, [("a",)])
    values = np.array([12, 6, 6])
    assert values[(space.cells == 0).all(axis=1)] == [12]
    method = Rounding(RoundingKind.CONVENTIONAL, 20)
    # Shown as 20, 0 and 0: a total of 10 to 29, parts of 0 to 9, so that each part is 1 or more.
    with pytest.raises(Refused, match="told within less than 9") as refused:
        protect(OriginalCells(space, values, values, None), made.policy(), seed=1, method=method)
    assert "base = " in refused.value.fix


def test_protect_audits_controlled_rounding(made) -> None:
    space = made.space({"a": (8, 2), "b": (4, 0)}, [("a", "b")])
    original = made.original(space, 3, 700)
    done = protect(original, made.policy(), seed=1, method=CONTROLLED, secret=SECRET)
    assert not done.public.hidden.any() and done.report.smallest >= 9
    assert done.utility is not None and done.utility.largest <= 9
    assert done.utility.mean == round(float(np.abs(done.public.values - original.values).mean()), 4)


def test_sums_are_rounded_to_the_base_times_the_most_that_a_record_gives(made) -> None:
    from clerestory.tables import RECORDS, Unit

    fee = Unit("sum", "fee", (2, 6))
    space = made.space({"a": (3, 0)}, [("a",)], units=(RECORDS, fee))
    original = made.original(space, 3, 900)
    found, _ = rounded(original, CONTROLLED, relations(space), secret=SECRET)
    sums = space.units == space.unit_list.index(fee)
    assert np.all(found[sums] % 60 == 0) and np.all(found[~sums] % 10 == 0)
