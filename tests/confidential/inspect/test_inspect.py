"""Proposals for roles: what must not be published is found, and no value is told."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from clerestory.confidential.inspect import inspect_source, proposal_toml
from clerestory.errors import InputError
from clerestory.project import Role, SourceFile
from tests.confidential.tabulate.register import rows, store

ROLES = {
    "person": Role.SENSITIVE,
    "county": Role.QUASI_IDENTIFIER,
    "applied": Role.OPERATIONAL,
    "born": Role.OPERATIONAL,
    "status": Role.SENSITIVE,
    "race": Role.QUASI_IDENTIFIER,
    "attempt": Role.SENSITIVE,
    "fee": Role.MEASURE,
}


@pytest.mark.parametrize("backend", ["parquet", "csv", "sqlite", "duckdb"])
def test_every_backend_leads_to_the_same_roles(tmp_path: Path, backend: str) -> None:
    location, table = store(tmp_path, backend, rows(7, 250))
    proposals = inspect_source(location, table=table, root=tmp_path)
    assert {proposal.field: proposal.role for proposal in proposals} == ROLES
    assert all(proposal.reason for proposal in proposals)


def test_people_are_recognised_by_names_forms_and_uniqueness(tmp_path: Path) -> None:
    size = 60
    columns = {
        "LastName": [f"Okonkwo{n % 7}" for n in range(size)],
        "cii_number": [f"A{n:08}" for n in range(size)],
        "contact": [f"okonkwo{n}@example.org" for n in range(size)],
        "reached_at": [f"(555) 555-{n:04}" for n in range(size)],
        "column 9": [f"000-00-{n:04}" for n in range(size)],
        "date_of_birth": [f"19{n:02}-01-01" for n in range(size)],
        "zip": ["94601"] * size,
        "reference": [f"X-{n:06}" for n in range(size)],
        "story": [f"{n} " + "long text about somebody " * 5 for n in range(size)],
        "notes": [""] * size,
        "agency_name": ["Sheriff", "Police"] * (size // 2),
    }
    header = ",".join(columns)
    lines = [",".join(cells) for cells in zip(*columns.values(), strict=True)]
    (tmp_path / "permits.csv").write_text("\n".join([header, *lines]) + "\n")
    proposals = inspect_source("permits.csv", root=tmp_path)
    found = {proposal.field: (proposal.role, proposal.kind) for proposal in proposals}
    assert found == {
        "LastName": (Role.IDENTIFIER, "surname"),
        "cii_number": (Role.IDENTIFIER, "state-id"),
        "contact": (Role.IDENTIFIER, "email"),
        "reached_at": (Role.IDENTIFIER, "phone"),
        "column 9": (Role.IDENTIFIER, "ssn"),
        "date_of_birth": (Role.QUASI_IDENTIFIER, "birth-date"),
        "zip": (Role.QUASI_IDENTIFIER, "zip"),
        "reference": (Role.IDENTIFIER, "record-number"),
        "story": (Role.UNUSED, "free-text"),
        "notes": (Role.UNUSED, "free-text"),
        "agency_name": (Role.OPERATIONAL, ""),
    }
    said = proposal_toml("permits.csv", proposals)
    source = SourceFile.model_validate(tomllib.loads(said))
    assert source.person == ("cii_number",) and source.location == "permits.csv"
    assert {name: field.role for name, field in source.fields.items()} == {p.field: p.role for p in proposals}
    everything = said + json.dumps([proposal.said() for proposal in proposals])
    for value in ("Okonkwo", "example.org", "94601", "Sheriff", "555", "X-0"):
        assert value not in everything


def test_a_password_is_left_out(tmp_path: Path) -> None:
    assert "secret" not in proposal_toml("postgresql://clerk:secret@host/db", [], table="ccw")


def test_a_missing_source(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        inspect_source("none.csv", root=tmp_path)


def test_the_folder_in_which_one_inspects_gets_nothing_new(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("county\nalder\n")
    inspect_source("a.csv", root=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
