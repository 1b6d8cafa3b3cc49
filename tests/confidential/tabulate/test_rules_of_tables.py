"""What tables say of their rules reaches the cells: attributes, zeros, populations, and their scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules import Reason, primary_suppressions
from clerestory.confidential.scoring import TableScore, score_tables
from clerestory.confidential.tabulate import tabulate
from clerestory.project import Project, load
from clerestory.tables import Attribute
from tests.confidential.tabulate.register import SOURCE, make_project, rows, store

TABLE = """
[outcomes]
source = "applications"
title = "Outcomes"
count = "application"
population = { file = "lookups/people.csv" }
attributes = [{ dimension = "status", minimum = 4 }]
[outcomes.dimensions]
county = { hierarchy = "california" }
year = { from = "applied", by = "year", first = "2019", last = "2021" }
status = {}
race = {}
[outcomes.publish]
margins = [["county", "status"], ["county", "year"], ["race"]]
"""
PEOPLE = "county,population\nalder,1235\nbirch,30000\ncedar,50000\ndogwood,60000\nelm,70000\n"
KINDS = SOURCE.replace(
    'county = { role = "quasi-identifier" }', 'county = { role = "quasi-identifier", kind = "county" }'
).replace('race = { role = "quasi-identifier",', 'race = { role = "quasi-identifier", kind = "race",')


def project_of(root: Path, size: int = 900) -> Project:
    location, table = store(root, "parquet", rows(seed=4, size=size))
    (root / "lookups").mkdir(parents=True, exist_ok=True)
    (root / "lookups/people.csv").write_text(PEOPLE)
    made = make_project(root, location, table=table, tables=TABLE, source=KINDS)
    return load(made.root)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, OriginalCells]:
    project = project_of(tmp_path_factory.mktemp("rules"))
    return project, tabulate(project, "applications")


def by_code(original: OriginalCells, numbers) -> dict[tuple[str, ...], int]:
    (layout,) = original.space.layouts
    return {
        tuple(d.nodes[node].code for d, node in zip(layout.design.dimensions, coords, strict=True)): int(
            numbers[cell]
        )
        for coords, cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True)
    }


def test_attributes_and_zeros_are_part_of_the_design(counted: tuple[Project, OriginalCells]) -> None:
    design = counted[1].space.layouts[0].design
    assert design.attributes == (Attribute("status", 4),)
    assert not design.zeros_shown
    assert counted[1].space.may_hide_zeros.all()


def test_populations_add_up_over_the_hierarchy(counted: tuple[Project, OriginalCells]) -> None:
    _, original = counted
    assert original.populations is not None
    about = by_code(original, original.populations)
    assert about["alder", "all", "issued", "all"] == 1_235
    assert about["north", "2020", "all", "all"] == 31_235
    assert about["all", "all", "all", "W"] == 211_235
    assert about["missing", "all", "all", "all"] == 0


def test_numbers_about_small_places_are_hidden(counted: tuple[Project, OriginalCells]) -> None:
    project, original = counted
    found = primary_suppressions(original, project.policy)
    reasons = by_code(original, found.reasons)
    assert reasons["alder", "all", "all", "all"] == Reason.POPULATION
    assert reasons["birch", "all", "all", "all"] == 0
    assert reasons["missing", "all", "all", "all"] & Reason.POPULATION


def test_a_table_scores_by_its_highest_margin(counted: tuple[Project, OriginalCells]) -> None:
    """county x status: 11-99 events (5) or fewer, Alpine-sized county (7), three groups (3), one crossed (1),
    three years pooled (-3); county x year: the county (7), one year (0), and only time and geography."""
    project, original = counted
    (found,) = score_tables(project, original).values()
    assert isinstance(found, TableScore)
    points = {part.variable: part.points for part in found.score.parts}
    assert found.margin == ("county", "status")
    assert points == {"events": points["events"], "time": -3, "residence": 7, "other": 3, "interactions": 1}
    layout = original.space.layouts[0]
    outside = [1, 3]
    rows_ = (layout.coords[:, outside] == 0).all(axis=1)
    events = original.values[layout.cells[rows_]]
    assert points["events"] == (7 if 0 < events[events > 0].min() < 11 else 5)
    assert found.said()["margin"] == ["county", "status"]
