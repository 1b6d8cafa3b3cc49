"""What the policy hides for its own sake."""

from __future__ import annotations

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules import primary_suppressions
from clerestory.tables import RECORDS, Unit


def test_one_to_ten_are_hidden_and_zero_and_eleven_are_not(made) -> None:
    space = made.space({"a": (4, 0)}, [("a",)])
    values = np.array([22, 0, 1, 10, 11], dtype=np.int64)
    original = OriginalCells(space, values, values, None)
    assert primary_suppressions(original, made.policy()).tolist() == [False, False, True, True, False]


def test_few_persons_hide_many_records_in_every_unit(made) -> None:
    space = made.space({"a": (1, 0)}, [("a",)], (RECORDS, Unit("persons")))
    values = np.where(space.units == 0, 40, 3).astype(np.int64)
    original = OriginalCells(space, values, np.full(2, 40), np.full(2, 3))
    assert primary_suppressions(original, made.policy()).all()


def test_a_zero_stays_though_its_box_is_hidden_in_another_unit(made) -> None:
    """Nobody has his first record here, though a few have some record."""
    space = made.space({"a": (1, 0)}, [("a",)], (RECORDS, Unit("persons")))
    values = np.where(space.units == 0, 4, 0).astype(np.int64)
    original = OriginalCells(space, values, np.full(2, 4), np.full(2, 2))
    assert primary_suppressions(original, made.policy()).tolist() == (space.units == 0).tolist()
