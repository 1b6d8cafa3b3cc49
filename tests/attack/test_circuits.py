"""What the compiled search proposes is a move; what is none counts for nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clerestory.attack import circuits
from clerestory.attack.circuits import Board, Circuit
from clerestory.attack.decide import Verdict, decide
from clerestory.attack.moves import Moves
from clerestory.attack.relations import relations
from clerestory.attack.tables import completed
from clerestory.attack.widen import Needs, Widening
from clerestory.errors import Undecided
from clerestory.tables import PublicCells


def population(draw, seed: int):
    """Random linked tables of a random population: relations, and the true value of every cell."""
    rng = np.random.default_rng(seed)
    space = draw.random(rng, axes=int(rng.integers(1, 4)), tables=int(rng.integers(1, 3)), select=False)
    finest = rng.integers(0, 9, int(np.prod([len(axis.categories) for axis in space.axes])))
    return relations(space), draw.incidence(space) @ finest


@pytest.mark.parametrize("seed", range(60))
def test_every_circuit_keeps_every_relation_and_moves_its_cell_as_it_says(draw, seed: int) -> None:
    rules, values = population(draw, seed)
    table = completed(rules, values)
    rng = np.random.default_rng(seed)
    lower = np.minimum(table, rng.integers(0, 2, rules.variables))
    free = rng.random(rules.variables) < 0.7
    free[len(values) :] = True
    price = np.where(free, 0.0, np.where(rng.random(rules.variables) < 0.5, 1.0, np.inf))
    board = Board(rules, table - lower, price.copy(), np.maximum(table, 0))
    moves = Moves(rules, table, lower)
    for cell in range(len(values)):
        for sense, buy in ((1, False), (-1, False), (1, True), (-1, True)):
            want = 3 if sense > 0 else min(3, int(table[cell] - lower[cell]))
            found = board.move(cell, sense, want, buy=buy, budget=8, deep=2, seed=seed)
            if found is None:
                continue
            columns, steps = moves.whole(found.columns, found.steps)
            change = np.zeros(rules.variables, dtype=np.int64)
            change[columns] = steps
            assert not np.any(rules.matrix @ change)
            assert np.all(table + change >= lower)
            assert np.all(np.diff(found.columns) > 0) and np.all(found.steps != 0)
            assert sense * change[cell] == found.reached <= want
            assert np.all(np.isfinite(price[found.columns]))
            bought = found.columns[price[found.columns] > 0]
            assert set(bought.tolist()) <= set(found.opened.tolist()) and (buy or not len(found.opened))
            assert found.spent == pytest.approx(price[found.opened].sum())
            board.undo()
            assert np.array_equal(board.price, price)


@pytest.mark.parametrize("seed", range(20))
def test_boxes_are_found_by_their_hash_as_in_a_table(draw, monkeypatch, seed: int) -> None:
    rules, values = population(draw, seed)
    table = completed(rules, values)
    lower = np.minimum(table, 1)
    price = np.ones(rules.variables)

    def all_moves() -> list[tuple[list[int], list[int]] | None]:
        board = Board(rules, table - lower, price.copy(), np.maximum(table, 0))
        found = []
        for cell in range(len(values)):
            move = board.move(cell, 1, 3, buy=True, budget=8, deep=2, seed=seed)
            found.append(None if move is None else (move.columns.tolist(), move.steps.tolist()))
            board.undo()
        return found

    in_a_table = all_moves()
    monkeypatch.setattr(circuits, "_DENSE", 0)
    assert all_moves() == in_a_table


def test_a_box_of_eight_is_found_in_a_cube(draw, cell_of) -> None:
    """Eight hidden corners and nothing else: the one circuit through all of them, by 4 up and down."""
    space = draw.grid(3, 3, 3)
    rules = relations(space)
    corners = [
        cell_of(space, {"a": f"a{i}", "b": f"b{j}", "c": f"c{k}"})
        for i in (1, 2)
        for j in (1, 2)
        for k in (1, 2)
    ]
    price = np.full(rules.variables, np.inf)
    price[corners] = 0
    room = np.full(rules.variables, 4)
    board = Board(rules, room, price, np.ones(rules.variables, dtype=np.int64))
    for sense in (1, -1):
        found = board.move(corners[0], sense, 9, buy=False, budget=16)
        assert sorted(found.columns.tolist()) == sorted(corners)
        assert np.all(np.abs(found.steps) == found.reached) and 0 < found.reached <= 4


class Lying(Board):
    """A search with a fault: whatever it finds, it says something else."""

    fault = "nothing"

    def move(self, cell: int, sense: int, want: int, **how) -> Circuit | None:
        if self.fault == "everything is open":
            self.price[:] = 0
        found = super().move(cell, sense, want, **how)
        if self.fault == "a shown cell":
            return Circuit(np.array([cell]), np.array([sense * want]), np.zeros(0, dtype=np.int64), 0.0, want)
        if found is None:
            return None
        return {
            "nothing": found,
            "everything is open": found,
            "too far": replace(found, steps=found.steps * 1_000_000),
            "a part": replace(found, columns=found.columns[:-1], steps=found.steps[:-1]),
            "twice": replace(found, columns=np.repeat(found.columns, 2), steps=np.repeat(found.steps, 2)),
        }[self.fault]


@pytest.mark.parametrize(
    "fault", ["nothing", "too far", "a part", "twice", "a shown cell", "everything is open"]
)
def test_a_fault_in_the_search_makes_nothing_look_safe(draw, monkeypatch, fault: str) -> None:
    """The verdicts are those of the true search, or less; what is broken stays broken."""
    monkeypatch.setattr(Lying, "fault", fault)
    for seed in range(12):
        rules, values = population(draw, seed)
        rng = np.random.default_rng(seed)
        hidden = (values > 0) & (rng.random(len(values)) < 0.5)
        public = PublicCells(rules.space, np.where(hidden, 0, values), hidden)
        true = decide(public, width=2, minimum=3, known=rules)
        with monkeypatch.context() as patched:
            patched.setattr("clerestory.attack.widen.Board", Lying)
            said = decide(public, width=2, minimum=3, known=rules)
        assert not np.any((said.verdicts == Verdict.WIDE) & (true.verdicts == Verdict.BROKEN))
        assert np.all(said.low >= true.outer_low) and np.all(said.high <= true.outer_high)


@pytest.mark.parametrize(
    ("columns", "steps"),
    [
        (["total", "a1"], [9, 9]),  # adds up, but the total is shown
        (["a1", "a2"], [9, -9]),  # below what a2 can be
        (["a1"], [9]),
        (["a1", "a1", "a2", "a2"], [4, 5, -4, -5]),
        (["a2", "a1"], [-3, 3]),  # right, but not in order: nothing unusual is trusted
    ],
)
def test_a_proposal_that_is_no_move_is_not_kept(draw, cell_of, columns, steps) -> None:
    """
    a1  a2  total
     x   x     12      of 6 and 6
    """
    space = draw.grid(2)
    rules = relations(space)
    at = {"total": cell_of(space, {}), "a1": cell_of(space, {"a": "a1"}), "a2": cell_of(space, {"a": "a2"})}
    numbers = sorted((at[name] for name in columns), reverse=columns == ["a2", "a1"])
    table = np.full(3, 6)
    table[at["total"]] = 12
    open_ = np.arange(3) != at["total"]
    moves = Moves(rules, table, np.ones(3, dtype=np.int64))
    needs = Needs(np.full(3, 9), np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))
    reach = Widening(rules, moves, needs, open_, np.full(3, np.inf), seed=1)
    step_of = dict(zip([at[name] for name in columns], steps, strict=True))
    given = steps if len(step_of) < len(columns) else [step_of[number] for number in numbers]
    lie = Circuit(np.array(numbers), np.array(given), np.zeros(0, dtype=np.int64), 0.0, 9)
    reach.board.move = lambda *args, **how: lie
    reach.board.undo = lambda: None

    assert not reach.widen(at["a1"], (), buy=False)
    assert not moves.up.any() and not moves.down.any()


def test_without_the_compiled_search_nothing_is_decided(draw, monkeypatch) -> None:
    monkeypatch.setattr(circuits, "__file__", str(Path("/nowhere/circuits.py")))
    rules, values = population(draw, 3)
    hidden = np.zeros(len(values), dtype=bool)
    hidden[np.flatnonzero(values > 0)] = True
    with pytest.raises(Undecided, match="compiled part"):
        decide(PublicCells(rules.space, np.zeros_like(values), hidden), width=2, minimum=3, known=rules)
