"""Releases protected one after the other, attacked by whole-number programs over the people themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from clerestory.attack.history import Earlier
from clerestory.confidential.protect.publish import protect
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.tables import CellSpace, Changes, PublicCells
from tests.confidential.protect.years import boxes, original, space

POLICY = Policy("test", "none", 5, 4)


class Reader:
    """Who kept every release: people of each release are those of the one before, and more."""

    def __init__(self, releases: list[PublicCells], changes: Changes) -> None:
        self.incidence = [boxes(public.space) for public in releases]
        shapes = [one.shape[1:] for one in self.incidence]
        starts = np.concatenate([[0], np.cumsum([a * b for a, b in shapes])])
        self.numbers = [np.arange(starts[i], starts[i + 1]).reshape(shape) for i, shape in enumerate(shapes)]
        rows, low, high = [], [], []
        for public, incidence, numbers in zip(releases, self.incidence, self.numbers, strict=True):
            for cell, inside in enumerate(incidence):
                row = np.zeros(starts[-1])
                row[numbers.ravel()] = inside.ravel()
                rows.append(row)
                hidden = bool(public.hidden[cell])
                low.append(1 if hidden else public.values[cell])
                high.append(np.inf if hidden else public.values[cell])
        for then, now in zip(self.numbers, self.numbers[1:], strict=False):
            for one, other in zip(then.ravel(), now[: then.shape[0]].ravel(), strict=True):
                row = np.zeros(starts[-1])
                row[other], row[one] = 1, -1
                rows.append(row)
                low.append(0)
                high.append(0 if changes is Changes.FROZEN else np.inf)
        self.size = int(starts[-1])
        self.rules = LinearConstraint(csr_matrix(np.array(rows)), low, high)

    def ends(self, form: NDArray[np.float64]) -> tuple[float, float]:
        ends = []
        for sign in (1, -1):
            answer = milp(
                sign * form,
                constraints=self.rules,
                integrality=np.ones(self.size),
                bounds=Bounds(0, 10_000),
            )
            assert answer.x is not None
            ends.append(float(form @ np.rint(answer.x)))
        return ends[0], ends[1]

    def cell(self, release: int, cell: int) -> NDArray[np.float64]:
        form = np.zeros(self.size)
        form[self.numbers[release].ravel()] = self.incidence[release][cell].ravel()
        return form


@pytest.mark.parametrize("changes", [Changes.FROZEN, Changes.CUMULATIVE])
@pytest.mark.parametrize("seed", range(6))
def test_a_reader_of_all_releases_narrows_no_hidden_number_and_no_increment(
    seed: int, changes: Changes
) -> None:
    rng = np.random.default_rng(seed)
    people = rng.negative_binomial(1, 0.12, (4, 3))
    releases: list[PublicCells] = []
    earlier: list[Earlier] = []
    for number in range(3):
        years = 2 + number
        if changes is Changes.CUMULATIVE:
            people[:years] += rng.poisson(1.0, (years, 3))
        made = space(years, 3, changes)
        done = protect(original(made, people[:years]), POLICY, seed=seed, earlier=earlier)
        assert done.over_time is None or not done.over_time.unrecoverable
        releases.append(done.public)
        earlier.append(Earlier(f"r{number}", done.public))
    reader = Reader(releases, changes)

    for number, public in enumerate(releases):
        for cell in np.flatnonzero(public.hidden):
            low, high = reader.ends(reader.cell(number, int(cell)))
            harmless = low == high >= POLICY.minimum_count and number < 2
            assert harmless or high - low >= POLICY.interval_width, (number, cell)
    for number in (1, 2):
        then = {tuple(c): k for c, k in _rows(releases[number - 1])}
        for coords, cell in _rows(releases[number]):
            before = then.get(tuple(coords))
            if before is not None:
                form = reader.cell(number, cell) - reader.cell(number - 1, before)
                low, high = reader.ends(form)
                known = low == high and (low == 0 or low >= POLICY.minimum_count)
                assert known or high - low >= POLICY.interval_width, (number, coords)


def _rows(public: PublicCells) -> list[tuple[list[int], int]]:
    layout = public.space.layouts[0]
    return list(zip(layout.coords.tolist(), layout.cells.tolist(), strict=True))


def test_a_cell_that_became_small_by_a_stricter_policy_is_hidden_and_reported() -> None:
    made = space(3, 4, Changes.FROZEN)
    people = np.array([[7, 20, 30, 40], [22, 31, 45, 28], [35, 26, 27, 33]])
    first = protect(original(made, people), POLICY, seed=1)
    assert not first.public.hidden.any()
    strict = replace(POLICY, minimum_count=11)

    second = protect(original(made, people), strict, seed=1, earlier=[Earlier("r0", first.public)])

    hidden = {made.describe(int(cell)) for cell in np.flatnonzero(second.public.hidden)}
    assert "table 't', year year0, place place0" in hidden
    assert second.over_time is not None
    assert set(second.over_time.unrecoverable) == hidden


def test_records_that_do_not_fit_an_earlier_release_are_refused_before_anything_is_hidden() -> None:
    made = space(2, 3, Changes.FROZEN)
    people = np.array([[20, 30, 40], [31, 45, 28]])
    before = Earlier("r0", protect(original(made, people), POLICY, seed=1).public)
    people[0, 0] -= 1

    with pytest.raises(Refused, match="year year0, place place0"):
        protect(original(made, people), POLICY, seed=1, earlier=[before])
    lost = space(2, 3, Changes.CUMULATIVE)
    with pytest.raises(Refused, match="year year0, place place0"):
        protect(original(lost, people), POLICY, seed=1, earlier=[replace_space(before, lost)])


def replace_space(before: Earlier, made: CellSpace) -> Earlier:
    return Earlier(before.release, PublicCells(made, before.public.values, before.public.hidden))


def test_the_pattern_of_the_last_release_may_be_kept() -> None:
    made = space(4, 4, Changes.CUMULATIVE)
    people = np.random.default_rng(3).negative_binomial(1, 0.1, (4, 4))
    first = protect(original(made, people), POLICY, seed=1).public
    kept = protect(original(made, people), POLICY, seed=2, pattern=first.hidden).public
    assert np.array_equal(kept.hidden, first.hidden)
    nothing = np.zeros(len(made), dtype=bool)
    assert protect(original(made, people), POLICY, seed=2, pattern=nothing).public.hidden.any()
