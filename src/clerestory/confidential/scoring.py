"""The CalHHS Publication Scoring Criteria for each table: what it presents, how small its smallest cell is.

Each margin is scored by itself, since only variables that are crossed count as interactions; a table's score
is that of its highest margin. Events are scored on the smallest number that is not zero: a zero meets the
numerator condition, because a non-event identifies nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from clerestory.confidential.design.populations import population_rows
from clerestory.confidential.original import OriginalCells
from clerestory.policy.scoring import PERIODS, Presented, Score, Variable, score
from clerestory.project import Project, ScoringFile, Table
from clerestory.tables import MISSING, Dimension, Layout
from clerestory.tables.space import IntArray

_KINDS = {
    "county": Variable.RESIDENCE,
    "city": Variable.RESIDENCE,
    "postal-code": Variable.RESIDENCE,
    "sex": Variable.SEX,
    "race": Variable.RACE,
    "ethnicity": Variable.ETHNICITY,
    "language": Variable.LANGUAGE,
    "age": Variable.AGE,
    "birth-date": Variable.AGE,
}
"""What fields of these kinds are to the criteria; a place may be read as residence or service: the higher."""
_PLACES = (Variable.RESIDENCE, Variable.SERVICE)
_BROAD = 9
"""More races, ethnicities or languages than this are detailed groups."""
_PERIOD = {
    "year": "1 year",
    "quarter": "quarter",
    "month": "month or finer",
    "month-of-year": "month or finer",
}
_IN_A_YEAR = {"year": 1, "quarter": 4, "month": 12}
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True)
class TableScore:
    """The score of a table, and the margin that it comes from."""

    margin: tuple[str, ...]
    score: Score

    def said(self) -> dict[str, Any]:
        """As it stands in the build report."""
        return {"margin": list(self.margin), **self.score.said()}


def score_tables(project: Project, original: OriginalCells) -> dict[str, TableScore]:
    """The score of each table of a source, under the policy's edition; empty if it names none."""
    edition = project.policy.scoring
    if not edition:
        return {}
    found = {}
    for layout in original.space.layouts:
        name = layout.design.name
        table = project.tables[name]
        scored = [
            TableScore(tuple(margin), _margin(project, table, layout, margin, original, edition))
            for margin in layout.design.margins
        ]
        found[name] = max(scored, key=lambda one: one.score.total)
    return found


def _margin(
    project: Project,
    table: Table,
    layout: Layout,
    margin: tuple[str, ...],
    original: OriginalCells,
    edition: str,
) -> Score:
    outside = [k for k, d in enumerate(layout.design.dimensions) if d.name not in margin]
    rows = (layout.coords[:, outside] == 0).all(axis=1)
    counts = original.records if layout.design.unit.kind == "sum" else original.values
    events = counts[layout.cells[rows]]
    smallest = int(events[events > 0].min(initial=np.iinfo(np.int64).max)) if (events > 0).any() else 0
    presented = [
        _presented(project, table, layout, dimension)
        for dimension in layout.design.dimensions
        if dimension.name in margin
    ]
    if not any(one.variable is Variable.TIME for one in presented):
        presented.append(Presented(Variable.TIME, detail=_pooled(table, layout)))
    if not any(one.variable in _PLACES for one in presented):
        presented += _whole_area(project, table, layout)
    return score(edition, smallest, presented)


def _presented(project: Project, table: Table, layout: Layout, dimension: Dimension) -> Presented:
    said = table.said.dimensions[dimension.name]
    asked = table.said.scoring.get(dimension.name, ScoringFile())
    field = project.sources[table.said.source].said.fields.get(said.from_ or dimension.name)
    codes = [dimension.nodes[leaf].code for leaf in dimension.leaves()]
    groups = sum(code != MISSING for code in codes)
    if asked.as_ is None and said.by is not None:
        return Presented(Variable.TIME, groups, detail=_PERIOD[said.by])
    kind = field.kind if field is not None else ""
    if asked.as_ is None and kind == "date" and all(_YEAR.fullmatch(c) for c in codes if c != MISSING):
        return Presented(Variable.TIME, groups, detail="1 year")
    variable = asked.as_ or _KINDS.get(kind, Variable.OTHER)
    if variable is Variable.AGE:
        return Presented(variable, groups, years=asked.years or _narrowest(said.bands))
    if variable is Variable.TIME:
        return Presented(variable, groups, detail=PERIODS[-1])
    population = asked.population
    if population is None and variable in _PLACES:
        population = _smallest_area(table, layout, dimension)
    detail = ""
    if variable in (Variable.RACE, Variable.ETHNICITY, Variable.LANGUAGE):
        detail = asked.detail or ("all" if groups <= _BROAD else "detailed")
    return Presented(variable, groups, population=population, detail=detail)


def _narrowest(bands: tuple[int, ...] | None) -> int | None:
    """Years in the narrowest band; the last one has no end."""
    if not bands:
        return None
    return min([bands[0], *(high - low for low, high in pairwise(bands))] if bands[0] > 0 else [1])


def _pooled(table: Table, layout: Layout) -> str:
    """The period that each number adds up where the margin has no time: all that the table covers."""
    years = table.said.covers_years
    for dimension in layout.design.dimensions:
        by = table.said.dimensions[dimension.name].by
        if years is None and by in _IN_A_YEAR:
            years = (
                sum(dimension.nodes[leaf].code != MISSING for leaf in dimension.leaves()) // _IN_A_YEAR[by]
            )
        elif years is None and all(
            _YEAR.fullmatch(dimension.nodes[leaf].code) for leaf in dimension.leaves()
        ):
            years = len(dimension.leaves())
    if years is None or years < 2:
        return "1 year"
    return "5 years aggregated" if years >= 5 else "2-4 years aggregated"


def _people(table: Table, layout: Layout) -> IntArray | None:
    return None if table.population is None else population_rows(layout, table.population)


def _smallest_area(table: Table, layout: Layout, dimension: Dimension) -> int | None:
    """People in the smallest place, by the table's reference file."""
    people = _people(table, layout)
    if people is None or table.population is None or dimension.name not in table.population.dimensions:
        return None
    at = [d.name for d in layout.design.dimensions].index(dimension.name)
    alone = (np.delete(layout.coords, at, axis=1) == 0).all(axis=1)
    named = [leaf for leaf in dimension.leaves() if dimension.nodes[leaf].code != MISSING]
    own = people[alone & np.isin(layout.coords[:, at], named)]
    return int(own.min()) if len(own) else None


def _whole_area(project: Project, table: Table, layout: Layout) -> list[Presented]:
    """Without places, the whole area that the project is about, if it says how many people live there."""
    people = project.said.policy.area_population
    if people is None:
        counted = _people(table, layout)
        people = None if counted is None else int(counted[(layout.coords == 0).all(axis=1)].max(initial=0))
    return [] if people is None else [Presented(Variable.RESIDENCE, population=people)]


def said_scores(scores: Mapping[str, TableScore]) -> dict[str, Any]:
    """Scores by table, as they stand in the build report."""
    return {name: one.said() for name, one in sorted(scores.items())}
