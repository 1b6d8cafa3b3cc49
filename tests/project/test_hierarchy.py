from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.project import Project
from tests.project.conftest import Broken
from tests.project.good import edited, line_of

LOOKUP = "lookups/places.csv"


def test_a_lookup_says_what_is_inside_what(good: Project) -> None:
    places = good.hierarchies["places"]
    assert places.levels == ("region", "county")
    assert places.codes == {
        "alder": ("north", "alder"),
        "birch": ("north", "birch"),
        "cedar": ("south", "cedar"),
    }
    assert places.labels["county"]["alder"] == {"en": "Alder County", "es": "Condado de Alder"}
    assert places.labels["region"]["south"] == {"en": "The South"}
    assert places.titles == {"region": {"en": "Region"}, "county": {"en": "County"}}


@pytest.mark.parametrize(
    ("text", "line", "what", "fix"),
    [
        ("county,region\na,n\nb,n\na,n\n", 4, "the county 'a' stands twice", "one row"),
        ("county,region\na,n\n,n\n", 3, "an empty code in column 'county'", "fill"),
        ("county,region\na,\n", 2, "an empty code in column 'region'", "fill"),
        ("county,region\na,n\nb,all\n", 3, "the code 'all' is reserved", "added for you"),
        ("county,region\na,n\nb,a\n", 3, "'a' is a county and a region", "unique over all levels"),
        ("conty,region\na,n\n", 1, "there is no column 'county'", "did you mean 'conty'?"),
        ("county,region,county.sp\na,n,x\n", 1, "unknown label column 'county.sp'", "'county.es'"),
        ("county,region,region\na,n,n\n", 1, "two columns are called 'region'", "once"),
        ("county,region\na,n,x\n", 2, "3 cells; the header has 2 columns", "commas"),
        ('county,region\na,"n\n', 2, "not valid CSV", "quotes"),
        ("county,region\n", 1, "the lookup has no rows", "write a row"),
        ("", 1, "the lookup is empty", "county,region"),
        ("county,region,region.en\na,n,N\nb,n,M\n", 3, "two labels in column region.en", "same label"),
    ],
)
def test_a_fault_in_a_lookup_has_its_line(broken: Broken, text: str, line: int, what: str, fix: str) -> None:
    found = [one for one in broken({LOOKUP: text}) if one.where == f"{LOOKUP}:{line}"]
    assert any(what in one.what and fix in one.fix for one in found), found


def test_a_code_in_two_parents_is_named_with_both(broken: Broken) -> None:
    text = """town,county,region
x,alder,north
y,alder,south
"""
    settings = edited("clerestory.toml", '["county", "region"]', '["town", "county", "region"]')
    found = broken({LOOKUP: text, **settings})
    assert (found[0].where, found[0].what) == (
        f"{LOOKUP}:3",
        "the county 'alder' is in two parents, 'north' and 'south'",
    )


def test_bad_bytes_in_a_lookup_have_their_line(broken: Broken, tmp_path: Path) -> None:
    (tmp_path / "lookups").mkdir()
    (tmp_path / LOOKUP).write_bytes(b"county,region\nalder,north\nb\xff,north\n")
    found = broken({LOOKUP: None})
    assert (found[0].where, found[0].what) == (f"{LOOKUP}:3", "not UTF-8 text")


@pytest.mark.parametrize(
    ("file", "what", "fix"),
    [
        ("lookups/place.csv", "there is no file 'lookups/place.csv'", "did you mean 'lookups/places.csv'?"),
        ("../places.csv", "is outside the project", "copy it to lookups/"),
        ("/etc/passwd", "is outside the project", "copy it to lookups/"),
        ("records/places.csv", "a lookup is published", "move it to lookups/"),
    ],
)
def test_a_lookup_is_inside_the_project(broken: Broken, file: str, what: str, fix: str) -> None:
    changed = edited("clerestory.toml", "lookups/places.csv", file)
    found = broken(changed)
    line = line_of("clerestory.toml", "file   =")
    assert found[0].where == f"clerestory.toml:{line}, hierarchies.places.file"
    assert what in found[0].what
    assert fix in found[0].fix


def test_a_link_out_of_the_project_is_no_lookup(broken: Broken, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text("county,region\na,n\n", encoding="utf-8")
    (tmp_path / "lookups").mkdir()
    (tmp_path / LOOKUP).symlink_to(outside)
    assert "is outside the project" in broken({LOOKUP: None})[0].what
