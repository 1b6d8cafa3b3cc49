from __future__ import annotations

import pytest

from clerestory.project import Project
from tests.project.conftest import Broken
from tests.project.good import edited, line_of

FILE = "sources/permits.toml"


def test_every_field_has_a_role(good: Project) -> None:
    assert good.sources["permits"].said.fields["notes"].role == "unused"


@pytest.mark.parametrize(
    ("old", "new", "key", "what", "fix"),
    [
        (
            '"identifier", kind',
            '"identifer", kind',
            "fields.state_id.role",
            "unknown role 'identifer'",
            "did you mean 'identifier'?",
        ),
        ('{ role = "unused" }', "{ }", "fields.notes.role", "the field 'notes' has no role", "role ="),
        (
            '{ role = "unused" }',
            '{ role = "unused", knd = "x" }',
            "fields.notes.knd",
            "unknown key 'knd'",
            "did you mean 'kind'?",
        ),
        ("location =", "locaton =", "locaton", "unknown key 'locaton'", "did you mean 'location'?"),
        ('"Permits"', "3", "title", "title must be a table of keys", ""),
        ('"Permits"', '{ es = "Permisos" }', "title", "at least English", ""),
        ('"Permits"', '{ en = "Permits", sp = "x" }', "title", "no language 'sp'", ""),
        ('["state_id"]', '["state_ID"]', "person[0]", "no field 'state_ID'", "did you mean 'state_id'?"),
        ('["state_id"]', '["fee"]', "person[0]", "its role is 'measure'", "identifier"),
        ('["state_id"]', '"state_id"', "person", "person must be a list", "["),
        ("bounds = [0, 200]", "bounds = [200, 0]", "fields.fee.bounds", "above the greatest", ""),
        (
            '{ role = "unused" }',
            '{ role = "unused", bounds = [0, 1] }',
            "fields.notes.bounds",
            "not a measure",
            "measure",
        ),
        (
            '{ role = "unused" }',
            '{ role = "unused", categories = { a = "A" } }',
            "fields.notes.categories",
            "whose role is 'unused'",
            "",
        ),
        ("denied =", "all =", "fields.decision.categories.all", "'all' is reserved", ""),
        ("records/permits.csv", "records/permits.xlsx", "location", "kind cannot be told", ".parquet"),
        (
            "records/permits.csv",
            "postgres1://host/db",
            "location",
            "unknown kind of database",
            "did you mean 'postgres'?",
        ),
        ("records/permits.csv", "postgresql://host/db", "table", "needs the name of a table", "table ="),
        (
            "records/permits.csv",
            "postgresql://me:hunter2@host/db",
            "location",
            "a password in a project file",
            "PGPASSWORD",
        ),
        ("records/permits.csv", "releases/permits.csv", "location", "cannot stand in releases/", "records/"),
    ],
)
def test_a_fault_in_a_source_has_its_line_and_key(
    broken: Broken, old: str, new: str, key: str, what: str, fix: str
) -> None:
    changed = edited(FILE, old, new)
    found = [one for one in broken(changed) if what in one.what]
    line = line_of(FILE, new, changed) if key != "table" else 1
    assert [one.where for one in found] == [f"{FILE}:{line}, {key}"]
    assert fix in found[0].fix
    assert "hunter2" not in str(found[0])


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        ('["state_id"]', '["state_id", "state_id"]', "person", "a field stands twice"),
        ('"operational" }', '"operational", unit = "USD" }', "fields.applied.unit", "a unit on 'applied'"),
        ('"operational" }', '"operational", categories = {} }', "fields.applied.categories", "no categories"),
        ("unit     =", 'table = "x"\nunit     =', "table", "a csv file has no tables"),
        ('"state-id"', "3", "fields.state_id.kind", "kind must be a text"),
        ("bounds = [0, 200]", "bounds = [0, 0.5]", "fields.fee.bounds[1]", "integer"),
    ],
)
def test_a_key_fits_what_it_stands_on(broken: Broken, old: str, new: str, key: str, what: str) -> None:
    found = [one for one in broken(edited(FILE, old, new)) if what in one.what]
    assert [one.where.partition(", ")[2] for one in found] == [key]


def test_a_public_source_is_not_about_persons(broken: Broken) -> None:
    found = broken(edited(FILE, "person ", "public = true\nperson "))
    assert [one.where for one in found[:2]] == [f"{FILE}:5, person", f"{FILE}:8, fields.state_id.role"]
    assert "cannot be about persons" in found[0].what
    assert "cannot hold the identifier 'state_id'" in found[1].what


def test_a_source_is_named_like_an_address(broken: Broken) -> None:
    found = broken({"sources/My Source.toml": 'title = "x"\nlocation = "x.csv"\nunit = "x"\n[fields]\n'})
    assert (found[0].where, found[0].what) == ("sources/My Source.toml", "'My Source' is not a source's name")
