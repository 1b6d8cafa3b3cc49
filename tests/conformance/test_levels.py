"""The three attackers against a second one: the same intervals at levels 1 and 2, the same verdicts at 3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clerestory.attack.decide import Verdict, decide
from clerestory.attack.intervals import UNBOUNDED, feasibility_intervals
from clerestory.attack.level3 import level3
from clerestory.attack.levels import Level, seen_at
from clerestory.confidential.protect.rules import primary_suppressions
from clerestory.tables import PublicCells
from tests.attacker.brute import finest_intervals, intervals
from tests.attacker.instances import Instance, as_published, instance
from tests.attacker.knowledge import system_of
from tests.attacker.published import Release
from tests.attacker.solvers import Interval


def carelessly_hidden(seed: int) -> tuple[Instance, PublicCells]:
    """Small cells and a random half of the others hidden: some wide, some not."""
    made = instance(seed)
    original = made.original
    chosen = np.random.default_rng(seed).random(len(original.space)) < 0.4
    hidden = primary_suppressions(original, made.policy).hidden | (chosen & (original.values > 0))
    return made, PublicCells(original.space, np.where(hidden, 0, original.values), hidden)


def labels(release: Release, public: PublicCells) -> dict[int, str]:
    """The label that the second attacker gives to each hidden cell."""
    space = public.space
    known = {(cell.unit, cell.box): cell.label for cell in system_of(release).cells}
    found = {}
    for cell in np.flatnonzero(public.hidden).tolist():
        box = tuple(
            frozenset(f"{axis.name}#{k}" for k in np.flatnonzero(space.sets[a][space.cells[cell, a]]))
            for a, axis in enumerate(space.axes)
        )
        found[cell] = known[space.unit_list[space.units[cell]].name, box]
    return found


@pytest.mark.parametrize("level", [Level.RELATIONS, Level.POLICY])
@pytest.mark.parametrize("seed", range(25))
def test_exact_intervals_are_those_of_the_second_attacker(seed: int, level: Level) -> None:
    made, public = carelessly_hidden(seed)
    release = as_published(seen_at(public, level), made.policy)
    theirs, named = intervals(release), labels(release, public)
    found = feasibility_intervals(public, level=level)
    assert found.exact.all()
    for cell, low, high in zip(found.cells.tolist(), found.low.tolist(), found.high.tolist(), strict=True):
        assert Interval(low, None if high == UNBOUNDED else high) == theirs[named[cell]]


@pytest.mark.parametrize("seed", range(40))
def test_level_3_decides_as_the_second_attacker_does(seed: int) -> None:
    made, public = carelessly_hidden(seed)
    width, minimum = made.policy.interval_width, made.policy.minimum_count
    release = as_published(public, made.policy)
    theirs, named = finest_intervals(release), labels(release, public)
    found = level3(public, width=width, minimum=minimum)
    verdicts = found.verdicts or decide(public, width=width, minimum=minimum)
    said = dict(zip(verdicts.variables.tolist(), verdicts.verdicts.tolist(), strict=True))
    for cell, label in named.items():
        narrow = theirs[label].narrower_than(width)
        assert said[cell] == (Verdict.BROKEN if narrow else Verdict.WIDE), (label, theirs[label])


def test_level_1_passes_what_level_2_breaks() -> None:
    """What a level adds can only narrow: over random releases, and somewhere it does."""
    narrowed = 0
    for seed in range(25):
        made, public = carelessly_hidden(seed)
        width, minimum = made.policy.interval_width, made.policy.minimum_count
        two = decide(public, width=width, minimum=minimum)
        one = decide(replace(public, zeros_shown=False), width=width, minimum=minimum)
        weak = set(one.of(Verdict.BROKEN).tolist()) & set(np.flatnonzero(public.hidden).tolist())
        strong = set(two.of(Verdict.BROKEN).tolist())
        assert weak <= strong
        narrowed += len(strong - set(one.of(Verdict.BROKEN).tolist()))
    assert narrowed
