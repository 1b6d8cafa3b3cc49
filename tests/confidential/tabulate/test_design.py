"""Axes, dimensions and labels that a project and its records lead to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.tabulate import tabulate
from clerestory.tables import Dimension
from tests.confidential.tabulate.register import Row, rows
from tests.confidential.tabulate.test_bad_records import project_with


def original_of(root: Path, records: list[Row], dimensions: str, *, where: str = "") -> OriginalCells:
    return tabulate(project_with(root, records, dimensions, where=where), "applications")


def dimension_of(original: OriginalCells, name: str) -> Dimension:
    dimensions = original.space.layouts[0].design.dimensions
    return next(dimension for dimension in dimensions if dimension.name == name)


def cell(original: OriginalCells, **codes: str) -> int:
    layout = original.space.layouts[0]
    wanted = [d.index(codes.get(d.name, "all")) for d in layout.design.dimensions]
    (row,) = [i for i, coords in enumerate(layout.coords.tolist()) if coords == wanted]
    return int(original.values[layout.cells[row]])


def test_year_and_month_are_two_dimensions_of_one_axis(tmp_path: Path) -> None:
    records = rows(2, 200)
    original = original_of(
        tmp_path,
        records,
        'year = { from = "applied", by = "year", first = "2019", last = "2021" }\n'
        'month = { from = "applied", by = "month", first = "2019-01", last = "2021-12" }',
    )
    (axis,) = original.space.axes
    assert len(axis.categories) == 36
    year, month = dimension_of(original, "year"), dimension_of(original, "month")
    assert year.members[year.index("2020")].sum() == 12
    assert month.nodes[month.index("2020-03")].label == {"en": "March 2020", "es": "marzo de 2020"}
    assert cell(original, year="2020") == sum(row.applied.year == 2020 for row in records)
    inside = [row for row in records if (row.applied.year, row.applied.month) == (2020, 3)]
    assert cell(original, year="2020", month="2020-03") == len(inside)
    coords = original.space.layouts[0].coords.tolist()
    assert [year.index("2019"), month.index("2020-03")] not in coords


def test_two_bandings_meet_in_their_common_refinement(tmp_path: Path) -> None:
    records = rows(2, 200)
    original = original_of(
        tmp_path,
        records,
        'low = { from = "attempt", bands = [1, 3] }\nhigh = { from = "attempt", bands = [2] }',
    )
    assert len(original.space.axes[0].categories) == 4
    assert cell(original, low="1-2", high="under-2") == sum(row.attempt == 1 for row in records)


@pytest.mark.parametrize(
    ("where", "keeps"),
    [
        ("attempt = 2", lambda row: row.attempt == 2),
        ("attempt != 2 and attempt != 4", lambda row: row.attempt not in (2, 4)),
        ("attempt not in [0, 5]", lambda row: row.attempt not in (0, 5)),
        ("attempt > 1 and attempt <= 4", lambda row: 1 < row.attempt <= 4),
        ("status != 'denied'", lambda row: row.status != "denied"),
        ("county is missing", lambda row: row.county is None),
        ("county is not missing", lambda row: row.county is not None),
        ("county not in ['alder', 'birch']", lambda row: row.county not in ("alder", "birch", None)),
        ("applied < 2020-02-29", lambda row: row.applied < date(2020, 2, 29)),
        (
            "applied > 2020-02-29 and applied <= 2021-06-15",
            lambda row: date(2020, 2, 29) < row.applied <= date(2021, 6, 15),
        ),
        (
            "applied in [2019-05-15, 2021-09-02]",
            lambda row: row.applied in (date(2019, 5, 15), date(2021, 9, 2)),
        ),
        ("year(applied) in [2019, 2021]", lambda row: row.applied.year in (2019, 2021)),
        ("year(applied) != 2020", lambda row: row.applied.year != 2020),
        ("born is missing", lambda row: row.born is None),
        ("year(born) >= 1980", lambda row: row.born is not None and row.born.year >= 1980),
        ("race in ['W', 'H']", lambda row: row.race in ("W", "H")),
    ],
)
@pytest.mark.parametrize("backend", ["parquet", "csv"])
def test_conditions(tmp_path: Path, where: str, keeps: object, backend: str) -> None:
    assert callable(keeps)
    records = rows(3, 300)
    project = project_with(tmp_path, records, "race = {}", where=where, backend=backend)
    expected = sum(bool(keeps(row)) for row in records)
    assert cell(tabulate(project, "applications")) == expected > 0


def test_a_field_that_only_a_condition_names_makes_an_axis_of_few_classes(tmp_path: Path) -> None:
    original = original_of(
        tmp_path, rows(3, 300), "race = {}", where="county in ['alder', 'birch'] and attempt > 2"
    )
    assert {axis.name: len(axis.categories) for axis in original.space.axes} == {
        "race": 4,
        "county": 2,
        "attempt": 2,
    }


def test_bands_are_labelled_in_two_languages(tmp_path: Path) -> None:
    original = original_of(
        tmp_path, rows(3, 300), 'age = { from = "born", at = "applied", bands = [21, 25, 26, 65] }'
    )
    age = dimension_of(original, "age")
    assert [(node.code, node.label["en"], node.label["es"]) for node in age.nodes] == [
        ("all", "All", "Total"),
        ("under-21", "Under 21", "Menos de 21"),
        ("21-24", "21 to 24", "21 a 24"),
        ("25", "25", "25"),
        ("26-64", "26 to 64", "26 a 64"),
        ("65-and-over", "65 and over", "65 y más"),
        ("missing", "Unknown", "Sin dato"),
    ]
    assert age.title == {"en": "Age", "es": "Edad"}


def test_who_is_born_on_29_february_is_a_year_older_on_1_march(tmp_path: Path) -> None:
    born = date(2000, 2, 29)
    base = rows(3, 4)
    days = [date(2021, 2, 28), date(2021, 3, 1), date(2020, 2, 28), date(2020, 2, 29)]
    records = [replace(row, born=born, applied=day) for row, day in zip(base, days, strict=True)]
    original = original_of(tmp_path, records, 'age = { from = "born", at = "applied", bands = [20, 21] }')
    assert [cell(original, age=code) for code in ("under-20", "20", "21-and-over")] == [1, 2, 1]


def test_a_hierarchy_published_at_a_coarser_level(tmp_path: Path) -> None:
    records = rows(3, 300)
    original = original_of(tmp_path, records, 'county = { hierarchy = "california", finest = "region" }')
    county = dimension_of(original, "county")
    assert county.levels == ("region",)
    assert [node.code for node in county.nodes] == ["all", "north", "south", "coast", "missing"]
    assert county.nodes[0].label == {"en": "California", "es": "California"}
    assert len(original.space.axes[0].categories) == 4


def test_missing_values_have_a_category_only_if_there_are_any_or_it_is_named(tmp_path: Path) -> None:
    records = [replace(row, race="W") for row in rows(3, 30)]
    assert "missing" not in [
        node.code for node in dimension_of(original_of(tmp_path, records, "race = {}"), "race").nodes
    ]
    named = original_of(tmp_path / "b", records, 'race = { missing = "Not said" }')
    assert dimension_of(named, "race").nodes[-1].label == {"en": "Not said"}
    assert cell(named, race="missing") == 0


def test_the_total_is_what_its_children_make_up(tmp_path: Path) -> None:
    original = original_of(
        tmp_path,
        rows(3, 300),
        'county = { hierarchy = "california" }\n'
        'year = { from = "applied", by = "year", first = "2019", last = "2021" }',
        where="year >= 2020 and county != 'elm'",
    )
    for dimension in original.space.layouts[0].design.dimensions:
        top = [place for place, node in enumerate(dimension.nodes) if node.parent == 0]
        assert (dimension.members[top].sum(axis=0) == dimension.members[0]).all()
    assert "coast" not in [node.code for node in dimension_of(original, "county").nodes]


def test_true_values_are_not_shown_or_pickled(tmp_path: Path) -> None:
    import pickle

    original = original_of(tmp_path, rows(3, 30), "race = {}")
    assert "confidential" in repr(original)
    with pytest.raises(TypeError):
        pickle.dumps(original)
