"""The packaged projects and the example load, agree with the records they are for, in two languages."""

from __future__ import annotations

import csv
import gzip
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from clerestory.project.codes import declare
from clerestory.project.load import load
from clerestory.project.models import Role
from clerestory.project.project import Page, Project
from clerestory.tables import margin_closure
from clerestory.templates.generator import write_records
from clerestory.templates.generator.firearms import CLASSES, TYPES, catalogue
from clerestory.templates.generator.licences import KINDS, STATUSES
from clerestory.templates.generator.reference import counties

TEMPLATES = Path(str(files("clerestory.templates")))
EXAMPLE = Path(__file__).parents[2] / "examples" / "custody"
MOST_CELLS = 5_000
"""Cells of one source in the demonstration, so that auditing them stays quick."""

Values = Mapping[str, set[str | None]]


@pytest.fixture(scope="module")
def openjustice() -> Project:
    return load(TEMPLATES / "openjustice")


@pytest.fixture(scope="module")
def custody() -> Project:
    return load(EXAMPLE)


@pytest.fixture(scope="module")
def blank() -> Project:
    return load(TEMPLATES / "blank")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "records"
    write_records(folder, seed=4, scale=0.003, ccw_people=4_000)
    return folder


def values_of(project: Project, records: Path, source: str) -> Values:
    """Column -> its distinct values as text, of all the files of a source."""
    location = records / project.sources[source].said.location.removeprefix("records/")
    found: dict[str, set[str | None]] = {}
    if location.suffix == ".sqlite":
        with closing(sqlite3.connect(location)) as database:
            rows = database.execute(f'SELECT * FROM "{project.sources[source].said.table}"')
            names = [column[0] for column in rows.description]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    found.setdefault(name, set()).add(None if value is None else str(value))
    elif location.suffix in (".csv", ".gz"):
        opened = gzip.open if location.suffix == ".gz" else open
        with opened(location, mode="rt", encoding="utf-8-sig", newline="") as file:
            for line in csv.DictReader(file):
                for name, value in line.items():
                    found.setdefault(name, set()).add(value or None)
    else:
        for file in location.parent.glob(location.name):
            table = pq.read_table(file)
            for name in table.column_names:
                some = pc.unique(table.column(name)).to_pylist()
                found.setdefault(name, set()).update(None if one is None else str(one) for one in some)
    return found


def words_in(said: object, where: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every text of a project file: a mapping that holds English."""
    if isinstance(said, BaseModel):
        for name in type(said).model_fields:
            yield from words_in(getattr(said, name), f"{where}.{name}")
    elif isinstance(said, Mapping) and isinstance(said.get("en"), str):
        yield where, said
    elif isinstance(said, Mapping):
        for name, value in said.items():
            yield from words_in(value, f"{where}.{name}")
    elif isinstance(said, (list, tuple)):
        for place, value in enumerate(said):
            yield from words_in(value, f"{where}.{place}")


def by_language(project: Project) -> tuple[dict[str, Page], dict[str, Page]]:
    """English and Spanish pages by path."""
    pages = {
        language: {p.path: p for p in project.pages if p.language == language} for language in ("en", "es")
    }
    return pages["en"], pages["es"]


def charts(page: Page) -> list[tuple[str, Any]]:
    return [(chart.said.id, chart.said.model_dump()) for chart in page.charts()]


# Loading


def test_the_demonstration_has_the_six_firearms_subjects_and_deaths_in_custody(openjustice: Project) -> None:
    assert set(openjustice.sources) == {"ccw", "fsc", "dros", "awr", "gvro", "roster", "custody"}
    assert {page.path for page in openjustice.pages} == {
        "",
        "firearms",
        *(f"firearms/{name}" for name in ("ccw", "fsc", "dros", "awr", "gvro", "roster")),
        "deaths-in-custody",
    }


def test_no_project_loads_with_a_warning(openjustice: Project, custody: Project, blank: Project) -> None:
    assert (*openjustice.warnings, *custody.warnings, *blank.warnings) == ()


def test_the_example_is_the_demonstration_s_custody_part() -> None:
    whole = TEMPLATES / "openjustice"
    for kind in ("sources", "tables", "lookups"):
        for file in (EXAMPLE / kind).iterdir():
            assert file.read_bytes() == (whole / kind / file.name).read_bytes(), file.name


# Roles


@pytest.mark.parametrize("source", ["ccw", "fsc", "dros", "awr", "gvro", "roster", "custody"])
def test_every_column_of_the_records_has_a_role(openjustice: Project, records: Path, source: str) -> None:
    assert set(values_of(openjustice, records, source)) == set(openjustice.sources[source].said.fields)


def test_whatever_names_or_numbers_a_person_is_an_identifier(openjustice: Project) -> None:
    telling = ("_name", "_street", "_license_number", "cii_number", "id_number", "serial_number")
    for source in ("ccw", "fsc", "dros", "awr", "gvro"):
        for name, field in openjustice.sources[source].said.fields.items():
            if name.endswith(telling):
                assert field.role is Role.IDENTIFIER, f"{source}.{name}"


def test_the_free_text_of_carry_licences_is_never_read(openjustice: Project) -> None:
    assert openjustice.sources["ccw"].said.fields["good_cause_text"].role is Role.UNUSED


def test_only_the_roster_is_public(openjustice: Project) -> None:
    assert [source.name for source in openjustice.sources.values() if source.said.public] == ["roster"]


# Values


@pytest.mark.parametrize("source", ["ccw", "fsc", "dros", "awr", "gvro", "roster", "custody"])
def test_declared_categories_hold_every_value(openjustice: Project, records: Path, source: str) -> None:
    values = values_of(openjustice, records, source)
    for name, field in openjustice.sources[source].said.fields.items():
        if field.categories is not None:
            assert values[name] <= set(field.categories), name


@pytest.mark.parametrize("table", ["ccw", "fsc", "dros", "awr", "gvro", "custody"])
def test_lookups_hold_every_value_and_missing_ones_are_named(
    openjustice: Project, records: Path, table: str
) -> None:
    said = openjustice.tables[table].said
    values = values_of(openjustice, records, said.source)
    for name, dimension in said.dimensions.items():
        if dimension.hierarchy is None:
            continue
        found = values[dimension.from_ or name]
        assert found - {None} <= set(openjustice.hierarchies[dimension.hierarchy].codes), name
        assert None not in found or dimension.missing is not None, name


def test_lookups_hold_what_the_generator_may_write(openjustice: Project) -> None:
    lookups = {name: set(hierarchy.codes) for name, hierarchy in openjustice.hierarchies.items()}
    assert lookups["manufacturer"] == set(catalogue().makers)
    assert lookups["ccw_status"] == set(STATUSES)
    assert lookups["california"] == set(counties())
    assert lookups["race"] == set("WHBIACDFGJKLPSUVZOX")
    assert lookups["sex"] == set("MFXU")
    fields = {name: source.said.fields for name, source in openjustice.sources.items()}
    assert set(fields["ccw"]["application_kind"].categories or ()) == set(KINDS)
    assert set(fields["dros"]["firearm_class"].categories or ()) == set(CLASSES)
    assert set(fields["dros"]["firearm_type"].categories or ()) == set(TYPES)


def test_the_named_manufacturers_are_few_and_the_long_tail_is_one(openjustice: Project) -> None:
    makers = [path[0] for path in openjustice.hierarchies["manufacturer"].codes.values()]
    assert len(set(makers)) == 13
    assert makers.count("other") == len(makers) - 12


def test_races_are_published_in_seven_groups_in_both_lookups(openjustice: Project) -> None:
    groups = [dict(openjustice.hierarchies[name].labels["group"]) for name in ("race", "custody_race")]
    assert groups[0] == groups[1]
    assert len(groups[0]) == 7


# Size


def test_no_source_asks_for_more_cells_than_an_audit_can_afford(openjustice: Project) -> None:
    cells = dict.fromkeys(openjustice.sources, 0)
    for table in openjustice.tables.values():
        sizes = {
            name: 1 + len(declare(openjustice, table, name).every_code()) + (dimension.missing is not None)
            for name, dimension in table.said.dimensions.items()
        }
        for margin in margin_closure(table.said.publish.margins):
            cells[table.said.source] += math.prod(sizes[name] for name in margin)
    # totals that several margins share are counted each time, so this is a little more than there are
    assert {name: count for name, count in cells.items() if count > MOST_CELLS * 1.1} == {}


def test_months_stand_beside_no_county(openjustice: Project) -> None:
    for table in openjustice.tables.values():
        for margin in table.said.publish.margins:
            assert not {"month", "county"} <= set(margin)


# Languages


@pytest.mark.parametrize("name", ["openjustice", "custody"])
def test_every_text_has_spanish(name: str, request: pytest.FixtureRequest) -> None:
    project: Project = request.getfixturevalue(name)
    parts: list[tuple[str, object]] = [("clerestory.toml", project.said)]
    parts += [(f"sources/{source.name}", source.said) for source in project.sources.values()]
    parts += [(f"tables/{table.name}", table.said) for table in project.tables.values()]
    parts += [(f"{page.path}: {c.said.id}", c.said) for page in project.pages for c in page.charts()]
    parts += [(f"{page.path}: {r.said.id}", r.said) for page in project.pages for r in page.lists()]
    without = [where for at, part in parts for where, words in words_in(part, at) if not words.get("es")]
    assert without == []


@pytest.mark.parametrize("name", ["openjustice", "custody"])
def test_every_published_label_of_a_lookup_has_spanish(name: str, request: pytest.FixtureRequest) -> None:
    project: Project = request.getfixturevalue(name)
    for table in project.tables.values():
        for dimension in table.said.dimensions.values():
            if dimension.hierarchy is None:
                continue
            hierarchy = project.hierarchies[dimension.hierarchy]
            depth = hierarchy.levels.index(dimension.finest or hierarchy.levels[-1]) + 1
            for level in hierarchy.levels[:depth]:
                for code, label in hierarchy.labels[level].items():
                    assert label.get("es"), f"{dimension.hierarchy}, {level} {code}"


@pytest.mark.parametrize("name", ["openjustice", "custody"])
def test_every_page_says_the_same_in_spanish(name: str, request: pytest.FixtureRequest) -> None:
    english, spanish = by_language(request.getfixturevalue(name))
    assert set(english) == set(spanish)
    for path, page in english.items():
        other = spanish[path]
        assert page.title != other.title, path
        assert page.controls == other.controls, path
        assert charts(page) == charts(other), path
        assert [part.said for part in page.lists()] == [part.said for part in other.lists()], path
        assert [type(part) for part in page.parts] == [type(part) for part in other.parts], path
        assert headings(page) == headings(other), path


@pytest.mark.parametrize("name", ["openjustice", "custody"])
def test_both_languages_name_the_same_values(name: str, request: pytest.FixtureRequest) -> None:
    english, spanish = by_language(request.getfixturevalue(name))
    for path, page in english.items():
        values = [
            sorted(
                (value.table, sorted(value.at.items())) for prose in said.prose() for value in prose.values
            )
            for said in (page, spanish[path])
        ]
        assert values[0] == values[1], path
        assert len(values[0]) >= 2, f"{path}: a page opens with a few figures"


def headings(page: Page) -> list[int]:
    """The depth of each heading, in order."""
    lines = [line for prose in page.prose() for line in prose.markdown.splitlines()]
    return [len(line) - len(line.lstrip("#")) for line in lines if line.startswith("#")]


# What the public must be told


def test_synthetic_sources_say_that_they_are(openjustice: Project) -> None:
    for name in ("ccw", "fsc", "dros", "awr", "gvro"):
        notice = openjustice.sources[name].said.notice or {}
        assert "synthetic" in notice["en"]
        assert "sintéticos" in notice["es"]


def test_sampled_sources_say_so_whatever_the_scale(openjustice: Project) -> None:
    for name in ("fsc", "dros", "awr"):
        notice = openjustice.sources[name].said.notice or {}
        assert "draws a sample" in notice["en"]
        assert "toma una muestra" in notice["es"]


def test_deaths_in_custody_say_where_they_come_from_and_why_anything_is_hidden(custody: Project) -> None:
    source = custody.sources["custody"].said
    assert "real, public records" in (source.notice or {})["en"]
    assert "demonstrate the method" in (source.notice or {})["en"]
    assert "California Department of Justice" in (source.attribution or {})["en"]


# The blank project


def test_the_blank_project_s_records_fit_it(blank: Project) -> None:
    source = blank.sources["visits"].said
    with (TEMPLATES / "blank" / source.location).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert set(rows[0]) == set(source.fields)
    for name, field in source.fields.items():
        if field.categories is not None:
            assert {row[name] for row in rows} == set(field.categories)
    assert {row["visit_date"][:4] for row in rows} == {"2023", "2024"}


def test_the_blank_project_explains_itself() -> None:
    folder = TEMPLATES / "blank"
    for name in ("clerestory.toml", "sources/visits.toml", "tables/visits.toml"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        assert sum("#" in line for line in lines) >= 4, name
