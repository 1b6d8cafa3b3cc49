from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from clerestory.project import Condition, Project, load
from clerestory.tables import Changes
from tests.project.conftest import Broken
from tests.project.good import FILES, edited, line_of, write_project

FILE = "tables/permits.toml"


def test_a_where_on_a_dimension_is_one_on_its_field(good: Project) -> None:
    assert good.tables["permits"].where == (Condition("applied", ">=", (2012,), "year"),)


@pytest.mark.parametrize(
    ("old", "new", "key", "what", "fix"),
    [
        (
            'source = "permits"\ntitle  = "Applications"',
            'source = "permts"\ntitle  = "Applications"',
            "permits.source",
            "no source 'permts'",
            "did you mean 'permits'?",
        ),
        (
            "[permits.publish]",
            "[permits.publsh]",
            "permits.publsh",
            "unknown key 'publsh'",
            "did you mean 'publish'?",
        ),
        (
            "gender   = {}",
            'gender = { form = "gender" }',
            "permits.dimensions.gender.form",
            "unknown key 'form'",
            "did you mean 'from'?",
        ),
        (
            "gender   = {}",
            'gender = { by = "yer" }',
            "permits.dimensions.gender.by",
            "unknown by 'yer'",
            "did you mean 'year'?",
        ),
        (
            "gender   = {}",
            "Gender = {}",
            "permits.dimensions.Gender",
            "'Gender' is not a name",
            "small letter",
        ),
        (
            'count  = "application"',
            'count = "aplication"',
            "permits.count",
            "no 'aplication'",
            "did you mean 'application'?",
        ),
        (
            'count  = "application"',
            'count = "application"\nsum = "fee"',
            "permits.count",
            "either count or sum",
            "",
        ),
        ('sum    = "fee"', "", "fees", "either count or sum", 'count = "application"'),
        ('sum    = "fee"', 'sum = "feee"', "fees.sum", "'feee' has no role", "did you mean 'fee'?"),
        ('sum    = "fee"', 'sum = "gender"', "fees.sum", "is not a measure", "fee"),
        ('sum    = "fee"', 'sum = "fee"\nby = "applied"', "fees.by", "tables that count persons", "remove"),
        (
            "gender   = {}",
            'gender = { spread = "latest" }',
            "permits.dimensions.gender.spread",
            "tables that count persons",
            "",
        ),
        (
            "gender   = {}",
            'gender = { from = "gendr" }',
            "permits.dimensions.gender.from",
            "'gendr' has no role",
            "did you mean 'gender'?",
        ),
        (
            "gender   = {}",
            'gender = { from = "eye_colour" }',
            "permits.dimensions.gender.from",
            "'eye_colour' has no role",
            "add it under [fields] of sources/permits.toml",
        ),
        (
            "gender   = {}",
            'gender = { from = "state_id" }',
            "permits.dimensions.gender.from",
            "'state_id' is an identifier: it cannot be a dimension",
            "",
        ),
        (
            "gender   = {}",
            'gender = { from = "notes" }',
            "permits.dimensions.gender.from",
            "'notes' is unused",
            "",
        ),
        (
            "gender   = {}",
            'gender = { from = "fee" }',
            "permits.dimensions.gender",
            "the measure 'fee' divides nothing",
            "bands",
        ),
        (
            "gender   = {}",
            'gender = { by = "year", top = 3 }',
            "permits.dimensions.gender.top",
            "by and top at once",
            "",
        ),
        (
            "gender   = {}",
            'gender = { at = "applied" }',
            "permits.dimensions.gender.at",
            "at without bands",
            "",
        ),
        (
            "gender   = {}",
            'gender = { first = "2012" }',
            "permits.dimensions.gender.first",
            "first without by",
            "",
        ),
        (
            "gender   = {}",
            'gender = { finest = "region" }',
            "permits.dimensions.gender.finest",
            "finest without hierarchy",
            "",
        ),
        ('at = "applied"', 'at = "state_id"', "permits.dimensions.age.at", "is an identifier", ""),
        (
            "bands = [21, 25, 65]",
            "bands = [21, 65, 25]",
            "permits.dimensions.age.bands",
            "the bands do not ascend",
            "low to high",
        ),
        ("bands = [21, 25, 65]", "bands = []", "permits.dimensions.age.bands", "the bands do not ascend", ""),
        (
            'hierarchy = "places" }\nyear',
            'hierarchy = "place" }\nyear',
            "permits.dimensions.county.hierarchy",
            "no hierarchy 'place'",
            "did you mean 'places'?",
        ),
        (
            'finest = "region"',
            'finest = "regions"',
            "fees.dimensions.county.finest",
            "no level 'regions'",
            "did you mean 'region'?",
        ),
        (
            'first = "2012"',
            'first = "2022"',
            "permits.dimensions.year.first",
            "first period is after the last",
            "",
        ),
        (
            'first = "2012"',
            'first = "2012-01"',
            "permits.dimensions.year.first",
            "'2012-01' is not a year",
            '"2012"',
        ),
        (
            '["county", "gender"]',
            '["county", "gendre"]',
            "permits.publish.margins[1][1]",
            "no dimension 'gendre'",
            "did you mean 'gender'?",
        ),
        (
            '["county", "gender"]',
            '["county", "gender", "county"]',
            "permits.publish.margins[1]",
            "stands twice",
            "",
        ),
        (
            '["county", "gender"], ',
            "",
            "permits.dimensions.gender",
            "'gender' is in no margin",
            "add it to a margin",
        ),
        ('"year >= 2012"', '"year > = 2012"', "permits.where", "character 8: expected a value", ""),
        (
            '"year >= 2012"',
            "\"state_id = 'x'\"",
            "permits.where",
            "'state_id' is an identifier: it cannot be in a condition",
            "",
        ),
        ('"year >= 2012"', "\"notes = 'x'\"", "permits.where", "'notes' is unused", ""),
        (
            '"year >= 2012"',
            '"yaer = 2012"',
            "permits.where",
            "no field or dimension 'yaer'",
            "did you mean 'year'?",
        ),
        ('"year >= 2012"', "\"year = '2012'\"", "permits.where", "compared with a year", "without quotes"),
        ('"year >= 2012"', '"age >= 21"', "permits.where", "the age 'age' cannot stand", ""),
        (
            '"year >= 2012"',
            "\"decision = 'grantd'\"",
            "permits.where",
            "no decision 'grantd'",
            "did you mean 'granted'?",
        ),
        (
            '"year >= 2012"',
            "\"county in ['alder', 'brich']\"",
            "permits.where",
            "no county 'brich'",
            "did you mean 'birch'?",
        ),
    ],
)
def test_a_fault_in_a_table_has_its_line_and_key(
    broken: Broken, old: str, new: str, key: str, what: str, fix: str
) -> None:
    changed = edited(FILE, old, new)
    found = [one for one in broken(changed) if what in one.what]
    assert [one.where.partition(", ")[2] for one in found] == [key]
    assert found[0].where.startswith(f"{FILE}:")
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("where", "what", "fix"),
    [
        ("month >= 2012", "a month cannot stand in a condition", "applied >= 2012-03-01"),
        ("decision = 'granted'", "a field and a dimension made from another field", "rename"),
    ],
)
def test_a_condition_on_a_dimension_is_plain(broken: Broken, where: str, what: str, fix: str) -> None:
    table = f"""
[other]
source = "permits"
title  = "Other"
count  = "application"
where  = "{where}"
[other.dimensions]
month    = {{ from = "applied", by = "month" }}
decision = {{ from = "gender" }}
[other.publish]
margins = [["month"], ["decision"]]
"""
    found = broken({FILE: FILES[FILE] + table})
    assert [one.where for one in found] == [f"{FILE}:{FILES[FILE].count(chr(10)) + 6}, other.where"]
    assert what in found[0].what
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("name", "what"),
    [("Fees", "'Fees' is not a table's name"), ('"fees.csv"', "'fees.csv' is not a table's name")],
)
def test_a_table_is_named_like_a_file(broken: Broken, name: str, what: str) -> None:
    changed = {FILE: FILES[FILE].replace("[fees", f"[{name}")}
    assert broken(changed)[0].what == what


def test_the_range_of_a_month_of_the_year_is_in_months(tmp_path: Path, broken: Broken) -> None:
    said = 'gender = {{ from = "applied", by = "month-of-year", first = "{}" }}'
    assert load(write_project(tmp_path, edited(FILE, "gender   = {}", said.format("2012-01"))))
    assert broken(edited(FILE, "gender   = {}", said.format("2012")))[0].what == "'2012' is not a month"


def test_the_line_is_the_key_s_own(broken: Broken) -> None:
    changed = edited(FILE, 'finest = "region"', 'finest = "regions"')
    line = line_of(FILE, "county = { hierarchy", changed)
    assert broken(changed)[0].where == f"{FILE}:{line}, fees.dimensions.county.finest"


@pytest.mark.parametrize("name", ["status_category", "value", "county_level"])
def test_a_dimension_does_not_take_a_download_s_column(broken: Broken, name: str) -> None:
    changed = edited(FILE, "gender   = {}", f'{name} = {{ from = "gender" }}')
    changed[FILE] = (changed[FILE] or "").replace('["county", "gender"]', f'["county", "{name}"]')
    found = broken(changed)
    assert f"a dimension cannot be called {name!r}" in found[0].what
    assert f'permits_{name} = {{ from = "gender" }}' in found[0].fix


def _persons(
    extra: str, margins: str = '[["gender"]]', dimensions: str = "gender = {}"
) -> dict[str, str | None]:
    table = f"""
[people]
source = "permits"
title  = "People"
count  = "person"
{extra}
[people.dimensions]
{dimensions}
[people.publish]
margins = {margins}
"""
    return {FILE: FILES[FILE] + table}


def test_persons_need_to_be_told_apart(broken: Broken) -> None:
    changed = {
        **_persons('by = "applied"'),
        **edited("sources/permits.toml", 'person   = ["state_id"]\n', ""),
    }
    found = broken(changed)
    assert found[0].where.endswith(", people.count")
    assert "does not say what tells persons apart" in found[0].what


def test_persons_at_their_latest_record_need_a_date(broken: Broken) -> None:
    found = broken(_persons(""))
    assert found[0].where.endswith(", people.by")
    assert 'by = "…"' in found[0].fix


def test_persons_cannot_be_at_their_first_and_latest_record(broken: Broken) -> None:
    dimensions = 'gender = { spread = "first" }\ndecision = { spread = "latest" }'
    found = broken(_persons('by = "applied"', '[["gender", "decision"]]', dimensions))
    assert "both at their first and at their latest" in found[0].what


def test_disjoint_persons_need_no_date(tmp_path: Path) -> None:

    changed = _persons("", dimensions='gender = { spread = "disjoint" }')
    assert load(write_project(tmp_path, changed)).tables["people"].said.count == "person"


def test_a_sum_needs_bounds(broken: Broken) -> None:
    found = broken(edited("sources/permits.toml", ", bounds = [0, 200]", ""))
    assert found[0].where.endswith(", fees.sum")
    assert "has no bounds" in found[0].what
    assert "sources/permits.toml" in found[0].fix


@pytest.mark.parametrize(
    ("mark", "key", "what", "fix"),
    [
        ('{ yeer = "2021" }', "marks[0].where.yeer", "no dimension 'yeer'", "did you mean 'year'?"),
        ('{ year = "2022" }', "marks[0].where.year", "no year '2022'", "did you mean"),
    ],
)
def test_a_mark_is_about_a_category(broken: Broken, mark: str, key: str, what: str, fix: str) -> None:
    table = f'\n[[permits.marks]]\nstatus = "incomplete"\nnote = "Not finished."\nwhere = {mark}\n'
    found = broken({FILE: FILES[FILE] + table})
    assert found[0].where.partition(", ")[2] == f"permits.{key}"
    assert found[0].what == what
    assert fix in found[0].fix


def test_years_in_marks_may_be_numbers(tmp_path: Path) -> None:
    table = '\n[[permits.marks]]\nstatus = "incomplete"\nnote = "Not finished."\nwhere = { year = 2021 }\n'
    project = load(write_project(tmp_path, {FILE: FILES[FILE] + table}))
    assert project.tables["permits"].said.marks[0].where == {"year": "2021"}


def test_dates_and_years_stand_in_where(tmp_path: Path) -> None:
    said = "applied >= 2012-03-01 and year(applied) != 2015 and decision is not missing"
    changed = edited(FILE, '"year >= 2012"', f'"{said}"')
    assert load(write_project(tmp_path, changed)).tables["permits"].where == (
        Condition("applied", ">=", (date(2012, 3, 1),)),
        Condition("applied", "!=", (2015,), "year"),
        Condition("decision", "is not missing", ()),
    )


def test_two_tables_of_one_name_are_refused(broken: Broken) -> None:
    found = broken({"tables/zz.toml": FILES[FILE]})
    assert [(one.where, one.what) for one in found] == [
        ("tables/zz.toml:1, permits", "a second table 'permits'"),
        ("tables/zz.toml:17, fees", "a second table 'fees'"),
    ]


def test_a_table_is_frozen_unless_it_says_otherwise(good: Project) -> None:
    assert good.tables["permits"].said.changes is Changes.FROZEN


def test_tables_of_a_source_are_revised_together(broken: Broken) -> None:
    changed = _persons('changes = "revised"', dimensions='gender = { spread = "disjoint" }')
    problem = next(p for p in broken(changed) if p.where.endswith("people.changes"))
    assert "'permits' of the same source is frozen" in problem.what
    assert "all tables of a source" in problem.fix


def test_persons_who_move_do_not_only_come(broken: Broken) -> None:
    problems = broken(_persons('by = "applied"\nchanges = "cumulative"'))
    assert "they move" in problems[0].what
    assert 'spread = "first"' in problems[0].fix
