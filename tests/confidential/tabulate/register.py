"""A small register of applications: records, a project around them, and the same records in every backend."""

from __future__ import annotations

import csv
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from textwrap import dedent

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from clerestory.project import Project, load
from tests.confidential.conftest import Server

COUNTIES = {"alder": "north", "birch": "north", "cedar": "south", "dogwood": "south", "elm": "coast"}
STATUSES = ("issued", "denied", "pending")
RACES = ("W", "B", "H")

BACKENDS = ("parquet", "csv", "sqlite", "duckdb", "postgresql", "postgresql, all text")


@dataclass(frozen=True)
class Row:
    """One application."""

    person: str | None
    county: str | None
    applied: date
    born: date | None
    status: str
    race: str | None
    attempt: int
    fee: int


COLUMNS = ("person", "county", "applied", "born", "status", "race", "attempt", "fee")

SETTINGS = """
[publisher]
name = "Bureau"
email = "bureau@example.org"
[site]
title = "Site"
description = "Site"
languages = ["en", "es"]
[hierarchies.california]
file = "lookups/counties.csv"
levels = ["county", "region"]
total = { en = "California", es = "California" }
"""

SOURCE = """
title = "Applications"
location = "LOCATION"
TABLE
unit = "application"
person = ["person"]
[fields]
person = { role = "identifier" }
county = { role = "quasi-identifier" }
applied = { role = "operational" }
born = { role = "quasi-identifier" }
status = { role = "sensitive", categories = { issued = "Issued", denied = "Denied", pending = "Pending" } }
race = { role = "quasi-identifier", categories = { W = "White", B = "Black", H = "Hispanic" } }
attempt = { role = "operational" }
fee = { role = "measure", unit = "cents", bounds = [-50, 100000] }
"""

TABLES = """
[by_place]
source = "applications"
title = "By place"
count = "application"
[by_place.dimensions]
county = { hierarchy = "california" }
year = { from = "applied", by = "year", first = "2019", last = "2021" }
race = {}
[by_place.publish]
margins = [["county", "year"], ["county", "race"], ["year", "race"]]

[by_age]
source = "applications"
title = "By age"
count = "application"
where = "status in ['issued', 'pending'] and year >= 2020 and attempt < 3"
[by_age.dimensions]
year = { from = "applied", by = "year", first = "2019", last = "2021" }
age = { from = "born", at = "applied", bands = [21, 25, 65] }
month = { from = "applied", by = "month-of-year" }
[by_age.publish]
margins = [["year", "age"], ["month"]]

[fees]
source = "applications"
title = "Fees"
sum = "fee"
where = "applied != 2020-02-29 and race is not missing"
[fees.dimensions]
county = { hierarchy = "california", finest = "region" }
attempt = { top = 3 }
quarter = { from = "applied", by = "quarter", first = "2019-Q1", last = "2021-Q4" }
[fees.publish]
margins = [["county", "attempt"], ["quarter"]]

[people]
source = "applications"
title = "People"
count = "person"
by = "applied"
[people.dimensions]
county = { hierarchy = "california", spread = "latest" }
race = { spread = "latest" }
[people.publish]
margins = [["county", "race"]]

[first_people]
source = "applications"
title = "People at their first issued application"
count = "person"
by = "applied"
where = "status = 'issued'"
[first_people.dimensions]
county = { hierarchy = "california", spread = "first" }
year = { from = "applied", by = "year", first = "2019", last = "2021", spread = "first" }
[first_people.publish]
margins = [["county", "year"]]

[places_of_people]
source = "applications"
title = "People in each county"
count = "person"
by = "applied"
[places_of_people.dimensions]
county = { hierarchy = "california", spread = "overlapping" }
outcome = { from = "status", spread = "latest" }
[places_of_people.publish]
margins = [["county", "outcome"]]
"""


def rows(seed: int, size: int) -> list[Row]:
    """Applications of a few people each, some without an identifier, a county or a race."""
    rng = random.Random(seed)
    people = [f"p{number:03}" for number in range(max(1, size // 3))]
    start = date(2019, 1, 1)
    found = []
    for _ in range(size):
        born = date(1940, 1, 1) + timedelta(days=rng.randrange(25_000)) if rng.random() > 0.05 else None
        found.append(
            Row(
                person=rng.choice(people) if rng.random() > 0.05 else None,
                county=rng.choice(list(COUNTIES)) if rng.random() > 0.05 else None,
                applied=start + timedelta(days=rng.randrange(365 * 3)),
                born=born,
                status=rng.choice(STATUSES),
                race=rng.choice(RACES) if rng.random() > 0.1 else None,
                attempt=rng.randrange(6),
                fee=rng.randrange(-50, 100_000),
            )
        )
    return found


def make_project(
    root: Path, location: str, *, table: str = "", tables: str = TABLES, source: str = SOURCE
) -> Project:
    """A project folder around a location, loaded."""
    for folder in ("lookups", "sources", "tables", "dashboards", "records"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "clerestory.toml").write_text(dedent(SETTINGS))
    lookup = "county,region\n" + "".join(f"{county},{region}\n" for county, region in COUNTIES.items())
    (root / "lookups/counties.csv").write_text(lookup)
    said = source.replace("LOCATION", location).replace("TABLE", f'table = "{table}"' if table else "")
    (root / "sources/applications.toml").write_text(said)
    (root / "tables/applications.toml").write_text(tables)
    return load(root)


def store(root: Path, backend: str, records: Sequence[Row], server: Server | None = None) -> tuple[str, str]:
    """Writes the records to a backend; its location and table."""
    folder = root / "records"
    folder.mkdir(parents=True, exist_ok=True)
    columns = {name: [getattr(row, name) for row in records] for name in COLUMNS}
    arrow = pa.table(columns, schema=_SCHEMA)
    if backend == "parquet":
        half = len(records) // 2
        pq.write_table(arrow.slice(0, half), folder / "a_1.parquet")
        pq.write_table(arrow.slice(half), folder / "a_2.parquet")
        return "records/a_*.parquet", ""
    if backend == "csv":
        with (folder / "a.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows([["" if cell is None else cell for cell in row] for row in _cells(records)])
        return "records/a.csv", ""
    if backend == "sqlite":
        con = sqlite3.connect(folder / "a.sqlite")
        con.execute(
            "CREATE TABLE a (person TEXT, county TEXT, applied DATE, born DATE, status TEXT, race TEXT, "
            "attempt INTEGER, fee INTEGER)"
        )
        texts = [
            [cell.isoformat() if isinstance(cell, date) else cell for cell in row] for row in _cells(records)
        ]
        con.executemany("INSERT INTO a VALUES (?, ?, ?, ?, ?, ?, ?, ?)", texts)
        con.commit()
        con.close()
        return "records/a.sqlite", "a"
    if backend == "duckdb":
        with duckdb.connect(str(folder / "a.duckdb")) as con:
            con.register("arrow", arrow)
            con.execute("CREATE TABLE a AS SELECT * FROM arrow")
        return "records/a.duckdb", "a"
    assert server is not None
    import psycopg

    from tests.confidential.conftest import PASSWORD

    with psycopg.connect(server.url("postgres"), password=PASSWORD, autocommit=True) as con:
        con.execute("DROP TABLE IF EXISTS a")
        types = ("text", "text", "date", "date", "text", "char(1)", "smallint", "numeric(12, 2)")
        if backend.endswith("text"):
            types = ("text",) * 8
        columns_said = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, types, strict=True))
        con.execute(f"CREATE TABLE a ({columns_said})")
        with con.cursor() as cursor:
            cursor.executemany("INSERT INTO a VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", _cells(records))
    return server.url("postgres"), "a"


_SCHEMA = pa.schema(
    [
        ("person", pa.string()),
        ("county", pa.string()),
        ("applied", pa.date32()),
        ("born", pa.date32()),
        ("status", pa.string()),
        ("race", pa.string()),
        ("attempt", pa.int8()),
        ("fee", pa.int64()),
    ]
)


def _cells(records: Sequence[Row]) -> list[list[object]]:
    return [[getattr(row, name) for name in COLUMNS] for row in records]
