"""The CalHHS Publication Scoring Criteria: a score for each variable that a table presents, added up.

Source: CalHHS Data De-Identification Guidelines, editions 1.0 (2016) and 2.0 (2025), section 4.3. A total of
12 or less is released without more masking; more is masked, or documented why not. The score informs the
decision and is no absolute gate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

DATA = "calhhs_ddg_scoring.json"


class Variable(StrEnum):
    """What a dimension is to the criteria."""

    SEX = "sex"
    ORIENTATION = "sexual-orientation"
    IDENTITY = "gender-identity"
    AGE = "age"
    RACE = "race"
    ETHNICITY = "ethnicity"
    LANGUAGE = "language"
    TIME = "time"
    RESIDENCE = "residence"
    SERVICE = "service"
    OTHER = "other"


_NOT_CROSSED = (Variable.TIME, Variable.RESIDENCE, Variable.SERVICE)
"""Besides events, the variables that do not count as interactions."""

PERIODS = (
    "5 years aggregated",
    "2-4 years aggregated",
    "1 year",
    "half-year",
    "quarter",
    "month or finer",
)
"""Periods that one number of a table adds up, as the criteria call them."""


@dataclass(frozen=True, slots=True)
class Presented:
    """One variable of a table, by its finest category.

    groups: how many categories. population: people in the smallest one (an area, a race), None if not known:
    then the highest score is taken. years: of the narrowest age band. detail: of a race, ethnicity or
    language "few", "all" or "detailed"; of time one of PERIODS; of a service place "address" and the like.
    """

    variable: Variable
    groups: int = 0
    population: int | None = None
    years: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a score: the variable, the category it fell into, and its points."""

    variable: str
    category: str
    points: int


@dataclass(frozen=True, slots=True)
class Score:
    """A table's score with its parts. limit: the highest total that is released without more masking."""

    edition: str
    parts: tuple[Part, ...]
    limit: int

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return sum(part.points for part in self.parts)

    @property
    def passes(self) -> bool:
        """Whether the total asks for no more masking."""
        return self.total <= self.limit

    def said(self) -> dict[str, Any]:
        """As it stands in the build report."""
        return {
            "edition": self.edition,
            "total": self.total,
            "limit": self.limit,
            "passes": self.passes,
            "parts": [
                {"variable": part.variable, "category": part.category, "points": part.points}
                for part in self.parts
            ],
        }


@cache
def criteria() -> Mapping[str, Any]:
    """The criteria as they ship with the package."""
    said: dict[str, Any] = json.loads(files(__package__).joinpath(DATA).read_text(encoding="utf-8"))
    return said


def score(edition: str, smallest: int, presented: Sequence[Presented]) -> Score:
    """The score of a table whose smallest cell holds `smallest` events and that presents these variables.

    A variable that stands twice (region and county) counts once, with its higher score.
    """
    whole = criteria()
    rules = whole["editions"][edition]
    parts = [_ranged("events", rules["events"], smallest, "events")]
    best: dict[Variable, Part] = {}
    others: list[Part] = []
    for one in presented:
        part = _part(rules, one)
        if one.variable is Variable.OTHER:
            others.append(part)
        elif one.variable not in best or part.points > best[one.variable].points:
            best[one.variable] = part
    extra = len(others) + sum(variable not in _NOT_CROSSED for variable in best)
    parts += [*best.values(), *others, _interactions(rules["interactions"], smallest, extra)]
    return Score(edition, tuple(parts), whole["release_when_total_at_most"])


def _interactions(rules: Mapping[str, Any], smallest: int, extra: int) -> Part:
    if not extra:
        plain = rules["only_events_time_geography"]
        for least in (5, 3):
            if smallest >= least:
                return Part(
                    "interactions",
                    f"only events, time, geography; {least} or more",
                    plain[f"min_event_{least}"],
                )
        return Part("interactions", "only events, time, geography", plain["no_minimum"])
    points = rules["extra_variables"][str(min(extra, 3))]
    return Part("interactions", f"{extra} other variable{'s' * (extra > 1)} crossed", points)


def _part(rules: Mapping[str, Any], one: Presented) -> Part:
    name = one.variable.value
    match one.variable:
        case Variable.SEX:
            return Part(name, "male, female", rules["sex"])
        case Variable.ORIENTATION:
            return _either(name, rules, "sexual_orientation", one)
        case Variable.IDENTITY:
            key = "gender_identity_3" if one.groups <= 3 else "gender_identity_detailed"
            return _either(name, rules, key, one)
        case Variable.AGE:
            return _ranged(name, rules["age_range_years"], one.years, "years")
        case Variable.TIME:
            points = {row["period"]: row["score"] for row in rules["time"]}
            return Part(name, one.detail, points[one.detail])
        case Variable.RESIDENCE:
            return _ranged(name, rules["residence_geography_population"], one.population, "people")
        case Variable.SERVICE:
            return _service(rules["service_geography_population"], one)
        case Variable.RACE | Variable.ETHNICITY | Variable.LANGUAGE:
            return _grouped(rules, one)
    by_population = rules.get("other_variables_by_state_population")
    if by_population and one.population is not None:
        return _ranged(name, by_population, one.population, "people")
    for row in rules["other_variables_by_groups"]:
        if row.get("min_groups", 0) <= one.groups <= row.get("max_groups", one.groups):
            return Part(name, f"{one.groups} groups", row["score"])
    raise ValueError("the criteria have no row for so many groups")


def _either(name: str, rules: Mapping[str, Any], key: str, one: Presented) -> Part:
    """A variable that edition 1.0 does not name is one of its other variables."""
    if key in rules:
        return Part(name, f"{one.groups} groups", rules[key])
    return _part(rules, Presented(Variable.OTHER, groups=one.groups))


_KEYS = {
    Variable.RACE: {
        "few": ("race_ethnicity_broad_5", "race_ethnicity_broad_4"),
        "all": ("race_ethnicity_broad_all",),
        "detailed": ("race_ethnicity_detailed_by_population", "race_ethnicity_detailed"),
    },
    Variable.ETHNICITY: {
        "few": ("ethnicity_yes_no",),
        "all": ("ethnicity_yes_no",),
        "detailed": ("ethnicity_detailed_by_population", "ethnicity_detailed"),
    },
    Variable.LANGUAGE: {
        "few": ("language_en_es_other",),
        "all": ("language_en_es_other",),
        "detailed": ("language_detailed_by_population", "language_detailed"),
    },
}
_WORDS = {"few": "few large groups", "all": "broad groups, all of them", "detailed": "detailed groups"}


def _grouped(rules: Mapping[str, Any], one: Presented) -> Part:
    detail = one.detail or "all"
    key = next(key for key in _KEYS[one.variable][detail] if key in rules)
    if isinstance(rules[key], int):
        return Part(one.variable.value, _WORDS[detail], rules[key])
    return _ranged(one.variable.value, rules[key], one.population, "people")


def _service(rows: Sequence[Mapping[str, Any]], one: Presented) -> Part:
    kinds = {row["kind"]: row["score"] for row in rows if "kind" in row}
    if one.detail:
        return Part(one.variable.value, one.detail, kinds.get(one.detail, max(kinds.values())))
    ranges = [row for row in rows if "kind" not in row]
    return _ranged(one.variable.value, ranges, one.population, "people")


def _ranged(name: str, rows: Sequence[Mapping[str, Any]], number: int | None, of: str) -> Part:
    """The row that a number falls into; the highest score where the number is not known."""
    if number is None:
        return Part(name, f"{of} not known", max(row["score"] for row in rows))
    for row in rows:
        if row["min"] <= number <= row.get("max", number):
            return Part(name, f"{_range(row)} {of}", row["score"])
    return Part(name, f"finer than listed ({of})", max(row["score"] for row in rows))


def _range(row: Mapping[str, Any]) -> str:
    if "max" not in row:
        return f"{row['min']:,} or more"
    return f"{row['min']:,}-{row['max']:,}" if row["min"] else f"{row['max']:,} or fewer"
