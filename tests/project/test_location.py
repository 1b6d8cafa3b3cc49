from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.errors import InputError
from clerestory.project.location import Kind, has_password, location_of, source_kind


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("records/ccw.parquet", "parquet"),
        ("records/part-*.parquet", "parquet"),
        ("records/ccw.csv", "csv"),
        ("records/ccw.CSV.gz", "csv"),
        ("/data/a.b/x.sqlite", "sqlite"),
        ("x.duckdb", "duckdb"),
        ("duckdb://records/x.db", "duckdb"),
        ("sqlite:///data/x", "sqlite"),
        ("postgresql://host/db", "postgresql"),
    ],
)
def test_the_kind_is_told_from_the_text(location: str, kind: Kind) -> None:
    assert source_kind(location) == kind


def test_relative_places_are_in_the_project() -> None:
    assert location_of(Path("/p"), "records/x.csv").address == "/p/records/x.csv"
    assert location_of(Path("/p"), "/data/x.csv").address == "/data/x.csv"
    assert location_of(Path("/p"), "sqlite://records/x").address == "/p/records/x"
    assert location_of(Path("/p"), "sqlite:///data/x").address == "/data/x"
    assert location_of(Path("/p"), "postgresql://host/db").address == "postgresql://host/db"


@pytest.mark.parametrize(
    "location", ["records/x.xlsx", "records/x", "", "spark://host", "s3://bucket/x.parquet"]
)
def test_other_kinds_are_refused(location: str) -> None:
    with pytest.raises(InputError):
        source_kind(location)


def test_a_password_is_seen() -> None:
    assert has_password("postgresql://me:secret@host/db")
    assert has_password("postgresql://host/db?user=me&password=x")
    assert not has_password("postgresql://me@host:5432/db")
