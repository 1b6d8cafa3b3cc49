"""Differential privacy: what a person can change, what OpenDP says it costs, and numbers that add up."""

from __future__ import annotations

from itertools import product

import numpy as np
import opendp.prelude as dp
import pytest
from scipy.optimize import nnls

from clerestory.attack.bounded import adds_up
from clerestory.attack.relations import relations
from clerestory.confidential.budget import Spending, left, read, spend
from clerestory.confidential.protect.additive import projected
from clerestory.confidential.protect.noise import (
    consistent,
    drawn,
    layers_of,
    measurements,
    sensitivities,
)
from clerestory.errors import InputError, Refused
from clerestory.methods import DifferentialPrivacy, Mechanism, epsilon_of
from clerestory.tables import RECORDS, PublicCells, Unit

GAUSSIAN = DifferentialPrivacy(Mechanism.GAUSSIAN, rho=0.5, budget=2, delta=1e-6, records=3)
LAPLACE = DifferentialPrivacy(Mechanism.LAPLACE, rho=0.5, budget=2, delta=1e-6, records=3)


def cells_of_a_record(space, unit: int) -> int:
    """By trying every record there can be: in how many cells of a unit it is."""
    best = 0
    for point in product(*[range(len(axis.categories)) for axis in space.axes]):
        inside = space.units == unit
        for axis, category in enumerate(point):
            inside = inside & space.sets[axis][space.cells[:, axis], category]
        best = max(best, int(inside.sum()))
    return best


def test_a_record_is_in_as_many_cells_as_there_are_layers(made) -> None:
    for space in (
        made.space({"a": (6, 2), "b": (3, 0)}, [("a", "b")]),
        made.space({"a": (6, 2), "b": (3, 0), "c": (2, 0)}, [("a", "b"), ("b", "c")]),
        made.space({"a": (6, 2), "b": (3, 0)}, [("a", "b")], adults="b"),
    ):
        assert layers_of(space, 0) == cells_of_a_record(space, 0)


def test_what_a_person_can_change_by_hand(made) -> None:
    fee, roaming = Unit("sum", "fee", (-2, 6)), Unit("persons", overlapping=frozenset({"a"}))
    space = made.space({"a": (6, 2)}, [("a",)], units=(RECORDS, Unit("persons"), fee, roaming))
    found = {one.unit: (one.absolute, one.squared) for one in sensitivities(space, GAUSSIAN)}
    # Three layers (all, group, category), three records of a person at most.
    assert found[RECORDS] == (9, 27)
    assert found[Unit("persons")] == (3, 3)
    assert found[fee] == (54, 18 * 18 * 3)
    assert found[roaming] == (9, 9)


@pytest.mark.parametrize("method", [GAUSSIAN, LAPLACE])
def test_the_budget_is_what_opendp_says(made, method: DifferentialPrivacy) -> None:
    space = made.space({"a": (6, 2)}, [("a",)], units=(RECORDS, Unit("persons")))
    found = measurements(space, method)
    assert sum(one.rho for one in found) <= method.rho
    assert sum(one.rho for one in found) > method.rho * 0.999
    dp.enable_features("contrib")
    for one in found:
        if method.mechanism is Mechanism.GAUSSIAN:
            metric = dp.l2_distance(T=float)
            mechanism = dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T=int)), metric, one.scale)
            assert mechanism.map(one.sensitivity.euclidean) == one.rho
            # Canonne, Kamath and Steinke: rho = d^2 / (2 sigma^2).
            assert one.rho == pytest.approx(one.sensitivity.squared / (2 * one.scale**2))
        else:
            metric = dp.l1_distance(T=int)
            mechanism = dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T=int)), metric, one.scale)
            assert mechanism.map(one.sensitivity.absolute) ** 2 / 2 == one.rho


def test_the_epsilon_is_no_less_than_opendps_own_conversion() -> None:
    dp.enable_features("contrib")
    for rho in (0.05, 0.5, 2.0):
        space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
        mechanism = dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, (1 / (2 * rho)) ** 0.5))
        theirs = mechanism.map(1.0).epsilon(1e-6)
        assert theirs <= epsilon_of(rho, 1e-6) < theirs * 1.25


def test_noise_has_the_scale_it_should_have(made) -> None:
    space = made.space({"a": (400, 0)}, [("a",)])
    values = np.zeros(len(space), dtype=np.int64)
    (one,) = measurements(space, GAUSSIAN)
    noise = drawn(space, values, GAUSSIAN)
    # 401 draws: the deviation is within 20 % of the scale but for one time in a billion.
    assert abs(noise.std() / one.scale - 1) < 0.22
    assert not np.array_equal(noise, drawn(space, values, GAUSSIAN))


def test_the_projection_is_the_nearest_point(made) -> None:
    """Against non-negative least squares over the finest cells, which are all published here."""
    space = made.space({"a": (4, 2), "b": (2, 0)}, [("a", "b")])
    points = list(product(range(4), range(2)))
    inside = np.array(
        [
            [all(space.sets[axis][box[axis], at] for axis, at in enumerate(point)) for point in points]
            for box in space.cells
        ],
        dtype=float,
    )
    targets = np.random.default_rng(4).normal(4, 6, len(space))
    zeros = inside[:, 2] * (inside.sum(axis=1) == 1) > 0
    ours = projected(relations(space), targets, zeros=zeros)
    free = [place for place in range(len(points)) if place != 2]
    finest, _ = nnls(inside[:, free], np.where(zeros, 0, targets))
    assert np.abs(ours - inside[:, free] @ finest).max() < 5e-3


@pytest.mark.parametrize("method", [GAUSSIAN, LAPLACE])
def test_numbers_are_whole_not_negative_and_add_up(made, method: DifferentialPrivacy) -> None:
    space = made.space({"a": (6, 2), "b": (3, 0)}, [("a", "b")])
    original = made.original(space, 2, 300)
    rules = relations(space)
    noisy = drawn(space, original.values, method)
    found = consistent(rules, noisy, secret=b"s" * 32)
    assert np.all(found >= 0)
    assert adds_up(PublicCells(space, found, np.zeros(len(space), dtype=bool)), rules)
    assert np.array_equal(found, consistent(rules, noisy, secret=b"s" * 32))


def test_the_ledger_adds_up_exactly_and_refuses_the_last_straw(tmp_path) -> None:
    for number in range(10):
        spend(tmp_path, Spending("a", 0.1, 1.0, 1e-6, str(number)))
    assert len(read(tmp_path)) == 10
    # Ten tenths are a whole, though ten floats of a tenth are not.
    assert left(tmp_path, "a", 1.0) == 0
    with pytest.raises(Refused, match="does not hold"):
        spend(tmp_path, Spending("a", 0.1, 1.0, 1e-6, "more"))
    spend(tmp_path, Spending("b", 0.5, 1.0, 1e-6, "other"))
    file = tmp_path / "privacy-budget.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:3] + lines[4:]) + "\n")
    with pytest.raises(InputError, match="jsonl:4"):
        read(tmp_path)
