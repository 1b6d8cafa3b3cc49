"""The random instances are varied, and the second attacker never rules out what is true of them."""

from __future__ import annotations

import numpy as np
import pytest

from clerestory.tables import PublicCells
from tests.attacker.brute import finest_intervals, intervals
from tests.attacker.instances import MOST_CELLS, Instance, as_published, instance
from tests.attacker.kinds_attributes import attributes
from tests.attacker.knowledge import system_of
from tests.attacker.published import cells_of


def hidden_at_random(made: Instance) -> PublicCells:
    """Small counts hidden, and some others; no protection at all, but a release to attack."""
    values = made.original.values
    draw = np.random.default_rng(made.seed)
    hidden = (values > 0) & ((values < made.policy.minimum_count) | (draw.random(len(values)) < 0.35))
    return PublicCells(made.original.space, np.where(hidden, 0, values), hidden)


def truth_by_label(made: Instance) -> dict[str, int]:
    """The true value of every published cell, under the label that the attacker gives it."""
    everything = PublicCells(
        made.original.space, made.original.values, np.zeros(len(made.original.space), dtype=bool)
    )
    return {cell.label: cell.value or 0 for cell in cells_of(as_published(everything, made.policy))}


def test_an_instance_is_the_same_every_time() -> None:
    for seed in range(20):
        one, two = instance(seed), instance(seed)
        assert np.array_equal(one.original.space.cells, two.original.space.cells)
        assert np.array_equal(one.original.values, two.original.values)
        assert one.policy == two.policy


def test_instances_have_the_variety_that_attacks_need() -> None:
    made = [instance(seed) for seed in range(600)]
    spaces = [one.original.space for one in made]
    assert max(len(space) for space in spaces) <= MOST_CELLS
    dimensions = [[d for layout in space.layouts for d in layout.design.dimensions] for space in spaces]
    shares = {
        "one axis": [len(space.axes) == 1 for space in spaces],
        "four axes": [len(space.axes) == 4 for space in spaces],
        "several tables": [len(space.layouts) > 1 for space in spaces],
        "a restriction": [any(layout.design.select for layout in space.layouts) for space in spaces],
        "persons beside records": [len(space.unit_list) == 2 for space in spaces],
        "persons known": [one.original.persons is not None for one in made],
        "two dimensions on one axis": [
            len({(d.name, d.axis) for d in ds}) > len({d.axis for d in ds}) for ds in dimensions
        ],
        "single child": [
            any(len(d.children(i)) == 1 for d in ds for i in range(len(d.nodes))) for ds in dimensions
        ],
        "three levels": [any(len({n.level for n in d.nodes}) == 4 for d in ds) for ds in dimensions],
        "sets that cross": [
            any(
                np.any(a & b) and np.any(a & ~b) and np.any(b & ~a)
                for sets in space.sets
                for i, a in enumerate(sets)
                for b in sets[:i]
            )
            for space in spaces
        ],
        "all small": [one.kind == "all small" for one in made],
        "all large": [one.kind == "all large" for one in made],
        "empty": [one.kind == "empty" for one in made],
    }
    rare = {name: sum(flags) for name, flags in shares.items() if sum(flags) < 20}
    assert not rare, f"of 600 instances too few have: {rare}"


@pytest.mark.parametrize("chunk", range(8))
def test_the_truth_is_never_ruled_out(chunk: int) -> None:
    for seed in range(chunk * 50, chunk * 50 + 50):
        made = instance(seed)
        truth = truth_by_label(made)
        system = system_of(as_published(hidden_at_random(made), made.policy))
        assert system.fits([truth[system.cells[i].label] for i in system.unknown]), f"instance {seed}"


@pytest.mark.parametrize("chunk", range(8))
def test_intervals_hold_the_truth_and_the_finest_cells_only_tighten_them(chunk: int) -> None:
    """Level 3 is worked out from other unknowns, so it also checks the relations that level 2 rests on."""
    for seed in range(chunk * 20, chunk * 20 + 20):
        made = instance(seed)
        truth = truth_by_label(made)
        published = as_published(hidden_at_random(made), made.policy)
        level_two = intervals(published)
        level_three = finest_intervals(published)
        assert level_two.keys() == level_three.keys()
        for label, outer in level_two.items():
            inner = level_three[label]
            assert outer.low <= inner.low <= truth[label], f"instance {seed}, {label}"
            assert outer.high is None or (
                inner.high is not None and truth[label] <= inner.high <= outer.high
            ), f"instance {seed}, {label}"


def test_sensitive_tables_have_groups_that_are_all_in_one_category() -> None:
    together = 0
    for seed in range(40):
        made = attributes(seed).original
        groups, parts, minimums = made.space.attribute_pairs
        assert len(groups) and made.space.may_hide_zeros.all()
        together += bool(
            np.any((made.values[groups] > 0) & (made.values[groups] - made.values[parts] < minimums))
        )
    assert together >= 10
