"""The tables that protection is measured on, as true cells: `original("custody")`.

custody   deaths in custody, county < region < state x race x gender: real, public records
ccw       carry licences, county < region < state x year x race x sex, zeros included
linked    twelve linked tables of a carry-licence dashboard
magnitude dealers' turnover, county < region < state x month < year x class; a dealer is a contributor
cube      one million published cells: sales by county x month < year x race x age of the buyer

Synthetic records are drawn at true size, counted once by their finest categories, and kept as numbers in
build/bench. Every axis holds its codes for all records, so any table over the same axes can be counted.

    python -m bench.protection_cases [NAME ...]     prints the size of each
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import Contributions, OriginalCells
from clerestory.tables import (
    RECORDS,
    TOTAL,
    Axis,
    CellSpace,
    Dimension,
    Node,
    TableDesign,
    Unit,
    link_tables,
    text,
)

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "bench"
LOOKUPS = ROOT / "src" / "clerestory" / "templates" / "openjustice" / "lookups"
CUSTODY = ROOT / "examples" / "custody"
MOST_CELLS = 5_000_000
PRICE_AT_MOST = 20_000
HANDGUNS = ("PISTOL", "REVOLVER", "DERRINGER")
SEED = 20220627

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """Records by their finest categories: categories of each axis, and (records,) positions among them.

    weight: (records,) what a record adds to a sum; holding: (records,) its contributor; both may be absent.
    """

    categories: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, NDArray[np.int16]]
    weight: IntArray | None = None
    holding: IntArray | None = None

    def axes(self) -> tuple[Axis, ...]:
        return tuple(Axis(name, values) for name, values in self.categories.items())


# --- trees --------------------------------------------------------------------------------------------------

Groups = Sequence[Mapping[str, str]]
"""From the coarsest level to the finest: for each finest category the code of its node at that level."""


def tree(name: str, axis: Axis, levels: Sequence[str], groups: Groups) -> Dimension:
    """A dimension from what each finest category belongs to at each level, coarse to fine."""
    size = len(axis.categories)
    nodes = [Node(TOTAL, text("all"), TOTAL, -1)]
    members = [np.ones(size, dtype=bool)]
    above = dict.fromkeys(axis.categories, 0)
    for level, inside in zip(levels, groups, strict=True):
        own: dict[str, int] = {}
        for position, category in enumerate(axis.categories):
            code = inside[category]
            if code not in own:
                own[code] = len(nodes)
                nodes.append(Node(code, text(code), level, above[category]))
                members.append(np.zeros(size, dtype=bool))
            members[own[code]][position] = True
        above = {category: own[inside[category]] for category in axis.categories}
    order = _parents_first(nodes)
    place = {old: new for new, old in enumerate(order)}
    kept = tuple(
        Node(n.code, n.label, n.level, place[n.parent] if n.parent >= 0 else -1)
        for n in (nodes[i] for i in order)
    )
    return Dimension(name, text(name), axis.name, tuple(levels), kept, np.array([members[i] for i in order]))


def _parents_first(nodes: Sequence[Node]) -> list[int]:
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop(0)
        order.append(node)
        waiting += [i for i, n in enumerate(nodes) if n.parent == node]
    return order


def flat(name: str, axis: Axis) -> Dimension:
    """Every category of the axis below the total."""
    return tree(name, axis, (name,), [{c: c for c in axis.categories}])


def grouped(name: str, axis: Axis, groups: Mapping[str, str], *, level: str, detail: bool) -> Dimension:
    """Groups of categories below the total, and below them the categories themselves if `detail`."""
    if not detail:
        return tree(name, axis, (level,), [groups])
    return tree(name, axis, (level, name), [groups, {c: c for c in axis.categories}])


@cache
def lookup(path: Path, code: str, group: str) -> Mapping[str, str]:
    """code -> group, in the order of the file."""
    with path.open(encoding="utf-8") as file:
        return {row[code]: row[group] for row in csv.DictReader(file)}


# --- counting -----------------------------------------------------------------------------------------------


def counted(space: CellSpace, records: Records, weight: IntArray | None = None) -> IntArray:
    """(cells,) records in each cell, or the sum of their weights."""
    values = np.zeros(len(space), dtype=np.int64)
    names = [axis.name for axis in space.axes]
    sizes = [len(axis.categories) for axis in space.axes]
    histograms: dict[tuple[int, ...], IntArray] = {}
    for blocks in space.blocks:
        for block in blocks:
            if block.axes not in histograms:
                shape = tuple(sizes[a] for a in block.axes)
                flat_codes = np.zeros(len(records.codes[names[0]]), dtype=np.int64)
                for axis in block.axes:
                    flat_codes = flat_codes * sizes[axis] + records.codes[names[axis]]
                found = np.bincount(flat_codes, weights=weight, minlength=int(np.prod(shape, dtype=np.int64)))
                histograms[block.axes] = np.rint(found).astype(np.int64).reshape(shape)
            inside = histograms[block.axes]
            for place, axis in enumerate(block.axes):
                chosen = space.sets[axis][block.sets[place]].astype(np.int64)
                inside = np.moveaxis(np.tensordot(chosen, inside, axes=(1, place)), 0, place)
            inside = inside.reshape(block.cells.shape)
            possible = block.cells >= 0
            values[block.cells[possible]] = inside[possible]
    return values


def table(
    name: str,
    dimensions: Sequence[Dimension],
    *,
    unit: Unit = RECORDS,
    margins: Sequence[tuple[str, ...]] | None = None,
    select: Mapping[str, NDArray[np.bool_]] | None = None,
) -> TableDesign:
    """A table with all its dimensions crossed, or with the margins named."""
    crossed = (tuple(d.name for d in dimensions),)
    return TableDesign(
        name, text(name), unit, tuple(dimensions), tuple(margins) if margins else crossed, select or {}
    )


def original_of(source: str, records: Records, designs: Sequence[TableDesign]) -> OriginalCells:
    """The true cells of tables that count records."""
    used = {d.axis for design in designs for d in design.dimensions} | {
        axis for design in designs for axis in design.select
    }
    axes = [axis for axis in records.axes() if axis.name in used]
    space = link_tables(source, axes, designs, maximum_cells=MOST_CELLS)
    values = counted(space, records)
    return OriginalCells(space, values, values, None)


# --- records ------------------------------------------------------------------------------------------------


def _kept(name: str, make: Callable[[], Records]) -> Records:
    path = KEPT / f"{name}.npz"
    if not path.exists():
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {f"codes {n}": codes for n, codes in made.codes.items()}
        arrays |= {f"categories {n}": np.array(values) for n, values in made.categories.items()}
        if made.weight is not None:
            arrays["weight"] = made.weight
        if made.holding is not None:
            arrays["holding"] = made.holding
        np.savez_compressed(path, **arrays)
    with np.load(path) as found:
        names = [key.removeprefix("codes ") for key in found.files if key.startswith("codes ")]
        return Records(
            categories={n: tuple(found[f"categories {n}"].tolist()) for n in names},
            codes={n: found[f"codes {n}"] for n in names},
            weight=found["weight"] if "weight" in found.files else None,
            holding=found["holding"] if "holding" in found.files else None,
        )


def _encoded(values: Sequence[Any], categories: Sequence[str]) -> NDArray[np.int16]:
    """Positions among the categories; what is none of them is "missing"."""
    place = {category: i for i, category in enumerate(categories)}
    return np.array([place.get(value, place.get("missing", -1)) for value in values], dtype=np.int16)


def _column(columns: Mapping[str, Any], name: str, categories: Sequence[str]) -> NDArray[np.int16]:
    column = columns[name]
    words = [*column.dictionary.to_pylist(), None]
    place = _encoded(words, categories)
    index = column.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(place[index], dtype=np.int16)


def _days(columns: Mapping[str, Any], name: str) -> NDArray[Any]:
    found = columns[name].to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype="datetime64[D]")


AGES = (21, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80)


def _ages(columns: Mapping[str, Any], born: str, at: str) -> NDArray[np.int16]:
    """Age bands at a date; band 0 is below the first bound or not known."""
    birth, day = _days(columns, born), _days(columns, at)
    months = (day.astype("datetime64[M]") - birth.astype("datetime64[M]")).astype(np.int64)
    before = (day - day.astype("datetime64[M]")) < (birth - birth.astype("datetime64[M]"))
    years = np.where(np.isnat(birth), 0, (months - before) // 12)
    return np.searchsorted(AGES, years, side="right").astype(np.int16)


AGE_CODES = ("under-21", *(f"{low}-{high - 1}" for low, high in pairwise(AGES)), "80-up")
RACES = (*"WHBACDFJKLVZIGPSUOX", "missing")
SEXES = ("M", "F", "X", "U", "missing")
FIRST_YEAR, LAST_YEAR = 2012, 2021
YEARS = tuple(str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1))
MONTHS = tuple(f"{year}-{month:02d}" for year in YEARS for month in range(1, 13))


def _counties() -> tuple[str, ...]:
    return tuple(lookup(LOOKUPS / "california.csv", "county", "region"))


def _months(columns: Mapping[str, Any], name: str) -> NDArray[np.int16]:
    first = np.datetime64(f"{FIRST_YEAR}-01", "M")
    found = (_days(columns, name).astype("datetime64[M]") - first).astype(np.int64)
    return np.clip(found, 0, len(MONTHS) - 1).astype(np.int16)


def _draw_ccw() -> Records:
    from clerestory.templates.generator import calibration, ccw, world

    columns, _ = ccw.records(world.build(SEED, 0.05, calibration.CCW_PEOPLE))
    status = tuple(lookup(LOOKUPS / "ccw_status.csv", "status", "outcome"))
    types = ("STANDARD", "RESERVE", "CUSTODIAL", "EMPLOYMENT", "JUDGE")
    kinds = ("INITIAL", "RENEWAL", "AMENDMENT")
    return Records(
        categories={
            "county": _counties(), "month": MONTHS, "race": RACES, "sex": SEXES, "age": AGE_CODES,
            "status": status, "license_type": types, "application_kind": kinds,
        },
        codes={
            "county": _column(columns, "county", _counties()),
            "month": _months(columns, "application_date"),
            "race": _column(columns, "race", RACES),
            "sex": _column(columns, "sex", SEXES),
            "age": _ages(columns, "date_of_birth", "application_date"),
            "status": _column(columns, "status", status),
            "license_type": _column(columns, "license_type", types),
            "application_kind": _column(columns, "application_kind", kinds),
        },
    )  # fmt: skip


def ccw_records() -> Records:
    """383,074 synthetic applications for carry licences, at true size."""
    return _kept("ccw", _draw_ccw)


def _draw_sales() -> Records:
    from clerestory.templates.generator import calibration, dros, firearms, world

    built = world.build(SEED, 1.0, calibration.CCW_PEOPLE)
    parts: dict[str, list[IntArray]] = {}
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        columns, _ = dros.records(built, year)
        found = {
            "county": _column(columns, "buyer_county", _counties()),
            "month": _months(columns, "transaction_date"),
            "race": _column(columns, "buyer_race", RACES),
            "sex": _column(columns, "buyer_sex", SEXES),
            "age": _ages(columns, "buyer_date_of_birth", "transaction_date"),
            "dealer_county": _column(columns, "dealer_county", _counties()),
            "type": _column(columns, "firearm_type", firearms.TYPES),
            "dealer": columns["dealer_id"].indices.to_numpy(zero_copy_only=False),
        }
        words = columns["dealer_id"].dictionary.to_pylist()
        found["dealer"] = np.array([int(w[-5:]) for w in words], dtype=np.int16)[found["dealer"]]
        for name, codes in found.items():
            parts.setdefault(name, []).append(codes)
    whole = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    dealer = whole.pop("dealer").astype(np.int64)
    price = np.random.default_rng(SEED).lognormal(6.4, 0.5, len(dealer))
    return Records(
        categories={
            "county": _counties(), "month": MONTHS, "race": RACES, "sex": SEXES, "age": AGE_CODES,
            "dealer_county": _counties(), "type": firearms.TYPES,
        },
        codes={name: codes.astype(np.int16) for name, codes in whole.items()},
        weight=np.clip(np.rint(price), 1, PRICE_AT_MOST).astype(np.int64),
        holding=dealer,
    )  # fmt: skip


def sales_records() -> Records:
    """Synthetic records of firearms sales, at true size, with an invented price; a dealer is the holding."""
    return _kept("sales", _draw_sales)


def custody_records() -> Records:
    """9,911 real deaths, public and without names; those whose county is not known are left out."""
    with gzip.open(CUSTODY / "records" / "deaths_in_custody.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counties = tuple(lookup(CUSTODY / "lookups" / "custody_county.csv", "county", "region"))[:58]
    races = tuple(lookup(CUSTODY / "lookups" / "custody_race.csv", "detail", "group"))
    genders = ("Male", "Female")
    rows = [row for row in rows if row["county"] in counties]
    return Records(
        categories={"county": counties, "race": races, "gender": genders},
        codes={
            "county": _encoded([row["county"] for row in rows], counties),
            "race": _encoded([row["race"] for row in rows], races),
            "gender": _encoded([row["gender"] for row in rows], genders),
        },
    )


# --- dimensions ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ways:
    """The dimensions that tables over carry licences and sales choose from."""

    axis: Mapping[str, Axis]

    @property
    def county(self) -> Dimension:
        axis = self.axis["county"]
        regions = lookup(LOOKUPS / "california.csv", "county", "region")
        return tree(
            "county", axis, ("region", "county"),
            [{c: regions[c] for c in axis.categories}, {c: c for c in axis.categories}],
        )  # fmt: skip

    @property
    def region(self) -> Dimension:
        axis = self.axis["county"]
        regions = lookup(LOOKUPS / "california.csv", "county", "region")
        return tree("region", axis, ("region",), [{c: regions[c] for c in axis.categories}])

    @property
    def year(self) -> Dimension:
        return tree("year", self.axis["month"], ("year",), [{m: m[:4] for m in MONTHS}])

    @property
    def month(self) -> Dimension:
        years, months = {m: m[:4] for m in MONTHS}, {m: m for m in MONTHS}
        return tree("month", self.axis["month"], ("year", "month"), [years, months])

    @property
    def race(self) -> Dimension:
        """Seven groups; not recorded is among "other"."""
        groups = {**lookup(LOOKUPS / "race.csv", "code", "group"), "missing": "other"}
        return tree("race", self.axis["race"], ("group",), [groups])

    @property
    def sex(self) -> Dimension:
        """Male, female, another or not recorded."""
        groups = {**lookup(LOOKUPS / "sex.csv", "code", "group"), "missing": "other"}
        return tree("sex", self.axis["sex"], ("group",), [groups])

    def age(self, cuts: Sequence[int]) -> Dimension:
        """Bands that begin at the cuts; below the first is a band of its own."""
        axis = self.axis["age"]
        starts = [0, *AGES]
        band = [sum(start >= cut for cut in cuts) for start in starts]
        names = ["younger", *(f"from-{cut}" for cut in cuts)]
        return tree(
            "age", axis, ("band",), [{c: names[b] for c, b in zip(axis.categories, band, strict=True)}]
        )

    @property
    def outcome(self) -> Dimension:
        groups = lookup(LOOKUPS / "ccw_status.csv", "status", "outcome")
        return grouped("status", self.axis["status"], groups, level="outcome", detail=True)

    @property
    def license_type(self) -> Dimension:
        return flat("license_type", self.axis["license_type"])

    @property
    def application_kind(self) -> Dimension:
        return flat("application_kind", self.axis["application_kind"])


def ways(records: Records) -> Ways:
    return Ways({axis.name: axis for axis in records.axes()})


def custody_races() -> Mapping[str, str]:
    """Six groups: the file's, with Pacific Islanders among Asians."""
    groups = lookup(CUSTODY / "lookups" / "custody_race.csv", "detail", "group")
    return {code: "asian" if group == "pacific-islander" else group for code, group in groups.items()}


# --- cases --------------------------------------------------------------------------------------------------


def custody() -> OriginalCells:
    """Deaths in custody: county < region < state x race (6 groups) x gender, 1,407 cells at 1,449 places."""
    records = custody_records()
    axis = {a.name: a for a in records.axes()}
    regions = lookup(CUSTODY / "lookups" / "custody_county.csv", "county", "region")
    counties = axis["county"].categories
    county = tree(
        "county", axis["county"], ("region", "county"),
        [{c: regions[c] for c in counties}, {c: c for c in counties}],
    )  # fmt: skip
    race = tree("race", axis["race"], ("group",), [custody_races()])
    return original_of("custody", records, [table("deaths", [county, race, flat("gender", axis["gender"])])])


def ccw() -> OriginalCells:
    """Carry licences: county < region < state x year x race x sex, 23,584 cells."""
    records = ccw_records()
    way = ways(records)
    return original_of("ccw", records, [table("ccw", [way.county, way.year, way.race, way.sex])])


def ccw_year_race() -> OriginalCells:
    """Carry licences without sex: county < region < state x year x race, 5,896 cells."""
    records = ccw_records()
    way = ways(records)
    return original_of("ccw", records, [table("ccw", [way.county, way.year, way.race])])


def linked() -> OriginalCells:
    """Twelve linked tables of one dashboard on carry licences, 53,300 cells."""
    records = ccw_records()
    way = ways(records)
    bands = way.age((21, 25, 30, 40, 50, 60, 70))
    issued = {
        "status": np.array(
            [s not in ("DENIED", "WITHDRAWN", "PENDING") for s in records.categories["status"]]
        )
    }
    designs = [
        table("county_year_race", [way.county, way.year, way.race]),
        table("county_year_sex", [way.county, way.year, way.sex]),
        table("county_year_age", [way.county, way.year, bands]),
        table("county_year_status", [way.county, way.year, way.outcome]),
        table("county_year_type", [way.county, way.year, way.license_type]),
        table("region_month_kind", [way.region, way.month, way.application_kind]),
        table("county_race_sex", [way.county, way.race, way.sex]),
        table("county_race_age", [way.county, way.race, bands]),
        table("region_year_race_sex", [way.region, way.year, way.race, way.sex]),
        table("region_race_sex_age", [way.region, way.race, way.sex, bands]),
        table("county_month", [way.county, way.month]),
        table("issued_county_race_age", [way.county, way.race, bands], select=issued),
    ]
    return original_of("ccw", records, designs)


@dataclass(frozen=True)
class Magnitude:
    """A magnitude table's true cells; (cells,) the two largest contributions, and how many there are."""

    original: OriginalCells
    largest: IntArray
    second: IntArray
    contributors: IntArray

    def p_percent(self, p: int) -> NDArray[np.bool_]:
        """(cells,) what is left without the two largest is below p % of the largest: sensitive."""
        rest = self.original.values - self.largest - self.second
        return (self.original.values > 0) & (100 * rest < p * self.largest)


def magnitude_records() -> Records:
    """Sales of 2013 to 2021 by the county of the dealer."""
    records = sales_records()
    assert records.weight is not None and records.holding is not None
    later = [i for i, month in enumerate(MONTHS) if month >= "2013"]
    keep = records.codes["month"] >= later[0]
    return Records(
        categories={
            "county": records.categories["dealer_county"],
            "month": tuple(MONTHS[i] for i in later),
            "type": records.categories["type"],
        },
        codes={
            "county": records.codes["dealer_county"][keep],
            "month": records.codes["month"][keep] - np.int16(later[0]),
            "type": records.codes["type"][keep],
        },
        weight=records.weight[keep],
        holding=records.holding[keep],
    )


def magnitude() -> Magnitude:
    """Dealers' turnover: county < region < state x month < year x handgun or long gun, 2013 to 2021."""
    records = magnitude_records()
    axis = {a.name: a for a in records.axes()}
    months, types = axis["month"].categories, axis["type"].categories
    years = {m: m[:4] for m in months}
    when = tree("month", axis["month"], ("year", "month"), [years, {m: m for m in months}])
    handguns = {t: "handgun" if t in HANDGUNS else "long gun" for t in types}
    kind = tree("class", axis["type"], ("class",), [handguns])
    turnover = Unit("sum", measure="turnover", bounds=(0, PRICE_AT_MOST))
    design = table("turnover", [ways(records).county, when, kind], unit=turnover)
    space = link_tables("sales", records.axes(), [design], maximum_cells=MOST_CELLS)
    values, count = counted(space, records, records.weight), counted(space, records)
    largest, second, contributors = _largest(space, records)
    behind = Contributions(contributors, np.column_stack([largest, second]), values)
    return Magnitude(OriginalCells(space, values, count, None, behind), largest, second, contributors)


def _largest(space: CellSpace, records: Records) -> tuple[IntArray, IntArray, IntArray]:
    """(cells,) the largest and the second contribution, and the contributors; each stays in one county."""
    assert records.weight is not None and records.holding is not None
    county, month, kind = (records.codes[axis.name] for axis in space.axes)
    dealers, who = np.unique(records.holding, return_inverse=True)
    shape = (len(dealers), len(space.axes[1].categories), len(space.axes[2].categories))
    place = np.ravel_multi_index((who, month, kind), shape)
    finest = np.bincount(place, weights=records.weight, minlength=int(np.prod(shape))).reshape(shape)
    home = np.zeros(len(dealers), dtype=np.int64)
    home[who] = county
    sums = np.einsum("dmk,am,bk->dab", finest, space.sets[1], space.sets[2], optimize=True)
    out = np.zeros((3, len(space)), dtype=np.int64)
    for number, members in enumerate(space.sets[0]):
        cells = np.flatnonzero(space.cells[:, 0] == number)
        own = sums[members[home]][:, space.cells[cells, 1], space.cells[cells, 2]]
        own = np.concatenate([own, np.zeros((2, len(cells)))])
        top = np.partition(own, len(own) - 2, axis=0)[-2:]
        out[:, cells] = np.rint([top[1], top[0], (own > 0).sum(axis=0)]).astype(np.int64)
    return out[0], out[1], out[2]


def cube() -> OriginalCells:
    """Sales by county < region < state x month < year x race x age: one million published cells."""
    records = sales_records()
    way = ways(records)
    bands = way.age(AGES[:13])
    return original_of("sales", records, [table("sales", [way.county, way.month, way.race, bands])])


CASES: Mapping[str, Callable[[], OriginalCells]] = {
    "custody": custody,
    "ccw-year-race": ccw_year_race,
    "ccw": ccw,
    "linked": linked,
    "magnitude": lambda: magnitude().original,
    "cube": cube,
}


RECORDS_OF: Mapping[str, Callable[[], Records]] = {
    "custody": custody_records,
    "ccw-year-race": ccw_records,
    "ccw": ccw_records,
    "linked": ccw_records,
    "magnitude": magnitude_records,
    "cube": sales_records,
}


def original(name: str) -> OriginalCells:
    """The true cells of a case. Raises KeyError."""
    return CASES[name]()


def main(words: list[str]) -> None:
    for name in words or CASES:
        made = original(name)
        small = int(((made.values > 0) & (made.values < 11)).sum())
        zero = int((made.values == 0).sum())
        print(
            f"{name}: {len(made.space):,} cells, {small:,} small, {zero:,} zero, {made.values.max():,} in all"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
