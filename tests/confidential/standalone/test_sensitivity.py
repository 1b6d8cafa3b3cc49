"""Sensitivity rules: protection levels as tau-ARGUS works them out of the same contributions.

Expected values: pytauargus 0.6.0 on these records (rules P(10,1), P(25,1), P(10,50,1), NK(1,60), NK(2,85),
FREQ(3,30)), read from its intermediate table, with two decimals.
"""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest

from clerestory.confidential.standalone import SumRules, contributions, protection_levels, read_frame
from clerestory.errors import InputError

RECORDS = {
    "a": [50, 30, 4, 1],
    "b": [40, 3, 2],
    "c": [20, 20],
    "d": [33],
    "e": [10, 9, 8, 7, 6],
}


def made(depth: int = 2, decimals: int | None = 2) -> tuple[list[str], object]:
    group = [name for name, given in RECORDS.items() for _ in given]
    amount = [float(one) for given in RECORDS.values() for one in given]
    read = read_frame(pa.table({"group": group, "amount": amount}), ["group", "amount"], where="t")
    found = contributions(
        read, ["group"], name="t", amount="amount", contributor=None, trees={}, margins=[["group"]],
        depth=depth, decimals=decimals,
    )  # fmt: skip
    layout = found.space.layouts[0]
    codes = [layout.design.dimensions[0].nodes[node].code for node in layout.coords[:, 0]]
    return [codes[int(np.flatnonzero(layout.cells == cell)[0])] for cell in range(len(codes))], found


@pytest.mark.parametrize(
    ("rules", "levels"),
    [
        (SumRules(10, None, None, None), {"b": 2, "c": 2, "d": 3.3}),
        (SumRules(25, None, None, None), {"a": 7.5, "b": 8, "c": 5, "d": 8.25}),
        (SumRules(None, (10, 50), None, None), {"a": 5, "b": 6, "c": 4, "d": 6.6}),
        (SumRules(None, None, (1, 60), None), {"b": 21.67, "d": 22}),
        (SumRules(None, None, (2, 85), None), {"a": 9.12, "b": 5.59, "c": 7.06, "d": 5.82}),
        (SumRules(None, None, None, 3, few_range=30), {"c": 12, "d": 9.9}),
    ],
    ids=str,
)
def test_protection_levels_are_those_of_tau_argus(rules: SumRules, levels: dict[str, float]) -> None:
    codes, found = made(rules.depth)
    got = {
        code: level / 100 for code, level in zip(codes, protection_levels(found, rules), strict=True) if level
    }
    assert got == pytest.approx(levels, abs=0.01)  # ours are rounded up to the last digit


def test_rules_compose_by_the_widest_distance() -> None:
    codes, found = made()
    rules = SumRules(10, None, (2, 85), 3)
    levels = dict(zip(codes, protection_levels(found, rules).tolist(), strict=True))
    assert (levels["d"], levels["b"], levels["e"], levels["all"]) == (583, 559, 0, 0)
    assert str(rules) == "p% rule with p = 10, (2,85) dominance rule, at least 3 contributors"


def test_true_sums_are_neither_shown_nor_pickled() -> None:
    _, found = made()
    assert "confidential" in repr(found)
    with pytest.raises(TypeError):
        pickle.dumps(found)


@pytest.mark.parametrize(
    "rules",
    [(0, None, None, None), (101, None, None, None), (None, (50, 10), None, None),
     (None, (0, 10), None, None), (None, None, (0, 85), None), (None, None, (2, 100), None),
     (None, None, None, 0)],
)  # fmt: skip
def test_rules_out_of_range_are_refused(rules: tuple[object, ...]) -> None:
    with pytest.raises(InputError):
        SumRules(*rules)  # type: ignore[arg-type]
