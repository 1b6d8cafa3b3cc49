"""The one door: whatever the tables, what leaves is wide enough, complete and repeatable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clerestory.attack.decide import Verdict, decide
from clerestory.confidential.audit import audit
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect, public_tables
from clerestory.tables import RECORDS, Published, Status, Unit, Withheld

FEE = Unit("sum", "fee", (2, 6))
PERSONS = Unit("persons")
ROAMING = Unit("persons", overlapping=frozenset({"a"}))


def assert_protected(original: OriginalCells, protection, policy) -> None:
    public = protection.public
    assert (public.values[~public.hidden] == original.values[~public.hidden]).all()
    assert not (public.hidden & (original.values == 0)).any()
    assert (public.hidden == (protection.primary | protection.secondary)).all()
    assert not (protection.primary & protection.secondary).any()
    assert audit(public, policy=policy).broken == 0  # once more, without the truth


def test_nothing_small_hides_nothing(made) -> None:
    space = made.space({"a": (2, 0)}, [("a",)])
    values = np.array([50, 20, 30], dtype=np.int64)
    found = protect(OriginalCells(space, values, values, None), made.policy(), seed=1)
    assert not found.public.hidden.any() and found.report.smallest is None


@pytest.mark.parametrize("values", [[0, 0, 0], [3, 1, 2], [3, 3, 0], [10, 4, 6], [20, 10, 10], [25, 3, 22]])
def test_tiny_tables(made, values: list[int]) -> None:
    space = made.space({"a": (2, 0)}, [("a",)])
    truth = np.array(values, dtype=np.int64)
    original = OriginalCells(space, truth, truth, None)
    assert_protected(original, protect(original, made.policy(), seed=1), made.policy())


def test_a_single_cell(made) -> None:
    space = made.space({"a": (1, 0)}, [("a",)])
    for value in (0, 3, 12):
        truth = np.array([value], dtype=np.int64)
        original = OriginalCells(space, truth, truth, None)
        found = protect(original, made.policy(), seed=1)
        assert found.public.hidden.tolist() == [0 < value < 11]


def test_a_lone_small_cell_gets_company(made) -> None:
    space = made.space({"a": (3, 0)}, [("a",)])
    truth = np.array([62, 2, 30, 30], dtype=np.int64)
    found = protect(OriginalCells(space, truth, truth, None), made.policy(), seed=1)
    assert int(found.primary.sum()) == 1 and int(found.secondary.sum()) == 1


def test_a_few_between_two_large_shown_totals_are_protected(made) -> None:
    """Everybody and adults differ by a small count that neither table shows."""
    space = made.space({"a": (2, 0), "age": (2, 0)}, [("a",)], adults="age")
    adult = space.cells[:, 1] != 0
    boxes = {0: 80, 1: 40, 2: 40}
    values = np.array([boxes[int(box)] for box in space.cells[:, 0]], dtype=np.int64)
    values[adult] -= np.where(space.cells[adult, 0] == 0, 7, np.where(space.cells[adult, 0] == 1, 3, 4))
    original = OriginalCells(space, values, values, None)
    found = protect(original, made.policy(), seed=1)
    assert not found.primary.any() and found.secondary.any()
    assert_protected(original, found, made.policy())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    records=st.sampled_from([1, 20, 100, 400]),
    units=st.sampled_from([(RECORDS,), (RECORDS, PERSONS), (RECORDS, FEE), (FEE,), (RECORDS, ROAMING)]),
    adults=st.sampled_from(["", "b"]),
    groups=st.sampled_from([0, 2]),
    width=st.sampled_from([1, 5, 9]),
)
def test_what_leaves_withstands_the_audit(made, seed, records, units, adults, groups, width) -> None:
    space = made.space({"a": (4, groups), "b": (3, 0), "c": (2, 0)}, [("a", "b"), ("b", "c")], units, adults)
    original = made.original(space, seed, records, overlapping=0 if ROAMING in units else -1)
    policy = made.policy(width=width)
    assert_protected(original, protect(original, policy, seed=seed), policy)


def test_units_of_a_box_are_hidden_together(made) -> None:
    space = made.space({"a": (4, 0), "b": (3, 0)}, [("a", "b")], (RECORDS, PERSONS, FEE))
    original = made.original(space, 5, 120)
    hidden = protect(original, made.policy(), seed=5).public.hidden
    by_box = {tuple(box): set() for box in space.cells.tolist()}
    for box, value, is_hidden in zip(space.cells.tolist(), original.values, hidden, strict=True):
        if value:
            by_box[tuple(box)].add(bool(is_hidden))
    assert all(len(said) <= 1 for said in by_box.values())


def test_the_same_inputs_and_seed_give_the_same_pattern(made) -> None:
    space = made.space({"a": (6, 2), "b": (4, 0)}, [("a", "b")])
    original = made.original(space, 3, 300)
    first, second = (protect(original, made.policy(), seed=9).public for _ in range(2))
    assert (first.hidden == second.hidden).all() and (first.values == second.values).all()


def test_every_hidden_cell_is_proven_by_two_tables(made) -> None:
    space = made.space({"a": (6, 2), "b": (4, 0)}, [("a", "b")])
    original = made.original(space, 4, 400)
    public = protect(original, made.policy(), seed=9).public
    found = decide(public, width=9, minimum=11)
    assert (found.verdicts == Verdict.WIDE).all()
    assert (found.high - found.low >= 9).all()


def test_public_tables_hold_the_cells_in_the_order_of_their_layout(made) -> None:
    space = made.space({"a": (3, 0)}, [("a",)])
    truth = np.array([62, 2, 30, 30], dtype=np.int64)
    public = protect(OriginalCells(space, truth, truth, None), made.policy(), seed=1).public
    (table,) = public_tables(public)
    assert (table.coords == space.layouts[0].coords).all()
    assert table.cell({"a": 1}) == Withheld(Status.HIDDEN)
    assert table.cell({}) == Published(62)
    assert not table.values[table.statuses == list(Status).index(Status.HIDDEN)].any()
