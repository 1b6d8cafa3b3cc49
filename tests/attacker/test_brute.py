"""The second attacker against tables drawn by hand, with answers worked out by hand."""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.attacker.brute import attack, by_counting, finest_intervals, intervals, small_sums
from tests.attacker.knowledge import (
    disjoint_families,
    incidence,
    relations,
    relations_by_fractions,
    system_of,
)
from tests.attacker.published import Facts, Inconsistent, Release, Row, Table, Tree, cells_of
from tests.attacker.solvers import Interval

HIDDEN = "x"


def flat(axis: str, categories: Sequence[str]) -> Tree:
    """A total over single categories."""
    return tree(axis, {c: (c,) for c in categories})


def tree(axis: str, finest: Mapping[str, Sequence[str]], parents: Mapping[str, str] | None = None) -> Tree:
    """A total over nodes named with their finest categories; those without a named parent are below it."""
    everything = frozenset(c for categories in finest.values() for c in categories)
    above: dict[str, str | None] = {"all": None}
    above |= {code: (parents or {}).get(code, "all") for code in finest}
    return Tree(axis, above, {"all": everything} | {code: frozenset(c) for code, c in finest.items()})


def line(
    numbers: Mapping[str, int | str], tree_: Tree, *, unit: str = "records", name: str = "line"
) -> Table:
    """A table of one dimension; "x" is a hidden cell."""
    rows = tuple(
        Row({} if code == "all" else {tree_.axis: code}, None if v == HIDDEN else int(v))
        for code, v in numbers.items()
    )
    return Table(name, unit, {tree_.axis: tree_}, rows)


def named(name: str, trees: Mapping[str, Tree], *rows: tuple[Mapping[str, str], int | None]) -> Table:
    """A table of records from (codes, value) pairs; None is a hidden cell."""
    return Table(name, "records", trees, tuple(Row(codes, value) for codes, value in rows))


def drawn(picture: str, rows: Tree, columns: Tree, *, name: str = "drawn", unit: str = "records") -> Table:
    """A table of two dimensions as printed: codes above and at the left, "total" for the totals."""
    header, *body = [text.split() for text in picture.strip().splitlines()]
    lines = []
    for side, *numbers in body:
        for top, number in zip(header, numbers, strict=True):
            codes = {} if side == "total" else {"rows": side}
            codes |= {} if top == "total" else {"columns": top}
            lines.append(Row(codes, None if number == HIDDEN else int(number)))
    return Table(name, unit, {"rows": rows, "columns": columns}, tuple(lines))


def release(
    *tables: Table,
    minimum_count: int = 11,
    width: int = 1,
    axes: Mapping[str, Sequence[str]] | None = None,
    zeros_shown: bool = True,
) -> Release:
    found: dict[str, tuple[str, ...]] = {}
    for table in tables:
        for t in table.trees.values():
            found[t.axis] = tuple(sorted(t.finest["all"] | set(found.get(t.axis, ()))))
    found |= {a: tuple(c) for a, c in (axes or {}).items()}
    return Release(found, tables, Facts(minimum_count, width, zeros_shown))


def by_code(found: Mapping[str, Interval]) -> dict[str, Interval]:
    return {label.split(": ")[1]: interval for label, interval in found.items()}


def test_a_lone_hidden_cell_is_recovered_by_subtraction() -> None:
    area = flat("area", ["north", "south", "east"])
    table = line({"all": 40, "north": "x", "south": 20, "east": 13}, area)
    assert by_code(intervals(release(table))) == {"area north": Interval(7, 7)}
    assert attack(release(table)).broken


def test_two_hidden_cells_that_sum_to_two_are_both_one() -> None:
    area = flat("area", ["north", "south", "east"])
    table = line({"all": 22, "north": "x", "south": "x", "east": 20}, area)
    found = by_code(intervals(release(table)))
    assert found == {"area north": Interval(1, 1), "area south": Interval(1, 1)}
    unknowing = release(table, zeros_shown=False)
    assert by_code(intervals(unknowing)) == {"area north": Interval(0, 2), "area south": Interval(0, 2)}


def test_hidden_cells_of_known_sum_have_the_range_worked_out_by_hand() -> None:
    area = flat("area", ["a", "b", "c", "d"])
    table = line({"all": 50, "a": "x", "b": "x", "c": "x", "d": 20}, area)
    assert set(intervals(release(table)).values()) == {Interval(1, 28)}
    assert not attack(release(table, width=27)).broken
    assert len(attack(release(table, width=28)).narrow) == 3


def test_masking_the_tens_gives_them_away_only_to_who_knows_they_are_small() -> None:
    """Total 74, cells 10 14 10 10 0 0 0 30: with the three tens hidden their sum of 30 is known. With one
    symbol for all hidden cells each may be 1 to 28; a reader told that each is below 11 would know all three.
    """
    bar = flat("bar", list("abcdefgh"))
    numbers: dict[str, int | str] = dict(zip("abcdefgh", ["x", 14, "x", "x", 0, 0, 0, 30], strict=True))
    table = line({"all": 74} | numbers, bar)
    found = by_code(intervals(release(table, width=9)))
    assert found == dict.fromkeys(["bar a", "bar c", "bar d"], Interval(1, 28))
    assert not attack(release(table, width=9)).broken


def test_a_known_small_sum_of_hidden_cells_is_itself_a_small_count() -> None:
    area = flat("area", ["a", "b", "c"])
    table = line({"all": 26, "a": "x", "b": "x", "c": 20}, area)
    assert [s.value for s in small_sums(release(table))] == [6]
    assert attack(release(table, width=1)).broken
    assert small_sums(release(table, minimum_count=6)) == ()


def test_a_small_sum_two_levels_down_is_found() -> None:
    """State 55 = (30 + hidden) + (19 + hidden): neither region is shown, yet the two hidden sum to 6."""
    county = tree(
        "county",
        {"r1": ("a", "b"), "r2": ("c", "d"), "a": ("a",), "b": ("b",), "c": ("c",), "d": ("d",)},
        {"a": "r1", "b": "r1", "c": "r2", "d": "r2"},
    )
    table = line({"all": 55, "r1": "x", "r2": "x", "a": 30, "b": "x", "c": 19, "d": "x"}, county)
    assert [s.value for s in small_sums(release(table))] == [6]
    found = by_code(intervals(release(table)))
    assert found["county b"] == found["county d"] == Interval(1, 5)
    assert found["county r1"] == Interval(31, 35)


def test_hierarchical_differencing_recovers_a_county_from_region_and_state() -> None:
    """The region's total is only in the state's line; region 2 = 100 - 60, so d = 40 - 31."""
    county = tree(
        "county",
        {"r1": ("a", "b"), "r2": ("c", "d"), "c": ("c",), "d": ("d",)},
        {"c": "r2", "d": "r2"},
    )
    table = line({"all": 100, "r1": 60, "r2": "x", "c": 31, "d": "x"}, county)
    assert by_code(intervals(release(table))) == {"county r2": Interval(40, 40), "county d": Interval(9, 9)}


def test_a_single_child_repeats_its_parent() -> None:
    county = tree("county", {"r1": ("a",), "a": ("a",), "b": ("b",)}, {"a": "r1"})
    table = line({"all": 30, "r1": 9, "a": "x", "b": 21}, county)
    assert attack(release(table)).small_shown == ("line[records]: county r1",)
    assert by_code(intervals(release(line({"all": "x", "r1": "x", "a": 12, "b": "x"}, county)))) == {
        "total": Interval(13, None),
        "county b": Interval(1, None),
    }


def test_years_and_months_of_one_date_are_linked() -> None:
    months = [f"{y}-{m}" for y in (2020, 2021) for m in (1, 2)]
    years = tree("month", {"2020": months[:2], "2021": months[2:]})
    by_year = Table(
        "years",
        "records",
        {"year": years},
        (Row({}, 70), Row({"year": "2020"}, 40), Row({"year": "2021"}, 30)),
    )
    by_month = line({"2020-1": "x", "2020-2": 33, "2021-1": "x", "2021-2": "x"}, flat("month", months))
    found = by_code(intervals(release(by_year, by_month)))
    assert found == {
        "month 2020-1": Interval(7, 7),
        "month 2021-1": Interval(1, 29),
        "month 2021-2": Interval(1, 29),
    }
    assert set(by_code(intervals(release(by_month))).values()) == {Interval(1, None)}


def test_two_bandings_of_one_age_that_cross_are_differenced() -> None:
    """0-17 and 18+ against 0-20 and 21+: 18+ less 21+ is the people of 18 to 20, twelve less nine."""
    ages = ["0-17", "18-20", "21+"]
    one = tree("age", {"under 18": ages[:1], "18 and over": ages[1:]})
    two = tree("age", {"under 21": ages[:2], "21 and over": ages[2:]})
    first = Table(
        "one", "records", {"adult": one}, (Row({"adult": "under 18"}, 40), Row({"adult": "18 and over"}, 32))
    )
    second = Table(
        "two", "records", {"buyer": two}, (Row({"buyer": "under 21"}, 43), Row({"buyer": "21 and over"}, 29))
    )
    assert {s.value for s in small_sums(release(first, second))} == {3}


def test_bandings_that_overlap_without_nesting_are_tied_by_their_totals_alone() -> None:
    """{1,2} {3,4} and {1} {2,3} {4} make up the same total: the only relation that no tree shows."""
    one = tree("age", {"12": ("1", "2"), "34": ("3", "4")})
    two = tree("age", {"1": ("1",), "23": ("2", "3"), "4": ("4",)})
    first = Table("one", "records", {"p": one}, (Row({"p": "12"}, 30), Row({"p": "34"}, 25)))
    second = Table(
        "two",
        "records",
        {"q": two},
        (Row({"q": "1"}, 20), Row({"q": "23"}, None), Row({"q": "4"}, 14)),
    )
    published = release(first, second)
    assert len(relations(incidence(cells_of(published)))) == 1
    assert by_code(intervals(published)) == {"q 23": Interval(21, 21)}


def test_a_restricted_table_against_the_full_one_leaves_a_small_rest() -> None:
    area = flat("area", ["a", "b"])
    status = flat("status", ["sworn", "civil"])
    full = Table(
        "full",
        "records",
        {"area": area, "status": status},
        (Row({}, 60), Row({"area": "a"}, 40), Row({"area": "b"}, 20)),
    )
    sworn = Table(
        "sworn",
        "records",
        {"area": area},
        (Row({}, 50), Row({"area": "a"}, 34), Row({"area": "b"}, 16)),
        {"status": frozenset(["sworn"])},
    )
    values = sorted(s.value for s in small_sums(release(full, sworn)))
    assert values == [4, 6, 10]


def test_a_restricted_cell_cannot_exceed_the_full_one() -> None:
    area = flat("area", ["a", "b"])
    status = flat("status", ["sworn", "civil"])
    full = Table("full", "records", {"area": area, "status": status}, (Row({"area": "a"}, 15),))
    sworn = Table(
        "sworn", "records", {"area": area}, (Row({"area": "a"}, None),), {"status": frozenset(["sworn"])}
    )
    assert by_code(intervals(release(full, sworn))) == {"area a": Interval(1, 15)}


THREE = (flat("rows", ["r1", "r2", "r3"]), flat("columns", ["c1", "c2", "c3"]))


def test_four_hidden_corners_of_a_three_by_three_table_range_over_one_circuit() -> None:
    table = drawn(
        """
               c1  c2  c3  total
        r1      x  20   x     30
        r2     15  14  21     50
        r3      x  22   x     40
        total  22  56  42    120
        """,
        *THREE,
    )
    # corners a b / c d with a + b = 10, c + d = 18, a + c = 7, b + d = 21; a from 1 to 6 moves all four
    assert by_code(intervals(release(table))) == {
        "rows r1, columns c1": Interval(1, 6),
        "rows r1, columns c3": Interval(4, 9),
        "rows r3, columns c1": Interval(1, 6),
        "rows r3, columns c3": Interval(12, 17),
    }
    assert attack(release(table, width=6, minimum_count=3)).broken
    assert not attack(release(table, width=5, minimum_count=3)).broken


def test_a_hidden_corner_shown_again_opens_the_other_three() -> None:
    table = drawn(
        """
               c1  c2  c3  total
        r1      3  20   x     30
        r2     15  14  21     50
        r3      x  22   x     40
        total  22  56  42    120
        """,
        *THREE,
    )
    assert sorted(i.low for i in intervals(release(table)).values()) == [4, 7, 14]


def test_two_by_two_with_only_the_margins_shown_has_frechet_bounds() -> None:
    rows, columns = flat("rows", ["r1", "r2"]), flat("columns", ["c1", "c2"])
    table = drawn(
        """
               c1  c2  total
        r1      x   x     10
        r2      x   x     20
        total  12  18     30
        """,
        rows,
        columns,
    )
    found = by_code(intervals(release(table)))
    # r1c1 is at most 9 since r1c2 >= 1, and at least 1; r2c1 = 12 - r1c1, r2c2 = 8 + r1c1
    assert found["rows r1, columns c1"] == Interval(1, 9)
    assert found["rows r2, columns c2"] == Interval(9, 17)


def test_persons_are_at_most_records() -> None:
    area = flat("area", ["a", "b"])
    records = line({"a": 15, "b": 40}, area, name="records")
    persons = line({"a": "x", "b": "x"}, area, unit="persons", name="persons")
    found = by_code(intervals(release(records, persons)))
    assert found == {"area a": Interval(1, 15), "area b": Interval(1, 40)}
    assert attack(release(records, persons)).open_units == (
        "records[records]: area a",
        "records[records]: area b",
    )


def test_finest_cells_behind_three_two_way_margins_are_bounded_more_tightly() -> None:
    """AC and BC of a 2 x 2 x 2 cube shown, AB hidden. Each line of AB sums to 31, so level 2 leaves 1 to 30;
    of a 0 only one is in c 0, of b 0 only one in c 1, so behind AB(0, 0) there are at most 1 + 1.
    """
    a, b, c = flat("a", "01"), flat("b", "01"), flat("c", "01")
    truth = {(0, 0, 0): 1, (0, 0, 1): 1, (0, 1, 1): 29, (1, 0, 0): 29, (1, 1, 0): 5, (1, 1, 1): 5}
    trees = {"a": a, "b": b, "c": c}

    def two_way(first: str, second: str, hide: bool) -> Table:
        rows = []
        for i in "01":
            for j in "01":
                total = sum(
                    v
                    for key, v in truth.items()
                    if str(key["abc".index(first)]) == i and str(key["abc".index(second)]) == j
                )
                rows.append(Row({first: i, second: j}, None if hide else total))
        return Table(first + second, "records", {first: trees[first], second: trees[second]}, tuple(rows))

    published = release(two_way("a", "b", True), two_way("a", "c", False), two_way("b", "c", False))
    assert by_code(intervals(published))["a 0, b 0"] == Interval(1, 30)
    assert by_code(finest_intervals(published))["a 0, b 0"] == Interval(1, 2)


def test_the_second_attacker_imports_nothing_of_what_it_attacks() -> None:
    folder = Path(__file__).parent
    for name in ("published", "knowledge", "solvers", "brute"):
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
                assert not any("clerestory" in module or "instances" in module for module in modules)


def test_impossible_numbers_are_refused() -> None:
    area = flat("area", ["a", "b"])
    with pytest.raises(Inconsistent):
        intervals(release(line({"all": 10, "a": 12, "b": "x"}, area)))
    with pytest.raises(Inconsistent):
        intervals(release(line({"all": 30, "a": 12, "b": 17}, area)))
    with pytest.raises(Inconsistent):
        intervals(release(line({"all": 30}, area, name="one"), line({"all": 31}, area, name="two")))


def test_families_of_disjoint_sets_are_the_maximal_ones() -> None:
    sets = [frozenset("ab"), frozenset("a"), frozenset("b"), frozenset("c"), frozenset("bc")]
    assert {frozenset(f) for f in disjoint_families(sets)} == {
        frozenset({0, 3}),
        frozenset({1, 2, 3}),
        frozenset({1, 4}),
    }


@pytest.mark.parametrize("seed", range(40))
def test_both_eliminations_find_the_same_relations(seed: int) -> None:
    random_ = np.random.default_rng(seed)
    n, m = random_.integers(1, 14, size=2)
    matrix = random_.integers(0, 2, size=(n, m)).astype(np.int64)
    assert relations(matrix) == relations_by_fractions(matrix)
    assert len(relations(matrix)) == n - np.linalg.matrix_rank(matrix)


@pytest.mark.parametrize("seed", range(60))
def test_solvers_agree_with_going_through_every_assignment(seed: int) -> None:
    """A random small table, four to six cells hidden: intervals by plain counting equal the solvers'."""
    random_ = random.Random(seed)
    rows, columns = flat("rows", ["r1", "r2"]), flat("columns", ["c1", "c2", "c3"])
    body = {(r, c): random_.randint(1, 4) for r in ("r1", "r2") for c in ("c1", "c2", "c3")}
    totals: dict[tuple[str, str], int] = dict(body)
    for r in ("r1", "r2", ""):
        for c in ("c1", "c2", "c3", ""):
            totals[r, c] = sum(v for (i, j), v in body.items() if r in ("", i) and c in ("", j))
    hidden = set(random_.sample(sorted(totals), random_.randint(3, 5)))
    lines = tuple(
        Row(({"rows": r} if r else {}) | ({"columns": c} if c else {}), None if (r, c) in hidden else v)
        for (r, c), v in totals.items()
    )
    published = release(Table("small", "records", {"rows": rows, "columns": columns}, lines))
    found = intervals(published)
    if any(i.high is None for i in found.values()):
        assert by_counting(system_of(published), 9).keys() == found.keys()
    else:
        ceiling = max(totals.values())
        if (ceiling + 1) ** len(hidden) <= 400_000:
            assert by_counting(system_of(published), ceiling) == found
