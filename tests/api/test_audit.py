"""Tables that somebody protected: what a reader works out of them."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from clerestory import audit
from clerestory.errors import InputError
from tests.api.drawn import drawn, intervals, one_way

GUIDELINES_74 = {
    "a": "*",
    "b": "14",
    "c": "*",
    "d": "*",
    "e": "0",
    "f": "0",
    "g": "0",
    "h": "30",
    "Total": "74",
}
"""CalHHS Data De-Identification Guidelines 2.0, section 4.4: 10, 14, 10, 10, 0, 0, 0, 30."""


def worked_out(found: Any, kind: str = "exact") -> dict[str, int]:
    return {
        " ".join(code for code in finding.where.values()): finding.least
        for finding in found.findings
        if finding.kind == kind
    }


def test_a_lone_hidden_cell_is_its_row_less_its_neighbours() -> None:
    table = drawn("""       young  old  all
                     north      x   12   15
                     south     19   11   30
                     all       22   23   45""")
    found = audit(table, ["place", "who"])
    assert found.verdict == "broken" and found.exit_code == 1
    assert worked_out(found) == {"north young": 3}


def test_two_hidden_cells_that_add_up_to_two_are_both_one_where_zeros_are_shown() -> None:
    table = one_way({"a": "", "b": "", "c": "20", "all": "22"})
    assert worked_out(audit(table, ["who"])) == {"a": 1, "b": 1}
    loose = audit(table, ["who"], zeros_shown=False)
    spans = [(f.least, f.greatest) for f in loose.findings if f.kind == "narrow"]
    assert spans == [(0, 2), (0, 2)]


def test_three_tens_hidden_in_74_come_back_once_the_reader_knows_that_each_is_small() -> None:
    table = one_way(GUIDELINES_74)
    assert audit(table, ["who"]).wide
    told = audit(table, ["who"], small="*")
    assert worked_out(told) == {"a": 10, "c": 10, "d": 10}
    assert "* for 1 to 10" in told.level


def test_saying_which_of_two_hidden_cells_is_the_small_one_may_give_both() -> None:
    """After the guidelines' second example: hidden cells with different signs, total known."""
    table = one_way({"a": "S", "b": "C", "c": "40", "all": "52"})
    blind = audit(table, ["who"], interval_width=9)
    assert blind.wide and "different signs" in blind.notes[0]
    found = audit(table, ["who"], small="S", interval_width=10)
    assert [(f.where["who"], f.least, f.greatest) for f in found.findings] == [("a", 1, 10), ("b", 2, 11)]


def test_hidden_parts_with_a_small_sum_are_found_even_if_each_could_be_several() -> None:
    table = one_way({"a": "", "b": "", "c": "", "d": "50", "all": "59"})
    found = audit(table, ["who"], interval_width=1)
    assert worked_out(found, "small-sum") == {"all": 9}


def test_a_small_count_in_plain_sight() -> None:
    found = audit(one_way({"a": "4", "b": "40", "all": "44"}), ["who"])
    assert worked_out(found, "small-shown") == {"a": 4}


def test_a_category_without_a_row_is_a_count_that_follows() -> None:
    table = one_way({"a": "30", "b": "40", "all": "75"})
    trees = {"who": {"a": "group", "b": "group", "c": "group"}}
    found = audit(table, ["who"], hierarchies=trees)
    assert found.verdict == "broken" and not found.count("exact")
    assert {(f.kind, f.least) for f in found.findings} <= {("implied", 5), ("small-sum", 5)}
    assert audit(table.slice(0, 2), ["who"], hierarchies=trees).wide
    with pytest.raises(InputError, match="contradict"):
        audit(table, ["who"], hierarchies=trees, absent="zero")


def test_a_group_with_one_part_shows_what_the_part_hides() -> None:
    table = one_way({"north": "", "n1": "30", "south": "40", "s1": "20", "s2": "20", "all": "70"})
    trees = {"who": {"n1": "north", "s1": "south", "s2": "south"}}
    assert worked_out(audit(table, ["who"], hierarchies=trees)) == {"north": 30}


def test_regions_undo_what_counties_hide() -> None:
    picture = {"north": "40", "n1": "", "n2": "36", "south": "60", "s1": "", "s2": "20", "all": "100"}
    trees = {"who": {"n1": "north", "n2": "north", "s1": "south", "s2": "south"}}
    assert worked_out(audit(one_way(picture), ["who"], hierarchies=trees)) == {"n1": 4, "s1": 40}


def test_sdctable_and_tau_argus_statuses_and_totals() -> None:
    table = pa.table(
        {
            "who": ["a", "b", "c", "T"],
            "Freq": [3, 20, 30, 53],
            "sdcStatus": ["u", "x", "s", "s"],
        }
    )
    found = audit(table, ["who"], "Freq", status="sdcStatus", total="T")
    assert found.hidden == 2 and found.wide and "'u', 'x'" in found.notes[0]


@pytest.mark.parametrize("sign", ["", "x", "X", "*", "**", "S", "C", "-", "suppressed", ".."])
def test_signs_of_hidden_numbers(sign: str) -> None:
    found = audit(one_way({"a": sign, "b": "1,040", "all": "1,044"}), ["who"])
    assert worked_out(found) == {"a": 4}


def test_a_total_that_is_taken_for_a_category_does_not_pass() -> None:
    table = one_way({"a": "", "b": "20", "Everyone": "23"})
    with pytest.raises(InputError, match="no row is a total of 'who'"):
        audit(table, ["who"])
    assert worked_out(audit(table, ["who"], total="Everyone")) == {"a": 3}
    assert audit(table, ["who"], without_total=["who"]).wide


def test_rows_that_are_left_out_are_what_the_caller_says() -> None:
    table = drawn("""       young  old  all
                     north      x   12   20
                     south     19   11   30
                     west      25    0   25
                     all       52   23   75""")
    kept = [
        i
        for i, (place, who) in enumerate(
            zip(table["place"].to_pylist(), table["who"].to_pylist(), strict=True)
        )
        if (place, who) not in (("west", "old"), ("north", "young"))
    ]
    part = table.take(kept)
    blind = audit(part, ["place", "who"], zeros_shown=False)
    assert "2 cells have no row" in blind.notes[0]
    found = audit(part, ["place", "who"], absent="hidden", zeros_shown=False)
    assert worked_out(found) == {"north young": 8, "west old": 0} and not found.notes


@pytest.mark.parametrize("signs", [False, True], ids=["one sign", "a sign for small counts"])
@pytest.mark.parametrize("seed", range(12))
def test_intervals_equal_those_of_trying_every_table(seed: int, signs: bool) -> None:
    """Hide the small cells of a random table and some more: what the audit says is what enumeration says."""
    rng = random.Random(seed)
    rows, columns, width = 3, 3, 6
    table = {(r, c): rng.choice([0, 1, 2, 3, 4, 6, 7]) for r in range(rows) for c in range(columns)}
    table |= {(r, -1): sum(table[r, c] for c in range(columns)) for r in range(rows)}
    table |= {(-1, c): sum(table[r, c] for r in range(rows)) for c in [*range(columns), -1]}
    shown = {cell: v for cell, v in table.items() if -1 in cell or v == 0 or (v >= 4 and rng.random() < 0.5)}
    for column in range(columns):
        if rng.random() < 0.3 and table[-1, column]:
            del shown[-1, column]
    small = {cell: 3 for cell, v in table.items() if cell not in shown and v < 4} if signs else {}
    ends = intervals(shown, rows, columns, least=1, most=small)
    name = {-1: "all"}
    code = {(r, c): (name.get(r, f"r{r}"), name.get(c, f"c{c}")) for r, c in table}
    value = [str(shown[cell]) if cell in shown else "S" if cell in small else "C" for cell in table]
    found = audit(
        pa.table(
            {"place": [p for p, _ in code.values()], "who": [w for _, w in code.values()], "value": value}
        ),
        ["place", "who"],
        minimum_count=4,
        interval_width=width,
        small=["S"] if small else [],
    )
    told = [finding for finding in found.findings if finding.kind in ("exact", "narrow")]
    assert all(finding.exact for finding in told)
    assert {(f.where["place"], f.where["who"]): (f.least, f.greatest) for f in told} == {
        code[cell]: span for cell, span in ends.items() if span[1] - span[0] < width
    }


def test_contradicting_numbers_are_named_by_place() -> None:
    table = drawn("""       young  old  all
                     north     13   12   25
                     south     19   11   31
                     all       32   23   55""")
    with pytest.raises(InputError) as caught:
        audit(table, ["place", "who"])
    assert "place south over who: shows 31; its parts: 30" in str(caught.value)


def test_a_hidden_zero_contradicts_that_zeros_are_shown_and_the_message_says_so() -> None:
    table = one_way({"a": "x", "b": "30", "all": "30"})
    with pytest.raises(InputError, match="--zeros-hidden"):
        audit(table, ["who"])
    assert worked_out(audit(table, ["who"], zeros_shown=False)) == {"a": 0}


def test_a_cell_that_cannot_be_small_contradicts_its_sign() -> None:
    with pytest.raises(InputError, match="contradict"):
        audit(one_way({"a": "S", "b": "30", "all": "60"}), ["who"], small="S")


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        ({"who": ["a", "a"], "value": ["20", "30"]}, {}, "another row stands for"),
        ({"who": ["a", "all"], "value": ["20", "twenty"]}, {}, "neither a whole number"),
        ({"who": ["a", "all"], "value": ["-3", "30"]}, {}, "neither a whole number"),
        ({"who": ["all"], "value": ["30"]}, {}, "every row is a total"),
        ({"who": ["a"], "value": ["30"]}, {"status": "note"}, "no column 'note'"),
        ({"who": ["a"], "value": ["30"], "status": ["odd"]}, {}, "status 'odd' is not known"),
        ({"who": ["z"], "value": ["30"]}, {"hierarchies": {"who": {"a": "b"}}}, "not in its hierarchy"),
        ({"who": ["a"], "value": ["30"]}, {"hierarchies": {"what": {"a": "b"}}}, "is no dimension"),
        ({"who": ["a"], "value": ["30"]}, {"absent": "gone"}, "absent is not"),
        ({"who": ["a"], "value": ["30"]}, {"interval_width": 0}, "less than 1"),
        ({"who": ["a"], "value": ["30"]}, {"small": "S"}, "no hidden cell carries"),
        ({"who": [], "value": []}, {}, "no rows"),
    ],
)
def test_wrong_input_is_named(table: dict[str, list[str]], options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        audit(pa.table({k: pa.array(v, pa.string()) for k, v in table.items()}), ["who"], **options)


def test_findings_come_back_in_the_kind_of_frame_that_went_in() -> None:
    rows = {"who": ["a", "b", "all"], "value": [None, 20, 24]}
    for frame, kind in (
        (pd.DataFrame(rows), pd.DataFrame),
        (pl.DataFrame(rows), pl.DataFrame),
        (pl.DataFrame(rows).lazy(), pl.DataFrame),
        (pa.table(rows), pa.Table),
    ):
        native = audit(frame, ["who"]).to_native()
        assert isinstance(native, kind)
        least = native["least"].to_pylist() if isinstance(native, pa.Table) else list(native["least"])
        assert least == [4]
