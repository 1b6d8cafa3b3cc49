"""The demonstration as `clerestory demo` makes it: nobody in the records is in a published byte."""

from __future__ import annotations

import datetime
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.flow.demo import built_demo

TOKEN = re.compile(rb"[A-Za-z0-9][A-Za-z0-9\-]{4,}")
ISO = re.compile(rb"(?<!\d)(19\d\d|20[01]\d)-(\d\d)-(\d\d)(?!\d)")
AMERICAN = re.compile(rb"(?<!\d)(\d\d?)/(\d\d?)/(19\d\d|20[01]\d)(?!\d)")
WORD = re.compile(rb"[A-Za-z][A-Za-z'\-]+")

NUMBERS = {
    "ccw.parquet": ["cii_number", "ccw_license_number", "driver_license_number", "application_id"],
    "fsc.parquet": ["fsc_number", "driver_license_number"],
    "awr.parquet": ["registration_number", "registrant_id_number", "serial_number"],
    "dros/dros_2016.parquet": ["dros_number", "buyer_id_number", "serial_number"],
}
"""Fields that are a number of one person or thing; every value of them is looked for."""


@pytest.fixture(scope="module")
def demo() -> Path:
    return built_demo()[0]


def published(demo: Path) -> Iterator[tuple[str, bytes]]:
    current = (demo / "releases" / "staged").resolve()
    for path in sorted(current.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(current)), path.read_bytes()


def test_no_published_byte_holds_a_permit_number_or_a_state_id(demo: Path) -> None:
    secrets: set[bytes] = set()
    for file, fields in NUMBERS.items():
        for field in fields:
            column = pq.read_table(demo / "records" / file, columns=[field]).column(field)
            secrets.update(value.encode() for value in set(column.to_pylist()) if value)
    with sqlite3.connect(demo / "records" / "gvro.sqlite") as gvro:
        for field in ("cii_number", "court_case_number", "order_id"):
            secrets.update(str(row[0]).encode() for row in gvro.execute(f"SELECT {field} FROM gvro"))
    assert len(secrets) > 500_000

    for name, content in published(demo):
        found = secrets.intersection(TOKEN.findall(content))
        assert not found, f"{len(found)} numbers of people in {name}"


def _people(demo: Path) -> dict[datetime.date, set[bytes]]:
    people: dict[datetime.date, set[bytes]] = defaultdict(set)
    for file, prefix in (("ccw.parquet", ""), ("awr.parquet", "registrant_"), ("fsc.parquet", "")):
        rows = pq.read_table(
            demo / "records" / file, columns=[f"{prefix}date_of_birth", f"{prefix}last_name"]
        )
        for born, name in zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True):
            if born and name:
                people[born].add(name.lower().encode())
    return people


def test_no_published_file_holds_a_name_with_its_birth_date(demo: Path) -> None:
    people = _people(demo)
    assert sum(map(len, people.values())) > 100_000

    for name, content in published(demo):
        dates = {(int(y), int(m), int(d)) for y, m, d in ISO.findall(content)}
        dates |= {(int(y), int(m), int(d)) for m, d, y in AMERICAN.findall(content)}
        words = None
        for year, month, day in dates:
            try:
                born = datetime.date(year, month, day)
            except ValueError:
                continue
            if born in people:
                words = words or {word.lower() for word in WORD.findall(content)}
                assert not people[born] & words, f"a name with its birth date in {name}"


def test_the_demo_says_what_was_published_and_hidden(demo: Path) -> None:
    said = built_demo()[1]

    assert said["cells"]["published"] > 5_000
    assert said["cells"]["hidden"]["primary"] > 0
    assert said["cells"]["hidden"]["secondary"] > 0
    assert said["cells"]["under_protected"] == 0
    assert set(said["sources"]) == {"ccw", "fsc", "dros", "awr", "gvro", "roster", "custody"}


def test_every_page_with_made_up_people_says_so(demo: Path) -> None:
    for name, content in published(demo):
        if name.endswith(".html") and "/firearms/" in name:
            word = "sintétic".encode() if "/es/" in name else b"ynthetic"
            assert word in content, name


def test_deaths_in_custody_are_published_as_counts_only(demo: Path) -> None:
    record_keys = re.compile(rb"(?<!\d)20(0[5-9]|1[0-8])\d{3}(?!\d)")
    table = dict(published(demo))["site/data/custody.csv"]

    assert not record_keys.search(table.replace(b",", b" "))


def test_a_county_s_key_figures_are_the_county_s(demo: Path) -> None:
    pages = dict(published(demo))
    tile = b'<div class="tile">'
    whole, county = (pages[f"site/firearms/awr/{path}index.html"] for path in ("", "county/alpine/"))

    assert whole.count(tile) == 2
    assert county.count(tile) == 1
