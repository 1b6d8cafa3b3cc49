"""Several tables of the same records together, two levels of attack, and intervals of every hidden cell."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from clerestory import audit
from clerestory.errors import InputError
from tests.api.drawn import drawn, one_way


def ends(found: Any) -> dict[str, tuple[Any, Any]]:
    return {" ".join(f.where.values()): (f.least, f.greatest) for f in found.intervals}


BY_YEAR = {
    "county": ["a", "a", "a", "b", "b", "b", "all", "all", "all"],
    "year": ["1", "2", "all"] * 3,
    "value": ["x", "40", "x", "x", "60", "x", "53", "100", "153"],
}
BY_SEX = {
    "county": ["a", "a", "a", "b", "b", "b", "all", "all", "all"],
    "sex": ["f", "m", "all"] * 3,
    "value": ["22", "22", "44", "x", "x", "109", "75", "78", "153"],
}


def test_each_table_passes_alone_and_together_they_are_open() -> None:
    first, second = pa.table(BY_YEAR), pa.table(BY_SEX)
    assert audit(first, ["county", "year"]).wide
    together = audit([first, second], ["county", "year", "sex"])
    assert together.verdict == "broken" and together.cells == 18
    got = {" ".join(f.where.values()): f.least for f in together.findings if f.kind == "exact"}
    assert got["a 1 all"] == 4 and got["b 1 all"] == 49  # the second table shows a's and b's totals
    assert got["b all f"] == 53 and got["b all m"] == 56


def test_tables_of_different_frames_and_files_may_be_mixed(tmp_path: Path) -> None:
    path = tmp_path / "sex.csv"
    pd.DataFrame(BY_SEX).to_csv(path, index=False)
    found = audit([pd.DataFrame(BY_YEAR), path], ["county", "year", "sex"])
    assert isinstance(found.to_native(), pd.DataFrame) and found.count("exact") == 6


def test_tables_that_do_not_fit_together_are_named() -> None:
    first, second = dict(BY_YEAR), dict(BY_SEX)
    second["value"] = [*second["value"][:-1], "154"]
    with pytest.raises(InputError, match="show different numbers"):
        audit([pa.table(first), pa.table(second)], ["county", "year", "sex"])
    with pytest.raises(InputError, match="no column 'age' in any"):
        audit([pa.table(first), pa.table(BY_SEX)], ["county", "age"])
    with pytest.raises(InputError, match="no column"):
        audit([pa.table(first), pa.table({"value": ["3"]})], ["county", "year"])
    with pytest.raises(InputError, match="there is no table"):
        audit([], ["county"])
    twice = pa.table({"county": ["a", "a", "all"], "value": ["20", "30", "50"]})
    with pytest.raises(InputError, match="another row stands for"):
        audit([pa.table(first), twice], ["county", "year"])


def test_level_1_is_the_reader_who_does_not_know_that_zeros_are_shown() -> None:
    table = one_way({"a": "", "b": "", "c": "20", "all": "22"})
    blind = audit(table, ["who"], level=1, intervals=True)
    assert blind.level.startswith("level 1") and ends(blind) == {"a": (0, 2), "b": (0, 2)}
    knowing = audit(table, ["who"], intervals=True)
    assert knowing.level.startswith("level 2") and ends(knowing) == {"a": (1, 1), "b": (1, 1)}


def test_intervals_of_wide_cells_are_given_as_well_and_may_have_no_end() -> None:
    table = pa.table({"who": ["a", "b", "c"], "value": ["", "", "20"]})
    found = audit(table, ["who"], without_total=["who"], intervals=True)
    assert found.wide and ends(found) == {"a": (1, None), "b": (1, None)}
    assert str(found.intervals[0]) == "who a: 1 or more"
    assert found.said()["intervals"][0]["greatest"] is None
    assert not audit(table, ["who"], without_total=["who"]).intervals


@pytest.mark.parametrize("seed", range(6))
def test_intervals_of_cubes_equal_those_of_trying_every_table(seed: int) -> None:
    """2 x 2 x 2 with all totals: whole numbers, where linear programs alone may stop between two."""
    rng = random.Random(seed)
    leaves = list(product("ab", "pq", "xy"))
    truth = {leaf: rng.choice([0, 1, 2, 3, 5]) for leaf in leaves}
    full = list(product(["a", "b", "all"], ["p", "q", "all"], ["x", "y", "all"]))

    def value(where: tuple[str, ...], table: dict[Any, int]) -> int:
        return sum(n for k, n in table.items() if all(w in ("all", c) for w, c in zip(where, k, strict=True)))

    hidden = [w for w in full if "all" not in w[:2] and value(w, truth) and rng.random() < 0.8]
    # Sums over the first dimension are shown, so four of the leaves say the other four.
    ahead, behind = leaves[:4], leaves[4:]
    both = [value(("all", *leaf[1:]), truth) for leaf in ahead]
    wanted: dict[str, tuple[int, int]] = {}
    for cells in product(*(range(most + 1) for most in both)):
        others = [most - n for most, n in zip(both, cells, strict=True)]
        table = dict(zip([*ahead, *behind], [*cells, *others], strict=True))
        seen = {where: value(where, table) for where in full}
        if all(n >= 1 if w in hidden else n == value(w, truth) for w, n in seen.items()):
            for where in hidden:
                low, high = wanted.get(" ".join(where), (seen[where], seen[where]))
                wanted[" ".join(where)] = min(low, seen[where]), max(high, seen[where])
    rows = [(*where, None if where in hidden else value(where, truth)) for where in full]
    names = ["k1", "k2", "k3", "value"]
    found = audit(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows]), names[:3],
                  intervals=True)  # fmt: skip
    assert ends(found) == wanted and all(one.exact for one in found.intervals)


def test_findings_come_with_the_gravest_first_and_one_sentence() -> None:
    table = drawn("""        x    y    z  all
                  one     -   30   30   64
                  two     -    -   30   70
                  six    20    -   40  100
                  all     -  100  100  234""")
    found = audit(table, ["place", "who"], interval_width=30)
    kinds = [finding.kind for finding in found.findings]
    assert kinds == sorted(kinds, key=["exact", "narrow", "implied", "small-sum"].index)
    exact = [finding.least for finding in found.findings if finding.kind == "exact"]
    assert exact == sorted(exact) and exact[0] == 4
    assert found.summary.endswith("works out 5 exactly, of 5 hidden counts.")
