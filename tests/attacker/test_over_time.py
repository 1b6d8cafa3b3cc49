"""Releases that are read together, methods that bound numbers, sensitive categories: by hand-made files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.attacker.brute import attack, intervals
from tests.attacker.files import NotRelease, parse
from tests.attacker.over_time import CannotTell, together
from tests.attacker.published import Release
from tests.attacker.solvers import Interval

RECORDS = {
    "kind": "records",
    "measure": "",
    "bounds": [1, 1],
    "assign": "disjoint",
    "by": "",
    "overlapping": [],
}


def files(
    numbers: Mapping[str, Sequence[int | None]],
    columns: Sequence[str],
    *,
    width: int = 3,
    minimum: int = 5,
    **said: Any,
) -> dict[str, bytes]:
    """A table of places by years as the files of a release have it; None is a hidden cell.

    numbers: a place, or "all", with its numbers by year, the total first. said: more of the table's structure
    (changes, attributes, zeros_shown); `method` goes to the source.
    """
    places, years = [p for p in numbers if p != "all"], list(columns)
    method = said.pop("method", None)

    def dimension(name: str, codes: Sequence[str]) -> dict[str, Any]:
        nodes = [["all", "all", -1, [[0, len(codes) - 1]]]]
        nodes += [[code, name, 0, [[i, i]]] for i, code in enumerate(codes)]
        return {"name": name, "axis": name, "levels": [name], "nodes": nodes}

    table = {
        "name": "t",
        "rows": len(numbers) * (len(years) + 1),
        "unit": RECORDS,
        "select": {},
        "margins": [["place", "year"]],
        **said,
        "dimensions": [dimension("place", places), dimension("year", years)],
    }
    structure = {
        "format": "clerestory-structure/1",
        "source": "s",
        "level": 2,
        "interval_width": width,
        "minimum_count": minimum,
        "zeros_shown": True,
        **({"method": method} if method else {}),
        "axes": [
            {"name": "place", "categories": len(places)},
            {"name": "year", "categories": len(years)},
        ],
        "tables": [table],
    }
    lines = ["place,year,value,status"]
    for place, row in numbers.items():
        for year, value in zip(["all", *years], row, strict=True):
            lines.append(f"{place},{year},{'' if value is None else value},{'hidden' * (value is None)}")
    return {
        "structure/s.json": json.dumps(structure).encode(),
        "site/data/t.csv": "\n".join(lines).encode(),
    }


def found(release: Release) -> dict[str, Interval]:
    return {label.split(": ")[1]: interval for label, interval in intervals(release).items()}


# --- over time ----------------------------------------------------------------------------------------------

FIRST = files({"all": [50, 50], "a": [None, None], "b": [None, None], "c": [20, 20]}, ["2020"])


def test_a_year_that_was_shown_stays_known() -> None:
    """In the first release a and b of 2020 are hidden; the second shows a's total and hides its years."""
    second = files(
        {
            "all": [110, 50, 60],
            "a": [40, None, None],
            "b": [30, None, None],
            "c": [40, 20, 20],
        },
        ["2020", "2021"],
    )
    alone = found(parse(second)["s"])
    assert alone["place a, year 2020"] == Interval(1, 29)
    shown_then = files({"all": [50, 50], "a": [12, 12], "b": [18, 18], "c": [20, 20]}, ["2020"])
    both = found(together(shown_then, second, "s"))
    assert both == {"place a, year 2021": Interval(28, 28), "place b, year 2021": Interval(12, 12)}
    assert attack(together(shown_then, second, "s")).broken
    assert not attack(together(FIRST, second, "s")).broken


def test_frozen_tables_that_differ_by_one_contradict_each_other() -> None:
    second = files(
        {"all": [111, 51, 60], "a": [40, None, None], "b": [31, None, None], "c": [40, 20, 20]},
        ["2020", "2021"],
    )
    with pytest.raises(ValueError, match="two values"):
        attack(together(FIRST, second, "s"))


def test_an_increment_of_one_is_a_small_count() -> None:
    """A table that only grows: 50 then and 51 now says that one record came."""
    then = files({"all": [50, 50], "a": [30, 30], "b": [20, 20]}, ["2020"], changes="cumulative")
    now = files({"all": [51, 51], "a": [30, 30], "b": [21, 21]}, ["2020"], changes="cumulative")
    assert not attack(parse(now)["s"]).broken
    assert {one.value for one in attack(together(then, now, "s")).small_sums} == {1}
    later = files({"all": [61, 61], "a": [30, 30], "b": [31, 31]}, ["2020"], changes="cumulative")
    assert not attack(together(then, later, "s")).broken


def test_what_was_hidden_cannot_have_shrunk() -> None:
    """Of a table that grows, what is hidden now is at least what it was: 12 to 27 instead of 1 to 27."""
    then = files({"all": [50, 50], "a": [12, 12], "b": [38, 38]}, ["2020"], changes="cumulative")
    now = files({"all": [66, 66], "a": [None, None], "b": [None, None]}, ["2020"], changes="cumulative")
    assert found(parse(now)["s"])["place a"] == Interval(1, 65)
    assert found(together(then, now, "s"))["place a"] == Interval(12, 28)


def test_nobody_was_in_a_year_that_had_not_come() -> None:
    """The increment of the year 2020 is the total's, less all of 2021."""
    then = files({"all": [50, 50], "a": [30, 30], "b": [20, 20]}, ["2020"], changes="cumulative")
    now = files(
        {"all": [90, None, None], "a": [50, None, None], "b": [40, None, None]},
        ["2020", "2021"],
        changes="cumulative",
    )
    both = found(together(then, now, "s"))
    assert both["year 2021"] == Interval(2, 40)
    assert both["place a, year 2020"] == Interval(30, 49)


def test_revised_tables_tell_nothing_of_each_other() -> None:
    second = files({"all": [51, 51], "a": [None, None], "b": [None, None], "c": [20, 20]}, ["2020"],
                   changes="revised")  # fmt: skip
    assert together(FIRST, second, "s") == parse(second)["s"]


def test_a_category_that_is_gone_cannot_be_told() -> None:
    second = files({"all": [50, 50], "a": [None, None], "d": [None, None], "c": [20, 20]}, ["2020"])
    with pytest.raises(CannotTell):
        together(FIRST, second, "s")


# --- methods ------------------------------------------------------------------------------------------------


def test_rounding_to_five_is_told_within_four_and_adding_up_tells_more() -> None:
    """To the nearest 5: a total of 5 (3 to 7) over parts of 5 and 5 (3 to 7 each) is 6 or 7."""
    method = {"name": "rounding", "kind": "conventional", "base": 5, "reach": 1}
    release = parse(files({"all": [5, 5], "a": [5, 5], "b": [5, 5]}, ["2020"], width=3, method=method))["s"]
    assert found(release)["total"] == Interval(6, 7)
    assert found(release)["place a"] == found(release)["place b"] == Interval(3, 4)
    assert set(attack(release).narrow) >= {"t[records]: place a", "t[records]: place b"}


def test_large_numbers_may_be_told_as_well_as_they_are() -> None:
    method = {"name": "rounding", "kind": "random", "base": 3, "reach": 1}
    release = parse(
        files({"all": [300, 300], "a": [90, 90], "b": [210, 210]}, ["2020"], width=9, method=method)
    )["s"]
    assert found(release)["place a"] == Interval(88, 92)
    assert not attack(release).broken
    small = parse(files({"all": [300, 300], "a": [3, 3], "b": [297, 297]}, ["2020"], width=9, method=method))[
        "s"
    ]
    assert attack(small).narrow["t[records]: place a"] == Interval(1, 5)


def test_cell_keys_bound_a_count_and_noise_without_bounds_is_not_read() -> None:
    key = {"name": "cell-key", "mode": "consistent", "largest": 2, "variance": 1.0, "smallest": 2, "keys": 9}
    release = parse(files({"all": [9, 9], "a": [3, 3], "b": [8, 8]}, ["2020"], method=key))["s"]
    assert found(release)["place a"] == Interval(1, 5)
    noise = {"name": "differential-privacy", "mechanism": "laplace", "rho": 0.1}
    with pytest.raises(NotRelease):
        parse(files({"all": [9, 9], "a": [3, 3], "b": [6, 6]}, ["2020"], method=noise))


# --- sensitive categories -----------------------------------------------------------------------------------


def test_everybody_in_one_category_is_told_about() -> None:
    """15 of 15 denied: shown, or with the zero of the others shown, each of the 15 is known."""
    said: dict[str, Any] = {"attributes": [["year", 3]], "zeros_shown": False}
    shown = parse(files({"all": [15, 15, 0], "a": [15, 15, 0]}, ["denied", "issued"], **said))["s"]
    assert attack(shown).all_in_one
    hidden = parse(files({"all": [15, None, None], "a": [15, None, None]}, ["denied", "issued"], **said))["s"]
    assert not attack(hidden).broken
    assert found(hidden)["year issued"] == Interval(0, 15)


def test_all_but_two_of_a_group_are_too_many() -> None:
    said: dict[str, Any] = {"attributes": [["year", 3]], "zeros_shown": False}
    numbers = {"all": [40, 38, 2], "a": [40, 38, 2]}
    release = parse(files(numbers, ["denied", "issued"], minimum=2, **said))["s"]
    assert set(attack(release).all_in_one.values()) == {2}
    fewer = parse(files({"all": [40, 37, 3], "a": [40, 37, 3]}, ["denied", "issued"], minimum=2, **said))["s"]
    assert not attack(fewer).all_in_one


def test_a_group_of_nobody_is_no_group() -> None:
    said: dict[str, Any] = {"attributes": [["year", 3]], "zeros_shown": False}
    release = parse(files({"all": [0, 0, 0], "a": [0, 0, 0]}, ["denied", "issued"], **said))["s"]
    assert not attack(release).broken
