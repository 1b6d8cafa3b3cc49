"""The tables of the register, counted in plain Python: what tabulate must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from tests.confidential.tabulate.register import COUNTIES, Row

Place = tuple[str, ...]
"""A code for each dimension, "all" for the total."""


@dataclass(frozen=True)
class Counted:
    """A cell: its value, and the records and persons behind it."""

    value: int
    records: int
    persons: int


def age_on(born: date, day: date) -> int:
    had_birthday = (day.month, day.day) >= (born.month, born.day)
    return day.year - born.year - (0 if had_birthday else 1)


def county(row: Row) -> list[str]:
    return ["missing"] if row.county is None else [COUNTIES[row.county], row.county]


def region(row: Row) -> list[str]:
    return ["missing"] if row.county is None else [COUNTIES[row.county]]


def year(row: Row) -> list[str]:
    return [str(row.applied.year)]


def quarter(row: Row) -> list[str]:
    return [f"{row.applied.year}-Q{(row.applied.month + 2) // 3}"]


def month(row: Row) -> list[str]:
    return [f"{row.applied.month:02}"]


def race(row: Row) -> list[str]:
    return [row.race or "missing"]


def status(row: Row) -> list[str]:
    return [row.status]


def attempt(row: Row) -> list[str]:
    return [str(row.attempt) if row.attempt < 3 else "3-and-over"]


def age(row: Row) -> list[str]:
    if row.born is None:
        return ["missing"]
    years = age_on(row.born, row.applied)
    return ["under-21" if years < 21 else "21-24" if years < 25 else "25-64" if years < 65 else "65-and-over"]


Classify = Callable[[Row], list[str]]

TABLES: dict[str, tuple[str, Callable[[Row], bool], dict[str, Classify]]] = {
    "by_place": ("records", lambda row: True, {"county": county, "year": year, "race": race}),
    "by_age": (
        "records",
        lambda row: row.status in ("issued", "pending") and row.applied.year >= 2020 and row.attempt < 3,
        {"year": year, "age": age, "month": month},
    ),
    "fees": (
        "sum",
        lambda row: row.applied != date(2020, 2, 29) and row.race is not None,
        {"county": region, "attempt": attempt, "quarter": quarter},
    ),
    "people": ("latest", lambda row: True, {"county": county, "race": race}),
    "first_people": ("first", lambda row: row.status == "issued", {"county": county, "year": year}),
    "places_of_people": ("overlapping", lambda row: True, {"county": county, "status": status}),
}


def counted(name: str, records: Sequence[Row], places: Iterable[Place]) -> dict[Place, Counted]:
    """What stands in each place of a table."""
    kind, keeps, dimensions = TABLES[name]
    kept = [row for row in records if keeps(row)]
    if kind in ("latest", "first"):
        kept = [*_chosen(kept, kind), *(row for row in kept if row.person is None)]
    placed: dict[Place, list[Row]] = {}
    latest = {row.person: row for row in _chosen(kept, "latest")} if kind == "overlapping" else {}
    for row in kept:
        codes = [
            ["all", *(of(latest.get(row.person, row)) if kind == "overlapping" and of is status else of(row))]
            for of in dimensions.values()
        ]
        for place in product(*codes):
            placed.setdefault(place, []).append(row)
    return {place: _cell(kind, placed.get(place, [])) for place in places}


def _chosen(records: Sequence[Row], kind: str) -> list[Row]:
    """One record of each known person; made so that no person has two on one day."""
    found: dict[str, Row] = {}
    for row in sorted(records, key=lambda row: row.applied, reverse=kind == "first"):
        if row.person is not None:
            found[row.person] = row
    return list(found.values())


def _cell(kind: str, rows: Sequence[Row]) -> Counted:
    known = len({row.person for row in rows if row.person is not None})
    unknown = sum(row.person is None for row in rows)
    persons = max(known, 1) if rows else 0
    if kind == "sum":
        return Counted(sum(row.fee for row in rows), len(rows), persons)
    if kind == "records":
        return Counted(len(rows), len(rows), persons)
    return Counted(known + unknown, known + unknown, persons)


@dataclass(frozen=True)
class Behind:
    """Who is behind a cell: contributors, the largest contributions from the largest on, and all together."""

    contributors: int
    largest: tuple[int, ...]
    total: int


Whose = Callable[[int, Row], object]
"""Who a record's contributor is, from its number and the record; None if it does not say."""


def behind(
    name: str, records: Sequence[Row], places: Iterable[Place], whose: Whose, *, top: int
) -> dict[Place, Behind]:
    """The contributors to each place of a table; records of nobody are the largest contributor's."""
    kind, keeps, dimensions = TABLES[name]
    sums: dict[Place, dict[object, int]] = {}
    loose: dict[Place, int] = {}
    for number, row in enumerate(records):
        if not keeps(row):
            continue
        amount, who = (row.fee if kind == "sum" else 1), whose(number, row)
        for place in product(*(["all", *of(row)] for of in dimensions.values())):
            if who is None:
                loose[place] = loose.get(place, 0) + abs(amount)
            else:
                own = sums.setdefault(place, {})
                own[who] = own.get(who, 0) + amount
    found = {}
    for place in places:
        known = sorted((abs(amount) for amount in sums.get(place, {}).values()), reverse=True)
        extra = loose.get(place, 0)
        largest = [*known, *[0] * top][:top]
        largest[0] += extra
        contributors = max(len(known), int(place in loose))
        found[place] = Behind(contributors, tuple(largest), sum(known) + extra)
    return found
