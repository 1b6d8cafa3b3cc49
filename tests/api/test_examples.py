"""Worked examples from the literature, each with its source; docs/explanation/examples.md shows the same."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from clerestory import audit, protect
from clerestory.confidential.standalone import SumRules, contributions, protection_levels, read_frame
from clerestory.errors import InputError
from tests.api.drawn import drawn

DELINQUENT = """       low  medium  high  very  Total
               Alpha    15       1     3     1     20
               Beta     20      10    10    15     55
               Gamma     3      10    10     2     25
               Delta    12      14     7     2     35
               Total    50      35    30    20    135"""
"""Number of delinquent children by county and education of household head (fictitious): Federal Committee on
Statistical Methodology, Statistical Policy Working Paper 22, ch. II."""
NOT_PROTECTED = """    low  medium  high  very  Total
               Alpha    15       D     D     D     20
               Beta     20       D     D    15     55
               Gamma     D      10    10     D     25
               Delta     D      14     7     D     35
               Total    50      35    30    20    135"""
"""The same source: at least two hidden in each row and column, and yet not protected."""
PROTECTED = """        low  medium  high  very  Total
               Alpha    15       D     D     D     20
               Beta     20      10    10    15     55
               Gamma     D       D    10     D     25
               Delta     D      14     D     D     35
               Total    50      35    30    20    135"""
"""The same source: protected by suppression, in the sense that nothing hidden comes out exactly."""
INVESTMENT = """      A    B    C  Total
               I       20   50   10     80
               II       *   19    *     49
               III      *   32    *     61
               Total   45  101   44    190"""
"""Investment of enterprises by activity and region: Fischetti and Salazar-Gonzalez, "Solving the cell
suppression problem on tabular data with linear constraints", Management Science 47 (2001)."""
SINGLETON = """      X1   X2   X3   X4  Total
               A       52    x   62    x    146
               B       24    x   31    x     81
               Total   76   33   93   25    227"""
"""tau-ARGUS User's Manual, section on singletons; hidden are the four cells that protect (A, X2) and (A, X4).
The manual prints 73 for the total of X1."""


def ends(found: Any) -> dict[str, tuple[Any, Any]]:
    return {" ".join(f.where.values()): (f.least, f.greatest) for f in found.intervals}


def test_working_paper_22_two_hidden_in_every_row_and_column_are_not_enough() -> None:
    """Rows Alpha and Beta less columns medium and high leave one cell: it is 1."""
    found = audit(drawn(NOT_PROTECTED), ["place", "who"], level=1, minimum_count=5, interval_width=1)
    exact = {" ".join(f.where.values()): f.least for f in found.findings if f.kind == "exact"}
    assert exact == {"Alpha very": 1}


def test_working_paper_22_the_protected_pattern_gives_nothing_exactly_and_much_nearly() -> None:
    options: dict[str, Any] = {"minimum_count": 5, "intervals": True}
    found = audit(drawn(PROTECTED), ["place", "who"], level=1, interval_width=1, **options)
    assert not found.count("exact") and len(found.intervals) == 9
    knowing = audit(drawn(PROTECTED), ["place", "who"], interval_width=4, **options)
    assert {k: v for k, v in ends(knowing).items() if k.startswith("Alpha")} == {
        "Alpha medium": (1, 3), "Alpha high": (1, 3), "Alpha very": (1, 3),
    }  # fmt: skip


def test_working_paper_22_protected_by_us() -> None:
    whole = drawn(DELINQUENT)
    codes = zip(whole["place"].to_pylist(), whole["who"].to_pylist(), strict=True)
    leaves = [row for row, pair in enumerate(codes) if "Total" not in pair]
    done = protect(
        whole.take(leaves), ["place", "who"], "value", minimum_count=5, interval_width=4, seed="00" * 16
    )
    assert done.primary == 6
    assert audit(done.to_native(), ["place", "who"], minimum_count=5, interval_width=4).wide


def test_fischetti_and_salazar_the_attacker_s_interval_is_5_to_30() -> None:
    found = audit(drawn(INVESTMENT), ["place", "who"], sums=True, intervals=True)
    assert ends(found) == {"II A": (0, 25), "II C": (5, 30), "III A": (0, 25), "III C": (4, 29)}


def test_tau_argus_manual_the_printed_table_does_not_add_up_and_the_audit_says_where() -> None:
    with pytest.raises(InputError, match="who X1 over place: shows 73; its parts: 76"):
        audit(drawn(SINGLETON.replace("76", "73")), ["place", "who"], sums=True)


def test_tau_argus_manual_who_knows_his_own_sum_knows_the_other() -> None:
    found = audit(drawn(SINGLETON), ["place", "who"], sums=True, intervals=True)
    assert ends(found)["A X2"] == (7, 32) and ends(found)["A X4"] == (0, 25)
    own = drawn(SINGLETON.replace("52    x   62    x", "52   15   62    x"))
    knowing = audit(own, ["place", "who"], sums=True)
    assert {" ".join(f.where.values()): f.least for f in knowing.findings if f.kind == "exact"} == {
        "A X4": 17, "B X2": 18, "B X4": 8,
    }  # fmt: skip


def test_calhhs_guidelines_three_tens_in_74() -> None:
    """CalHHS Data De-Identification Guidelines 2.0, section 4.4: 10, 14, 10, 10, 0, 0, 0, 30."""
    table = pa.table(
        {"group": [*"abcdefgh", "Total"], "value": ["S", "14", "S", "S", "0", "0", "0", "30", "74"]}
    )
    found = audit(table, ["group"], intervals=True)
    assert found.wide and set(ends(found).values()) == {(1, 28)}
    assert [f.least for f in audit(table, ["group"], small="S").findings] == [10, 10, 10]
    told = pa.table(
        {"group": table["group"], "value": [v.replace("S", "<11") for v in table["value"].to_pylist()]}
    )
    assert [f.least for f in audit(told, ["group"]).findings] == [10, 10, 10]


def test_calhhs_guidelines_which_one_is_complementary() -> None:
    """The same section: 14, 14, 1, 11 and others, in all 70; an 11 is hidden beside the 1."""
    values = {"a": "14", "b": "14", "c": "S", "d": "C", "e": "30", "Total": "70"}
    table = pa.table({"group": list(values), "value": list(values.values())})
    assert audit(table, ["group"]).wide
    found = audit(table, ["group"], small="S", large="C")
    assert [(f.where["group"], f.least) for f in found.findings] == [("c", 1), ("d", 11)]


@pytest.mark.parametrize(
    ("given", "rules", "sensitive"),
    [
        ([100, 5, 5], SumRules(None, None, (2, 75), None), 30),  # 105 of 110: more than 75 percent
        ([10, 10, 10], SumRules(None, None, (2, 75), None), 0),
        ([20, 20, 20], SumRules(None, None, (2, 75), None), 0),
    ],
)
def test_pytauargus_example_of_dominance(given: list[int], rules: SumRules, sensitive: int) -> None:
    """README of pytauargus 0.6.0: turnover by region and sector under NK(2,75)."""
    read = read_frame(pa.table({"g": ["a"] * len(given), "n": given}), ["g", "n"], where="t")
    found = contributions(
        read, ["g"], name="t", amount="n", contributor=None, trees={}, margins=[["g"]], depth=2, decimals=0
    )
    assert set(protection_levels(found, rules).tolist()) == {sensitive}
