from __future__ import annotations

from pathlib import Path

from clerestory.project import load, typed_numbers
from tests.project.good import FILES, line_of, write_project

HOME = "dashboards/index.md"


def test_a_reference_is_where_it_says(tmp_path: Path) -> None:
    prose = load(write_project(tmp_path)).pages[0].prose()[0]
    first, second = prose.values
    assert (first.table, first.at, first.line) == ("permits", {}, line_of(HOME, '{{ value("permits")'))
    assert second.at == {"county": "alder", "year": "2021"}
    assert prose.markdown[first.start : first.end] == '{{ value("permits") }}'


def test_numbers_that_were_typed_are_listed_for_the_reviewer(tmp_path: Path) -> None:
    text = """---
title: Records of 2021
---

About 1,234 people and {{ value("permits", year="2021") }} more
came in *12.5 %* of cases.

| a | b |
|---|---|
| x | 77 |

[A report](https://example.org/2020 "of 9 pages"), `code 5`, and the 3rd.
"""
    page = load(write_project(tmp_path, {HOME: text})).pages[0]
    assert typed_numbers(page) == [
        (1, "2021"),
        (5, "1,234"),
        (6, "12.5 %"),
        (10, "77"),
        (12, "9"),
        (12, "5"),
        (12, "3"),
    ]


def test_numbers_that_a_chart_says_are_listed(tmp_path: Path) -> None:
    page = "dashboards/permits.md"
    text = (
        FILES[page]
        .replace("Applications by year", "Applications, 40% up")
        .replace("mark: line", "layer: [{mark: line}, {mark: rule, encoding: {y: {datum: 500}}}]")
    )
    loaded = load(write_project(tmp_path, {page: text})).pages[1]
    line = line_of(page, "```chart")
    assert typed_numbers(loaded) == [(line, "40%"), (line, "500")]
