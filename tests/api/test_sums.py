"""Magnitude tables: what a reader works out of them, and protecting them."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from clerestory import audit, protect
from clerestory.errors import InputError, Refused
from tests.api.drawn import drawn, intervals, one_way

SEED = "00112233445566778899aabbccddeeff"


def rows_of(native: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(native[name].to_pylist() for name in native.column_names), strict=True))


def test_a_hidden_sum_is_its_row_less_its_neighbours_to_the_last_digit() -> None:
    table = drawn("""       food   wood   all
                     north      x  12.25  15.50
                     south  19.00  11.00  30.00
                     all    22.25  23.25  45.50""")
    found = audit(table, ["place", "who"], sums=True)
    assert [(f.where, f.least) for f in found.findings] == [({"place": "north", "who": "food"}, 3.25)]
    assert found.level.startswith("level 1") and found.of == "sums"


def test_narrow_is_what_the_middle_estimates_within_ten_percent() -> None:
    table = one_way({"a": "", "b": "", "c": "80", "all": "100"})
    assert audit(table, ["who"], sums=True).wide  # 0 to 20: the middle, 10, is off by up to 100 percent
    tight = drawn("""        x    y   all
                  one     -    -   100
                  two     -    -    11
                  all    95   16   111""")
    # x in one is 84 to 95: 89.5 is off by 6 percent; the others are 0 to 11 or 5 to 16
    found = audit(tight, ["place", "who"], sums=True)
    assert [(f.where["place"], f.where["who"], f.least, f.greatest) for f in found.findings] == [
        ("one", "x", 84, 95)
    ]
    assert audit(tight, ["place", "who"], sums=True, within=6).wide


def test_small_amounts_say_nothing_of_how_many_they_are_of() -> None:
    assert audit(one_way({"a": "4", "b": "40", "all": "44"}), ["who"], sums=True).wide


@pytest.mark.parametrize("seed", range(8))
def test_intervals_equal_those_of_trying_every_table(seed: int) -> None:
    """In tenths, so that there are few tables: of two-way tables, whole multiples reach both ends."""
    rng = random.Random(seed)
    rows, columns = 3, 3
    table = {(r, c): rng.choice([0, 2, 3, 5, 6]) for r in range(rows) for c in range(columns)}
    table |= {(r, -1): sum(table[r, c] for c in range(columns)) for r in range(rows)}
    table |= {(-1, c): sum(table[r, c] for r in range(rows)) for c in [*range(columns), -1]}
    shown = {cell: v for cell, v in table.items() if -1 in cell or rng.random() < 0.3}
    ends = intervals(shown, rows, columns, least=0, most={})
    place = [f"r{r}" if r >= 0 else "all" for r, _ in table]
    who = [f"c{c}" if c >= 0 else "all" for _, c in table]
    value = [f"{shown[cell] / 10:.1f}" if cell in shown else "x" for cell in table]
    found = audit(
        pa.table({"place": place, "who": who, "value": value}), ["place", "who"], sums=True, intervals=True
    )
    got = {(f.where["place"], f.where["who"]): (f.least, f.greatest) for f in found.intervals}
    assert got == {(f"r{r}", f"c{c}"): (low / 10, high / 10) for (r, c), (low, high) in ends.items()}


def linear_ends(rows: list[tuple[tuple[str, ...], float | None]], codes: list[list[str]]) -> dict[Any, Any]:
    """The ends of every hidden cell over all non-negative tables, by another solver's model of the leaves."""
    leaves = list(product(*codes))
    inside = {
        where: [float(all(w in ("all", c) for w, c in zip(where, leaf, strict=True))) for leaf in leaves]
        for where, _ in rows
    }
    equal = [inside[where] for where, value in rows if value is not None]
    right = [value for _, value in rows if value is not None]
    found = {}
    for where, value in rows:
        if value is None:
            form = np.array(inside[where])
            low = linprog(form, A_eq=equal, b_eq=right, bounds=(0, None), method="highs-ipm")
            high = linprog(-form, A_eq=equal, b_eq=right, bounds=(0, None), method="highs-ipm")
            found[where] = (low.fun, -high.fun if high.status == 0 else np.inf)
    return found


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_ends_of_cubes_hold_and_are_as_close_as_the_linear_programs(seed: int) -> None:
    rng = random.Random(seed)
    codes = [["a", "b"], ["p", "q", "r"], ["x", "y"]]
    leaf = {where: rng.choice([0, 1.5, 2, 30, 100]) for where in product(*codes)}
    full = [[*own, "all"] for own in codes]
    rows = []
    for where in product(*full):
        value = sum(v for k, v in leaf.items() if all(w in ("all", c) for w, c in zip(where, k, strict=True)))
        rows.append((where, None if rng.random() < 0.5 and "all" not in where[:2] else value))
    table = pa.table(
        {"k1": [w[0] for w, _ in rows], "k2": [w[1] for w, _ in rows], "k3": [w[2] for w, _ in rows],
         "value": [v for _, v in rows]}
    )  # fmt: skip
    found = audit(table, ["k1", "k2", "k3"], sums=True, intervals=True)
    wanted = linear_ends(rows, codes)
    assert len(found.intervals) == len(wanted)
    for one in found.intervals:
        low, high = wanted[tuple(one.where.values())]
        assert one.least == pytest.approx(low, abs=0.1001) and one.least >= low - 1e-4
        assert one.greatest == pytest.approx(high, abs=0.1001) and one.greatest <= high + 1e-4


def test_rounded_numbers_need_not_add_up_if_it_is_said() -> None:
    # 3.4 + 3.4 + 3.4 = 10.2
    table = one_way({"a": "3", "b": "", "c": "3", "all": "10"})
    found = audit(table, ["who"], sums=True, rounded=True, intervals=True)
    assert [(f.least, f.greatest) for f in found.intervals] == [(2.5, 5.5)]
    bad = one_way({"a": "3", "b": "3", "c": "3", "d": "", "e": "", "all": "8"})
    with pytest.raises(InputError, match="--rounded"):
        audit(bad, ["who"], sums=True)
    assert audit(bad, ["who"], sums=True, rounded=True).verdict == "wide"


def test_a_contradiction_of_sums_names_its_line_in_their_unit() -> None:
    table = one_way({"a": "3.25", "b": "3.50", "all": "7.75"})
    with pytest.raises(InputError, match=r"shows 7.75; its parts: 6.75"):
        audit(table, ["who"], sums=True)


def test_a_hidden_sum_of_zero_fits_unless_zeros_are_known_to_be_shown() -> None:
    table = one_way({"a": "", "b": "30", "all": "30"})
    assert [f.least for f in audit(table, ["who"], sums=True).findings] == [0]
    with pytest.raises(InputError, match="contradict"):
        audit(table, ["who"], sums=True, zeros_shown=True)


def test_floats_of_frames_are_read_without_their_noise() -> None:
    frame = pd.DataFrame({"who": ["a", "b", "c", "all"], "value": [0.1, 0.2, None, 0.1 + 0.2 + 0.4]})
    found = audit(frame, ["who"], sums=True)
    assert [f.least for f in found.findings] == [0.4]


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (["a", "30"], {}, "neither a number"),
        (["-3", "30"], {}, "neither a number"),
        (["1.23456789", "30"], {}, "more than 6 decimals"),
        (["1.25", "30"], {"decimals": 1}, "more than 1 decimals"),
        (["30", "30"], {"decimals": 7}, "0 to 6 decimals"),
        (["30000000", "30000000"], {"decimals": 6}, "is larger than"),
        (["x", "30"], {"small": "x"}, "how many it is of"),
        (["x", "30"], {"within": 0}, "above 0"),
        (["x", "30"], {"level": 3}, "no level 3"),
        (["x", "30"], {"sums": False, "rounded": True}, "whole and exact"),
        (["x", "30"], {"sums": False, "level": 1, "zeros_shown": True}, "does not know about zeros"),
    ],
)
def test_wrong_input_is_named(values: list[str], options: dict[str, Any], words: str) -> None:
    table = pa.table({"who": ["a", "all"], "value": values})
    with pytest.raises(InputError, match=words):
        audit(table, ["who"], **({"sums": True} | options))


def firms(count: int = 400, seed: int = 3) -> dict[str, list[Any]]:
    rng = random.Random(seed)
    return {
        "firm": [f"F{rng.randrange(150)}" for _ in range(count)],
        "area": rng.choices(["A1", "A2", "B1", "B2", "B3"], [30, 3, 20, 20, 2], k=count),
        "trade": rng.choices(["food", "wood", "iron"], [10, 6, 1], k=count),
        "turnover": [round(rng.paretovariate(1.1) * 20, 1) for _ in range(count)],
    }


TREE = {"A1": "A", "A2": "A", "B1": "B", "B2": "B", "B3": "B"}
DIMS = ["area", "trade"]


def true_cell(table: dict[str, list[Any]], area: str, trade: str) -> list[float]:
    """Contributions to a cell by firm, the largest first; added up again, by hand."""
    given: dict[str, float] = {}
    for firm, a, t, amount in zip(*table.values(), strict=True):
        if area in ("all", a, TREE[a]) and trade in ("all", t):
            given[firm] = given.get(firm, 0.0) + amount
    return sorted(given.values(), reverse=True)


@pytest.fixture(scope="module")
def done() -> Any:
    return protect(
        pa.table(firms()), DIMS, sum="turnover", contributor="firm", p=10, minimum_contributors=3,
        hierarchies={"area": TREE}, seed=SEED,
    )  # fmt: skip


def test_shown_sums_are_true_and_what_the_rules_call_sensitive_is_hidden(done: Any) -> None:
    rows = done.to_native()
    assert rows.column_names == ["area", "area_level", "trade", "value", "status"]
    primary = 0
    for area, _, trade, value, status in rows_of(rows):
        given = true_cell(firms(), area, trade)
        rest = sum(given[2:])
        sensitive = bool(given) and (len(given) < 3 or rest < 0.1 * given[0])
        primary += sensitive
        assert (value is None) == (status == "hidden")
        assert value is None or (not sensitive and value == pytest.approx(sum(given)))
    assert primary == done.primary > 0 and done.hidden == primary + done.secondary


def test_every_hidden_sum_can_be_larger_and_smaller_by_its_distance(done: Any) -> None:
    rows = rows_of(done.to_native())
    sums = [((area, trade), value) for area, _, trade, value, _ in rows if area not in ("A", "B")]
    # the regions are further sums of the leaves
    codes = [list(TREE), ["food", "wood", "iron"]]
    leaves = list(product(*codes))
    equal, right, forms = [], [], {}
    for area, _, trade, value, _ in rows:
        form = [float(area in ("all", a, TREE[a]) and trade in ("all", t)) for a, t in leaves]
        if value is None:
            forms[area, trade] = np.array(form)
        else:
            equal.append(form)
            right.append(value)
    assert len(sums) < len(rows)
    for (area, trade), form in forms.items():
        given = true_cell(firms(), area, trade)
        truth = sum(given)
        level = max(0.1 * given[0] - sum(given[2:]), 0.1 * truth)
        low = linprog(form, A_eq=equal, b_eq=right, bounds=(0, None)).fun
        high = -linprog(-form, A_eq=equal, b_eq=right, bounds=(0, None)).fun
        assert low <= truth - level + 0.2 and high >= truth + level - 0.2, (area, trade)


def test_what_protect_made_the_audit_passes(done: Any) -> None:
    found = audit(done.to_native(), DIMS, sums=True, hierarchies={"area": TREE})
    assert found.wide and found.hidden == done.hidden > 0
    assert "p% rule with p = 10" in done.rules and done.said()["rules"] == done.rules


def test_hiding_only_the_sensitive_sums_is_broken(done: Any) -> None:
    rows = []
    for area, _, trade, _, _ in rows_of(done.to_native()):
        given = true_cell(firms(), area, trade)
        sensitive = bool(given) and (len(given) < 3 or sum(given[2:]) < 0.1 * given[0])
        rows.append({"area": area, "trade": trade, "value": None if sensitive else round(sum(given), 1)})
    found = audit(pa.Table.from_pylist(rows), DIMS, sums=True, hierarchies={"area": TREE})
    assert found.verdict == "broken"
    for finding in found.findings:
        if finding.kind == "exact":
            truth = sum(true_cell(firms(), finding.where["area"], finding.where["trade"]))
            assert finding.least == pytest.approx(truth)


def test_every_kind_of_frame_gives_the_same_sums_in_its_own_kind(done: Any) -> None:
    import duckdb
    import ibis

    table = pa.table(firms())
    wanted = rows_of(done.to_native())
    connection = duckdb.connect()
    options: dict[str, Any] = {
        "sum": "turnover", "contributor": "firm", "p": 10, "minimum_contributors": 3,
        "hierarchies": {"area": TREE}, "seed": SEED,
    }  # fmt: skip
    for frame, kind in (
        (pd.DataFrame(firms()), pd.DataFrame),
        (pl.DataFrame(firms()), pl.DataFrame),
        (pl.DataFrame(firms()).lazy(), pl.DataFrame),
        (connection.from_arrow(table), pa.Table),
        (ibis.memtable(table), pa.Table),
    ):
        native = protect(frame, DIMS, **options).to_native()
        assert isinstance(native, kind)
        back = native
        if isinstance(native, pd.DataFrame):
            back = pa.Table.from_pandas(native)
        elif isinstance(native, pl.DataFrame):
            back = native.to_arrow()
        assert rows_of(back) == wanted
        found = audit(native, DIMS, sums=True, hierarchies={"area": TREE}, intervals=True)
        assert found.wide and isinstance(found.intervals_to_native(), kind)
        assert len(found.intervals_to_native()) == done.hidden


def test_a_holding_is_one_contributor() -> None:
    table = pa.table({"trade": ["food"] * 4 + ["wood"] * 4, "own": ["h", "h", "h", "k", "a", "b", "c", "d"],
                      "n": [5, 5, 5, 5, 5, 5, 5, 5]})  # fmt: skip
    each = protect(table, ["trade"], sum="n", p=10, minimum_contributors=3, seed=SEED)
    assert each.primary == each.hidden == 0
    together = protect(table, ["trade"], sum="n", contributor="own", p=10, minimum_contributors=3, seed=SEED)
    assert together.primary == 1 and together.hidden > 1


def test_a_single_contributor_cannot_subtract_his_own() -> None:
    """Two sensitive cells in a line, one of them of one firm: a third is hidden."""
    table = pa.table(
        {
            "trade": ["food", "wood", "wood", *["iron"] * 5, *["coal"] * 5],
            "n": [40, 30, 10, *[9] * 5, *[11] * 5],
        }
    )
    done = protect(table, ["trade"], sum="n", p=10, minimum_contributors=3, within=1, seed=SEED)
    assert done.primary == 2 and done.hidden == 3


def test_sums_that_no_pattern_protects_are_refused() -> None:
    """Ten hidden sums of one unit each: none can be smaller, so neither can their total."""
    table = pa.table({"trade": [f"t{i}" for i in range(10)], "n": [1] * 10})
    with pytest.raises(Refused, match="no set of hidden cells"):
        protect(table, ["trade"], sum="n", p=10, seed=SEED)


def test_hidden_sums_leave_no_trace() -> None:
    shown = [
        protect(
            pa.table({"who": list("aabbccccddddd"), "n": [*first, 2, 9, *[100] * 9]}), ["who"], sum="n",
            p=10, minimum_contributors=3, seed=SEED,
        ).to_arrow()
        for first in ([30, 4], [28, 6])
    ]  # fmt: skip
    assert shown[0]["status"].to_pylist().count("hidden") >= 2
    assert shown[0].equals(shown[1])


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        ({"a": ["x"], "n": [-1.0]}, {"sum": "n"}, "an amount below 0"),
        ({"a": ["x"], "n": ["SECRET"]}, {"sum": "n"}, "hold no amount"),
        ({"a": ["x"], "n": [None]}, {"sum": "n"}, "hold no amount"),
        ({"a": ["x"], "n": [1]}, {"sum": "n", "value": "n"}, "counts or amounts"),
        ({"a": ["x"], "n": [1]}, {"sum": "a"}, "a dimension and the sum"),
        ({"a": ["x"], "n": [1]}, {"sum": "m"}, "no column 'm'"),
        ({"a": ["x"], "n": [1]}, {"sum": "n", "contributor": "m"}, "no column 'm'"),
        ({"a": ["x"], "n": [1]}, {"sum": "n", "within": 100}, "within is above 0"),
        ({"a": ["x"], "n": [1]}, {"p": 10}, "p is for sums"),
        ({"a": ["x"], "n": [1]}, {"contributor": "n"}, "contributor is for sums"),
        ({"a": ["x"], "n": [1]}, {"sum": "n", "p": 0}, "p is above 0"),
        ({"a": ["x"], "n": [1.1234567]}, {"sum": "n"}, "more than 6 decimals"),
        ({"a": ["x", "y"], "n": [9e11, 9e11]}, {"sum": "n"}, "add up to more than"),
        ({"a": ["x", "all"], "n": [1, 1]}, {"sum": "n"}, "seem to be totals"),
    ],
)
def test_wrong_calls_are_named_and_hold_no_value(table: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        protect(pa.table(table), ["a"], **options)
    assert "SECRET" not in str(caught.value) and "1.1234567" not in str(caught.value)
