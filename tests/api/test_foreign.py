"""Files of other programs and tables made by hand; the examples in foreign/ hold invented counts.

tau_argus_*: one table, written by pytauargus 0.6.0 (rule FREQ(11,30), OPT) in each of its formats.
sdctable, gausssuppression, hand_made: made here, with the columns that sdcTable and GaussSuppression export.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clerestory import audit
from clerestory.errors import InputError

FOREIGN = Path(__file__).parent / "foreign"
HRC = {"county": FOREIGN / "county.hrc"}
WRITTEN = ["cross.csv", "pivot.csv", "code_value.csv", "sbs.csv", "intermediate.tab"]


def tau_argus(name: str, **options: Any) -> Any:
    return audit(
        FOREIGN / f"tau_argus_{name}", ["county", "reason"], layout="tau-argus", hierarchies=HRC, **options
    )


def values(found: Any, kind: str) -> dict[str, Any]:
    return {" ".join(f.where.values()): f.least for f in found.findings if f.kind == kind}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_of_tau_argus_is_the_same_table(name: str) -> None:
    found = tau_argus(name, intervals=True)
    assert found.cells == 45 and found.hidden == len(found.intervals) == 14
    assert values(found, "exact") == {"Birch frauds": 1, "Birch others": 1}
    ends = {" ".join(f.where.values()): (f.least, f.greatest) for f in found.intervals}
    assert ends["Alder frauds"] == (3, 16)  # 24 in both columns of Alder; 10 others at most, by Cedar's 15
    assert bool(found.notes) == (name != "cross.csv")


def test_tau_argus_output_at_the_level_of_its_own_audit_gives_no_exact_value() -> None:
    found = tau_argus("cross.csv", level=1)
    assert not found.count("exact")
    assert {" ".join(f.where.values()): (f.least, f.greatest) for f in found.findings} == {
        "Birch frauds": (0, 2),
        "Birch others": (0, 2),
    }


def test_published_status_codes_give_six_counts_of_tau_argus_exactly() -> None:
    found = tau_argus("pivot.csv", small="u", large="m")
    assert values(found, "exact") == {
        "Birch frauds": 1,
        "Birch others": 1,
        "Cedar frauds": 4,
        "Cedar others": 11,
        "Alder frauds": 13,
        "Alder others": 11,
    }
    truth = dict(line.rsplit(",", 2)[:2] for line in (FOREIGN / "tau_argus_pivot.csv").read_text().split())
    for where, value in values(found, "exact").items():
        assert truth['"' + where.replace(" ", '","') + '"'] == str(value)


@pytest.mark.parametrize(("name", "column"), [("sdctable.csv", "Freq"), ("gausssuppression.csv", "freq")])
def test_r_packages_exports(name: str, column: str) -> None:
    total = ["Tot", "Total"]
    found = audit(FOREIGN / name, ["county", "year"], column, total=total)
    assert found.hidden == 7 and "7 hidden cells have a number beside" in found.notes[-1]
    # Alder and Birch in 2025 are 172 less 164, and each at least 1; Alder in 2024 is 219 less the first.
    assert {" ".join(f.where.values()): (f.least, f.greatest) for f in found.findings} == {
        "Alder 2025": (1, 7),
        "Birch 2025": (1, 7),
        "Alder 2024": (212, 218),
        "all 2025": (8, 8),  # the two together
    }


def test_signs_by_hand_say_how_much_they_hide() -> None:
    found = audit(FOREIGN / "hand_made.csv", ["county", "age"], layout="cross", intervals=True)
    ends = {" ".join(f.where.values()): (f.least, f.greatest) for f in found.intervals}
    assert ends == {
        "Alder under 30": (4, 4),  # 206 less 140 and 62
        "Birch under 30": (7, 7),
        "Birch 60 and over": (7, 7),  # so it is within 1-10
        "Cedar 30 to 59": (30, 30),
        "Cedar 60 and over": (33, 33),
    }


@pytest.mark.parametrize(
    ("sign", "ends"),
    [
        ("<11", (1, 10)),
        ("< 5", (1, 4)),
        ("≤10", (1, 10)),
        ("<=10", (1, 10)),
        ("3-7", (3, 7)),
        ("3 to 7", (3, 7)),
        ("11+", (11, 39)),
        (">10", (11, 39)),
        (">=11", (11, 39)),
        ("*", (1, 39)),
    ],
)
def test_what_a_sign_says_bounds_the_cell(sign: str, ends: tuple[int, int]) -> None:
    table = pa.table({"who": ["a", "b", "c", "all"], "value": [sign, "*", "20", "60"]})
    found = audit(table, ["who"], intervals=True, interval_width=1)
    first = found.intervals[0]
    assert (first.least, first.greatest) == ends
    assert (found.intervals[1].least, found.intervals[1].greatest) == (40 - ends[1], 40 - ends[0])


def test_a_sign_of_zero_needs_that_zeros_may_be_hidden() -> None:
    table = pa.table({"who": ["a", "b", "c", "all"], "value": ["0-0", "*", "20", "60"]})
    with pytest.raises(InputError, match="zeros-hidden"):
        audit(table, ["who"])
    found = audit(table, ["who"], zeros_shown=False)
    assert [f.least for f in found.findings] == [0, 40]


def test_knowing_the_large_ones_helps_as_well() -> None:
    table = pa.table({"who": ["a", "b", "c", "all"], "value": ["S", "C", "20", "33"]})
    assert audit(table, ["who"]).wide
    found = audit(table, ["who"], small="S", large="C")
    assert [(f.where["who"], f.least, f.greatest) for f in found.findings] == [("a", 1, 2), ("b", 11, 12)]
    with pytest.raises(InputError, match="'d' for large"):
        audit(table, ["who"], large="D")


def test_hierarchies_of_tau_argus_may_end_at_different_levels(tmp_path: Path) -> None:
    path = tmp_path / "area.hrc"
    path.write_text("North\n@N1\n@@N11\n@@N12\n@N2\nIsland\nSouth\n@S1\n@S2\n", encoding="utf-8")
    codes = ["North", "N1", "N11", "N12", "N2", "Island", "South", "S1", "S2", "all"]
    table = pa.table({"area": codes, "n": ["90", "60", "x", "40", "30", "", "70", "", "40", "172"]})
    found = audit(table, ["area"], "n", hierarchies={"area": path})
    assert values(found, "exact") == {"N11": 20, "Island": 12, "S1": 30}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no rows"),
        ("North\n@@N1\n", "row 2: the code is more than one level below"),
        ("@N1\n", "row 1: the code is more than one level below"),
        ("North\n@N1\n@N1\n", "stands twice"),
        ("North\n@\n", "a code is missing"),
        ("all\n@N1\n", "reserved"),
    ],
)
def test_wrong_hrc_files_are_named_with_their_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "area.hrc"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        audit(pa.table({"area": ["N1"], "value": ["20"]}), ["area"], hierarchies={"area": path})


@pytest.mark.parametrize(
    ("layout", "text", "words"),
    [
        ("tau-argus", "", "the file is empty"),
        ("tau-argus", "a,b,c,d,e,f,g,h,i\n", "no table of 2 dimensions"),
        ("tau-argus", '"a","b",3,1\n"a","c",4\n', "no table of 2 dimensions"),
        ("tau-argus", '"a","b",3,99\n', "no table of 2 dimensions"),
        ("tau-argus", '"a","b","c","d"\n', "no table of 2 dimensions"),
        ("tau-argus", '"county","reason","n"\n', "no rows"),
        ("cross", "county,x,Total\nA,1\n", "row 2: a cross table has as many fields"),
        ("cross", "county\nA\n", "as many fields"),
        ("cross", "county,x,Total\nA,one,1\nTotal,1,1\n", "row 2"),
        ("long", "county,x\n", "layout is not 'long'"),
    ],
)
def test_files_of_another_form_are_refused(tmp_path: Path, layout: str, text: str, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        audit(path, ["county", "reason"], layout=layout)


def test_other_layouts_are_of_files_and_cross_tables_have_two_dimensions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is for files"):
        audit(pa.table({"a": ["x"]}), ["a", "b"], layout="cross")
    path = tmp_path / "t.csv"
    path.write_text("a,b\nc,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="two dimensions"):
        audit(path, ["a"], layout="cross")
    with pytest.raises(InputError, match="no such file"):
        audit(tmp_path / "none.csv", ["a", "b"], layout="tau-argus")
