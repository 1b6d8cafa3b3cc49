"""The public reference data that ships with the package, read once. PROVENANCE.md names every source."""

from __future__ import annotations

import csv
import gzip
import io
import json
from functools import cache
from importlib.resources import files

import numpy as np

from clerestory.templates.generator.draws import Floats, Ints

AGE_BANDS = (
    "20-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-54", "55-59", "60-64", "65-69", "70-74",
    "75-79", "80-84",
)  # fmt: skip
RACE_GROUPS = (
    "White (non-Hispanic)",
    "Hispanic (any race)",
    "Black (non-Hispanic)",
    "American Indian/Alaska Native (non-Hispanic)",
    "Asian (non-Hispanic)",
    "Native Hawaiian/Pacific Islander (non-Hispanic)",
    "Two or more races (non-Hispanic)",
)
DECADES = tuple(range(1930, 2010, 10))


def packed(name: str) -> bytes:
    """The bytes of one shipped file, as it is."""
    return files("clerestory.templates.data").joinpath(name).read_bytes()


def content(name: str) -> bytes:
    """The bytes of one shipped file, unpacked."""
    raw = packed(name)
    return gzip.decompress(raw) if name.endswith(".gz") else raw


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(name).decode("utf-8"), newline="")))


@cache
def counties() -> tuple[str, ...]:
    """The 58 county names, in FIPS order."""
    return tuple(row["county"] for row in _rows("ca_counties.csv"))


@cache
def regions() -> Ints:
    """(58,) number of the census region of each county."""
    names = [row["region"] for row in _rows("ca_counties.csv")]
    order = sorted(set(names))
    return np.asarray([order.index(name) for name in names])


@cache
def county_weights(column: str) -> Floats:
    """(58,) one column of the county weights: a share, or a number of licences."""
    found = {row["county"]: float(row[column]) for row in _rows("county_weights.csv")}
    return np.asarray([found[name] for name in counties()])


@cache
def dros_annual() -> Ints:
    """(10,) DROS transactions of each year, 2012 to 2021."""
    return np.asarray([int(row["transactions"]) for row in _rows("dros_annual.csv")])


@cache
def dros_handgun_share() -> Floats:
    """(10,) share of handguns of each year, 0 to 1."""
    return np.asarray([float(row["handgun_share_from_nics"]) for row in _rows("dros_annual.csv")])


@cache
def dros_month_share() -> Floats:
    """(10, 12) share of a year's transactions in each month."""
    return np.asarray([float(row["share_of_year"]) for row in _rows("dros_month_share.csv")]).reshape(10, 12)


@cache
def adults_by_age() -> Floats:
    """(58, bands) residents in each of AGE_BANDS, 2019."""
    return _by_county("county_age_2019.csv.gz", "age_band", AGE_BANDS)


@cache
def residents_by_race() -> Floats:
    """(58, groups) residents in each of RACE_GROUPS, 2019."""
    return _by_county("county_race_2019.csv.gz", "race_ethnicity", RACE_GROUPS)


def _by_county(name: str, column: str, values: tuple[str, ...]) -> Floats:
    found = {(row["county"], row[column]): float(row["population"]) for row in _rows(name)}
    return np.asarray([[found[county, value] for value in values] for county in counties()])


@cache
def places() -> tuple[tuple[str, ...], tuple[str, ...], Ints, Floats]:
    """ZIP, city, county number and population of each ZIP tabulation area, in order of county."""
    rows = sorted(_rows("places.csv.gz"), key=lambda row: (counties().index(row["county"]), row["zip"]))
    return (
        tuple(row["zip"] for row in rows),
        tuple(row["city"].upper() for row in rows),
        np.asarray([counties().index(row["county"]) for row in rows]),
        # a ZIP area with nobody counted in it still gets a rare address
        np.asarray([max(float(row["population"]), 1.0) for row in rows]),
    )


@cache
def surnames() -> tuple[tuple[str, ...], Floats]:
    """Surnames, and (surnames, 6) bearers by white, Black, Asian or Pacific, Indian, multiple, Hispanic."""
    rows = _rows("surnames_census_2010.csv.gz")
    columns = ("p_white", "p_black", "p_api", "p_aian", "p_multi", "p_hispanic")
    counts = np.asarray([float(row["count"]) for row in rows])
    shares = np.asarray([[float(row[column] or 0) for column in columns] for row in rows])
    return tuple(row["surname"] for row in rows), counts[:, None] * shares


@cache
def first_names() -> dict[tuple[int, str], tuple[tuple[str, ...], Floats]]:
    """For each decade of birth and sex (M, F): first names in capitals, and births."""
    grouped: dict[tuple[int, str], list[tuple[str, float]]] = {}
    for row in _rows("first_names_ssa_by_decade.csv.gz"):
        key = (int(row["decade"]), row["sex"])
        grouped.setdefault(key, []).append((row["first_name"].upper(), float(row["births"])))
    return {
        key: (tuple(name for name, _ in rows), np.asarray([births for _, births in rows]))
        for key, rows in grouped.items()
    }


@cache
def agencies() -> tuple[tuple[str, int, bool], ...]:
    """Name, county number and whether it is the sheriff, of every agency that may issue a carry licence."""
    return tuple(
        (row["agency_name"], counties().index(row["county"]), row["agency_type"] == "Sheriff")
        for row in _rows("ccw_issuing_agencies.csv")
    )


@cache
def street_names() -> tuple[str, ...]:
    """Invented street names: direction, stem and suffix, in capitals."""
    parts = json.loads(content("street_parts.json"))
    return tuple(
        " ".join(word for word in (direction, stem, suffix) if word).upper()
        for direction in parts["directions"]
        for stem in parts["stems"]
        for suffix in parts["suffixes"]
    )
