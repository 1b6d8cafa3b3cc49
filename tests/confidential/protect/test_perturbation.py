"""Cell keys: the same numbers as the ONS package, and tables of changes that are what they should be."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pandas as pd
import pytest
from cell_key_perturbation.create_perturbed_table import create_perturbed_table
from cell_key_perturbation.utils.generate_test_data import generate_test_data
from cell_key_perturbation.utils.generate_test_ptable import generate_ptable_10_5_rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from clerestory.attack.bounded import adds_up, told_intervals
from clerestory.attack.relations import relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.perturbation import (
    PTable,
    additive,
    entropy_table,
    perturbed,
    probabilities,
    ptable_of,
)
from clerestory.confidential.protect.publish import protect
from clerestory.errors import InputError
from clerestory.methods import CellKey, CellKeyMode
from clerestory.tables import PublicCells

METHOD = CellKey(CellKeyMode.CONSISTENT, largest=9, variance=4.0)
SECRET = b"a secret of the project's own 32"


def by_the_package(data: pd.DataFrame, table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    with contextlib.redirect_stdout(io.StringIO()):
        return create_perturbed_table(data, table, [], names, "record_key", threshold=0)


def by_us(data: pd.DataFrame, table: PTable, like: pd.DataFrame, names: list[str]) -> np.ndarray:
    sums = data.groupby(names).agg(n=("record_key", "size"), key=("record_key", "sum")).reset_index()
    cells = like[names].merge(sums, how="left", on=names).fillna(0)
    return perturbed(cells["n"].to_numpy(np.int64), cells["key"].to_numpy(np.int64), table)


def rows_of(table: PTable) -> pd.DataFrame:
    count, key = np.indices(table.changes.shape).reshape(2, -1)
    frame = pd.DataFrame({"pcv": count, "ckey": key, "pvalue": table.changes.ravel()})
    return frame[frame["pcv"] > 0].reset_index(drop=True)


@pytest.mark.parametrize("names", [["var1", "var5", "var8"], ["var2"], ["var1", "var9", "var10"]])
@pytest.mark.parametrize("rule", ["10-5", "entropy"])
def test_the_numbers_are_those_of_the_ons_package_on_its_own_data(names: list[str], rule: str) -> None:
    data = generate_test_data(size=3000)
    if rule == "10-5":
        frame = generate_ptable_10_5_rule()
        ours = ptable_of(list(frame[["pcv", "ckey", "pvalue"]].itertuples(index=False, name=None)))
    else:
        ours = entropy_table(CellKey(CellKeyMode.CONSISTENT, 9, 4.0, keys=256))
        frame = rows_of(ours)
    theirs = by_the_package(data, frame, names)
    found = by_us(data, ours, theirs, names)
    assert found.tolist() == theirs["count"].astype(int).tolist()
    # var2 has counts above 750, for which the last rows of the table are used again.
    assert theirs["pre_sdc_count"].max() > 750 or names != ["var2"]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 11, 12, 400, 750])
def test_the_changes_have_no_bias_the_variance_and_no_forbidden_count(count: int) -> None:
    row = entropy_table(METHOD).changes[count].astype(int)
    after = count + row
    assert not row.sum()
    assert abs(row.var() - 4) < 0.1
    assert not np.isin(after, (1, 2)).any() and after.min() >= 0
    support, _ = probabilities(count, METHOD)
    assert set(row) == set(support.tolist())


@pytest.mark.parametrize("count", [1, 4, 40])
def test_no_other_changes_with_these_moments_have_more_entropy(count: int) -> None:
    """Against a general solver: sequential quadratic programming on the entropy itself."""
    support, ours = probabilities(count, METHOD)
    start = np.full(len(support), 1 / len(support))
    found = minimize(
        lambda p: float(np.sum(p * np.log(p))),
        start,
        jac=lambda p: np.log(p) + 1,
        bounds=[(1e-12, 1)] * len(support),
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": lambda p: p @ support},
            {"type": "eq", "fun": lambda p: p @ support**2 - METHOD.variance},
        ],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert found.success
    assert np.abs(found.x - ours).max() < 2e-4


def test_a_count_that_cannot_change_without_bias_is_an_error() -> None:
    with pytest.raises(InputError, match="without bias"):
        probabilities(1, CellKey(CellKeyMode.CONSISTENT, largest=2, variance=1.0, smallest=3))


def test_a_table_that_makes_less_than_nobody_is_an_error() -> None:
    with pytest.raises(InputError, match="less than 0"):
        ptable_of([(1, 0, -2)])


def keyed(made, seed: int, records: int, space) -> OriginalCells:
    original = made.original(space, seed, records)
    keys = np.random.default_rng(seed).integers(0, 4096, len(space))
    return OriginalCells(space, original.values, original.records, None, keys=keys)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), records=st.integers(0, 1500))
def test_zeros_stay_and_the_interval_holds_the_truth(made, seed: int, records: int) -> None:
    space = made.space({"a": (4, 2), "b": (3, 0)}, [("a", "b")])
    original = keyed(made, seed, records, space)
    noisy = perturbed(original.values, original.keys, entropy_table(METHOD))
    assert not noisy[original.values == 0].any() and np.all(noisy >= 0)
    lower, upper = told_intervals(METHOD, noisy, np.ones(len(space), dtype=np.int64))
    assert np.all((lower <= original.values) & (original.values <= upper))
    rules = relations(space)
    found = additive(rules, original.values, noisy, secret=SECRET)
    assert not found[original.values == 0].any() and np.all(found >= 0)
    assert adds_up(PublicCells(space, found, np.zeros(len(space), dtype=bool)), rules)
    assert np.abs(found - noisy).max() <= 9 * len(space)


def test_protect_shows_every_number_and_reports_the_errors(made) -> None:
    space = made.space({"a": (4, 2), "b": (3, 0)}, [("a", "b")])
    original = keyed(made, 1, 4000, space)
    done = protect(original, made.policy(), seed=1, method=METHOD, secret=SECRET)
    assert not done.public.hidden.any() and done.utility.largest <= 9
    assert {margin.margin for margin in done.utility.margins} == {(), ("a",), ("b",), ("a", "b")}


def test_without_keys_nothing_is_perturbed(made) -> None:
    space = made.space({"a": (4, 2)}, [("a",)])
    with pytest.raises(InputError, match="no keys"):
        protect(made.original(space, 1, 100), made.policy(), seed=1, method=METHOD, secret=SECRET)
