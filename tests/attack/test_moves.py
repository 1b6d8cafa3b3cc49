"""Moves keep every relation, and forgetting one takes its reach away."""

from __future__ import annotations

import numpy as np

from clerestory.attack.moves import Moves
from clerestory.attack.relations import relations


def test_only_what_keeps_the_line_fits_and_dropping_it_takes_the_width_back(draw) -> None:
    space = draw.grid(2)
    rules = relations(space)
    moves = Moves(rules, np.array([12, 3, 9]), np.ones(3, dtype=np.int64))
    total = int(np.flatnonzero(space.cells[:, 0] == 0)[0])
    parts = np.delete(np.arange(3), total)
    assert not moves.fits(parts, np.array([1, 1]))
    assert not moves.fits(parts, np.array([-3, 3])) or moves.table[parts[0]] > 3
    number = moves.add(parts, np.array([8, -8]))
    assert moves.width(parts).tolist() == [8, 8]
    assert moves.drop({number}).tolist() == parts.tolist()
    assert not moves.width(parts).any()
