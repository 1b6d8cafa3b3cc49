"""Relations are true, and together they are every linear relation among published cells."""

from __future__ import annotations

import numpy as np
import pytest

from clerestory.attack.relations import Kind, relations
from clerestory.errors import InputError
from clerestory.tables import RECORDS, Unit, link_tables


def rank(matrix: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


@pytest.mark.parametrize("seed", range(120))
def test_relations_span_the_left_null_space_of_the_incidence_matrix(draw, seed: int) -> None:
    """An additive relation among published cells is a vector that the incidence matrix maps to zero."""
    rng = np.random.default_rng(seed)
    space = draw.random(rng, tables=int(rng.integers(1, 5)), select=seed % 2 == 0)
    rules = relations(space)
    matrix = rules.matrix.toarray()
    cells = len(space)
    spanned = rank(matrix) - rank(matrix[:, cells:])
    assert spanned == cells - rank(draw.incidence(space))


@pytest.mark.parametrize("seed", range(30))
def test_every_row_holds_in_every_population(draw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = draw.random(rng, tables=3)
    rules = relations(space)
    incidence = draw.incidence(space)
    cells = len(space)
    matrix = rules.matrix.toarray().astype(float)
    # boxes nobody publishes are sums of finest cells too: the rows must be solvable for them
    population = rng.integers(0, 9, incidence.shape[1])
    right = -matrix[:, :cells] @ (incidence @ population)
    solution, *_ = np.linalg.lstsq(matrix[:, cells:], right, rcond=None)
    assert np.allclose(matrix[:, cells:] @ solution, right)


def test_a_complete_table_needs_no_unpublished_box(draw) -> None:
    rules = relations(draw.grid(3, 4, 2))
    assert (rules.kinds == Kind.CELL).all()
    assert (rules.parents >= 0).all()


def test_a_restricted_table_beside_the_full_one_leaves_a_rest(draw) -> None:
    everyone = draw.table("all", [draw.flat("a", 2)], [["a"]])
    adults = draw.table("adults", [draw.flat("a", 2)], [["a"]], select={"age": np.array([False, True])})
    space = link_tables("s", [draw.axis("a", 2), draw.axis("age", 2)], [everyone, adults], maximum_cells=99)
    rules = relations(space)
    assert (rules.kinds == Kind.BOX).sum() == 3  # the minors: both rows and their total


def test_overlapping_persons_are_bounded_and_not_equal(draw) -> None:
    persons = Unit("persons", overlapping=frozenset({"a"}))
    design = draw.table("p", [draw.flat("a", 2)], [["a"]], unit=persons)
    rules = relations(link_tables("s", [draw.axis("a", 2)], [design], maximum_cells=9))
    assert (rules.parents == -1).all()
    assert (rules.kinds == Kind.OVERLAP).sum() == 3  # counted twice; missing in either county


def test_units_of_one_box_bound_each_other(draw) -> None:
    fee = Unit("sum", "fee", (2, 9))
    designs = [
        draw.table(unit.name, [draw.flat("a", 2)], [["a"]], unit=unit)
        for unit in (RECORDS, Unit("persons"), fee)
    ]
    space = link_tables("s", [draw.axis("a", 2)], designs, maximum_cells=99)
    rules = relations(space)
    assert (rules.kinds == Kind.SLACK).sum() == 3 * 3  # persons <= records, 2 n <= fees <= 9 n, in 3 boxes


def test_a_measure_below_zero_is_refused(draw) -> None:
    loss = Unit("sum", "loss", (-5, 5))
    design = draw.table("t", [draw.flat("a", 2)], [["a"]], unit=loss)
    with pytest.raises(InputError, match="less than zero"):
        relations(link_tables("s", [draw.axis("a", 2)], [design], maximum_cells=9))
