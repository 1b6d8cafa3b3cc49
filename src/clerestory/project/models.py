"""What the files of a project folder may say, as Pydantic models; their JSON Schemas are in docs/schemas.

Models check shape and single values. What spans files (a table's source exists, a page's dimension is in
its table) is in check.py.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from clerestory.methods import CellKeyMode, Mechanism, RoundingKind
from clerestory.policy import Cost
from clerestory.policy.scoring import Variable
from clerestory.tables import Changes, Spread, Status

NAME = r"^[a-z][a-z0-9_]*$"
"""Names of sources, tables, dimensions and hierarchies: they become file names and addresses."""

Name = Annotated[str, Field(pattern=NAME, max_length=60)]


def _spoken(value: object) -> object:
    return {"en": value} if isinstance(value, str) else value


def _has_english(value: dict[str, str]) -> dict[str, str]:
    if not value.get("en", "").strip():
        raise ValueError("a text needs at least English: a string, or {en = …, es = …}")
    for language in value:
        if language not in LANGUAGES:
            raise ValueError(f"no language {language!r}; a text may be in {' and '.join(LANGUAGES)}")
    return value


def _counted(value: object) -> object:
    return str(value) if type(value) is int else value


LANGUAGES = ("en", "es")
"""Languages that a site can have."""

Words = Annotated[
    dict[str, str],
    BeforeValidator(_spoken),
    AfterValidator(_has_english),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {language: {"type": "string"} for language in LANGUAGES},
                    "required": ["en"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A text: a string (English), or one string a language: {en = "County", es = "Condado"}."""

Code = Annotated[
    str, BeforeValidator(_counted), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
]
"""The code of a category or period; a whole number is taken as its digits: 2012 is "2012"."""


class Model(BaseModel):
    """Unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )


class Role(StrEnum):
    """What a field is to the people in the records; every field of a source has exactly one."""

    IDENTIFIER = "identifier"
    """Tells who it is: never a dimension, never in `where`; read only to count distinct persons."""
    QUASI_IDENTIFIER = "quasi-identifier"
    """Known to others, so it helps to single people out: county, race, birth date."""
    SENSITIVE = "sensitive"
    """What people would not have known: status, reason, outcome."""
    MEASURE = "measure"
    """A number that tables may sum."""
    OPERATIONAL = "operational"
    """About the record, not the person: a process date, a form type. May be a dimension."""
    UNUSED = "unused"
    """Never read."""


class FieldFile(Model):
    """One field of a source."""

    role: Role
    kind: str = ""
    """A finer word for what it holds: surname, birth-date, county, state-id; used by scan and inspect."""
    title: Words | None = None
    description: Words | None = None
    unit: str = ""
    """Of a measure: USD, firearms."""
    bounds: tuple[int, int] | None = None
    """Of a measure: the least and greatest value of one record; public, and needed to sum it."""
    categories: dict[str, Words] | None = None
    """The values the field may have, in order, with what a reader sees; a value not listed is an error."""


class SuppressionFile(Model):
    """method = "suppression": cells are hidden; what a source has that names no method."""

    name: Literal["suppression"] = "suppression"


class RoundingFile(Model):
    """method = "rounding": every number is a multiple of a base."""

    name: Literal["rounding"] = "rounding"
    kind: RoundingKind = RoundingKind.CONTROLLED
    """conventional (to the nearest), random (without bias), controlled (parts add up to totals)."""
    base: int = Field(ge=2, le=1_000_000)
    """Numbers are multiples of it; of a sum: of base times the most that one record gives."""
    reach: int = Field(default=1, ge=1, le=2)
    """Of controlled rounding: 2 lets numbers go one multiple further where else nothing adds up."""


class CellKeyFile(Model):
    """method = "cell-key": counts change by small numbers that follow from who is in the cell."""

    name: Literal["cell-key"] = "cell-key"
    mode: CellKeyMode = CellKeyMode.CONSISTENT
    """consistent: the same records, the same number everywhere; additive: parts add up, made once, kept."""
    largest: int | None = Field(default=None, ge=1, le=1000)
    """The most by which a count changes; twice the policy's interval_width if absent."""
    variance: float = Field(default=4.0, gt=0)
    """Of the change."""
    smallest: int = Field(default=2, ge=0, le=100)
    """Counts from 1 to this are never published."""
    key: tuple[str, ...] = ()
    """Fields that tell records apart and never change; the source's `person` if absent."""


class DifferentialPrivacyFile(Model):
    """method = "differential-privacy": noise on every number; what a person gives is bounded."""

    name: Literal["differential-privacy"] = "differential-privacy"
    mechanism: Mechanism = Mechanism.GAUSSIAN
    """laplace or gaussian, both on whole numbers."""
    rho: float = Field(gt=0, le=100)
    """What one release spends, in zero-concentrated differential privacy."""
    budget: float = Field(gt=0, le=100)
    """What all releases of the source may spend together."""
    delta: float = Field(default=1e-6, gt=0, lt=1)
    """For which epsilon is stated."""
    records: int = Field(ge=1, le=10_000)
    """So many records of one person count at most."""


MethodFile = Annotated[
    SuppressionFile | RoundingFile | CellKeyFile | DifferentialPrivacyFile, Field(discriminator="name")
]


class SourceFile(Model):
    """sources/NAME.toml: where records are, and the role of every field."""

    title: Words
    location: str
    """A file, a glob, or a database URL; relative paths are relative to the project folder."""
    table: str = ""
    """The table in a database (SQLite, DuckDB, PostgreSQL)."""
    unit: Words
    """What a row is: application, certificate, order."""
    person: tuple[str, ...] = ()
    """Fields which together tell people apart; empty where rows are not about persons."""
    holding: tuple[str, ...] = ()
    """Fields that say which records are one contributor, such as the parent company; else the person, and
    without persons each record."""
    public: bool = False
    """The rows themselves are public (a register of models): may be published as a list. No persons."""
    method: MethodFile = SuppressionFile()
    """How its numbers are protected: one method for all tables of the source."""
    description: Words | None = None
    notice: Words | None = None
    """Stands on every page that shows the source: that records are synthetic, where real ones come from."""
    attribution: Words | None = None
    """Who made the records, and the licence."""
    updated: date | None = None
    fields: dict[str, FieldFile]


class DimensionFile(Model):
    """One dimension of a table. Without keys: the field of the same name, by category."""

    from_: str | None = Field(default=None, alias="from")
    """The field it is made from; the dimension's own name if absent."""
    title: Words | None = None
    by: Literal["year", "quarter", "month", "month-of-year"] | None = None
    """A part of a date."""
    at: str | None = None
    """With bands over a birth date: the date field at which the age is taken."""
    bands: tuple[int, ...] | None = None
    """Lower edges of classes of a number or age: [21, 25, 35] makes under 21, 21-24, 25-34, 35 and over."""
    top: int | None = None
    """Top-coding of a number: this value and all above are one category."""
    hierarchy: str | None = None
    """A hierarchy of clerestory.toml whose finest level the field holds."""
    finest: str | None = None
    """The finest level of the hierarchy that is published; its own finest if absent."""
    first: Code | None = None
    """Of a date part: the first period ("2012", "2012-Q1", "2012-03"); earlier ones are errors."""
    last: Code | None = None
    """Of a date part: the last period, written like the first; later ones are errors."""
    missing: Words | None = None
    """What the category of records without a value is called."""
    spread: Spread | None = None
    """With count = "person": how one person's records fall over this dimension; "latest" if absent."""


class MarkFile(Model):
    """A remark on published values that are there but not finished, or not collected."""

    status: Literal[Status.INCOMPLETE, Status.NO_DATA]
    where: dict[str, Code]
    """Dimension -> code of the category it is about."""
    note: Words


class PublishFile(Model):
    """Which cross-tabulations leave the building; the totals of each are implied."""

    margins: tuple[tuple[str, ...], ...] = Field(min_length=1)
    keep: tuple[tuple[str, ...], ...] = ()
    """Margins, with their totals, whose numbers readers want most: others are hidden rather than these."""


class AttributeFile(Model):
    """A dimension whose categories say something sensitive of everybody in them."""

    dimension: str
    minimum: int | None = Field(default=None, ge=1)
    """Of a group shown beside its part in a category, so many may be elsewhere; 3 if absent."""


class PopulationFile(Model):
    """Where the people are counted whom a table's cells are about."""

    file: str
    """A CSV in the project: columns called as dimensions of the table, and one of populations."""
    column: str = "population"
    """The column of populations: whole numbers."""


class ScoringFile(Model):
    """What a dimension is to the CalHHS Publication Scoring Criteria, where its field does not tell."""

    as_: Variable | None = Field(default=None, alias="as")
    """The variable of the criteria: sex, age, race, residence, service, other and so on."""
    detail: Literal["few", "all", "detailed"] | None = None
    """Of races, ethnicities and languages: few large groups, all broad groups, or detailed ones."""
    population: int | None = Field(default=None, ge=0)
    """People in the smallest area or group."""
    years: int | None = Field(default=None, ge=1)
    """Of an age: years in the narrowest band."""


class TableFile(Model):
    """[NAME] in tables/*.toml: what is counted, by which dimensions."""

    source: str
    title: Words
    description: Words | None = None
    count: str | None = None
    """"person" for distinct persons; or the source's unit, such as "application", for records."""
    by: str | None = None
    """With count = "person": the date field that says which of a person's records is first or latest."""
    sum: str | None = None
    """A measure to add up, instead of count."""
    where: str = ""
    """Which records count: FIELD = VALUE, !=, <, <=, >, >=, in [...], is missing, joined by and."""
    dimensions: dict[Name, DimensionFile]
    publish: PublishFile
    marks: tuple[MarkFile, ...] = ()
    attributes: tuple[AttributeFile, ...] = ()
    """Dimensions in which a group may not be all, or all but a few, in one category."""
    zeros: Literal["shown", "hidden"] | None = None
    """Whether a zero is always shown (public); if absent "hidden" with attributes, else "shown"."""
    population: PopulationFile | None = None
    """Hides numbers about fewer people than the policy's minimum_population."""
    rates: bool = False
    """The table is read as rates: numbers of few events are flagged as unstable."""
    unstable_below: int | None = Field(default=None, ge=1)
    """Flags numbers below this as unstable; may only be more than the policy's."""
    relative_error: float | None = Field(default=None, gt=0, lt=1)
    """Flags numbers whose relative standard error, 1 / sqrt(count), is above this: 0.25 flags under 16."""
    scoring: dict[str, ScoringFile] = {}
    """Dimension -> what it is to the CalHHS Publication Scoring Criteria."""
    covers_years: int | None = Field(default=None, ge=1)
    """How many years each number adds up, where no dimension says it; for the scoring criteria."""
    changes: Changes = Changes.FROZEN
    """How its numbers change from one release to the next: "frozen" (not, but new categories come),
    "cumulative" (records are only added) or "revised" (in any way; all tables of the source)."""


class DifferenceDecision(Model):
    """[[difference]] in decisions/over-time.toml: numbers of a revised table that changed by little."""

    table: str
    since: str = Field(pattern=r"^r-[0-9a-f]{12}$")
    """The earlier release that they differ from."""
    do: Literal["accept", "batch"]
    """Publish them all the same, or hide them until the difference is no small count any more."""
    reason: str = Field(min_length=1)
    person: str = Field(min_length=1)
    """Who decided."""


class DecisionsFile(Model):
    """decisions/over-time.toml."""

    difference: tuple[DifferenceDecision, ...] = ()


class HierarchyFile(Model):
    """[hierarchies.NAME] in clerestory.toml: a lookup file that says what is inside what."""

    file: str
    """A CSV in the project: one column a level, a row for each finest code."""
    levels: tuple[str, ...] = Field(min_length=1)
    """Columns from fine to coarse: ["county", "region"]. LEVEL.en and LEVEL.es columns hold labels."""
    total: Words
    """What the whole is called: California."""
    titles: dict[str, Words] = {}
    """What a level is called in headings: {county = {en = "County", es = "Condado"}}."""


class DominanceFile(Model):
    """The (n,k) rule for sums."""

    contributors: int = Field(ge=1, le=10)
    """n: how many of the largest contributors."""
    share: float = Field(gt=0, lt=100)
    """k: the most that they may hold, in percent of the total."""


class PriorPosteriorFile(Model):
    """The (p,q) rule for sums."""

    p: float = Field(gt=0, le=100)
    """Within how many percent nobody may be known after publication."""
    q: float = Field(gt=0, le=100)
    """Within how many percent everybody is known before it."""


class PolicyFile(Model):
    """[policy]: the profile, and how it is tightened."""

    profile: str = "calhhs-ddg-2.0"
    minimum_count: int | None = Field(default=None, ge=2)
    interval_width: int | None = Field(default=None, ge=1)
    audit_level: int | None = Field(default=None, ge=1, le=3)
    """The reader that a release must withstand: 2 knows the policy, 3 also of finest cells behind margins."""
    insider_records: int | None = Field(default=None, ge=1, le=1000)
    """So many records of any hidden number may be a reader's own."""
    cost: Cost = Cost.CELLS
    """What protection loses least of: "cells" (how many numbers are hidden) or "value" (how many records)."""
    minimum_contributors: int | None = Field(default=None, ge=2)
    """Sums of fewer contributors are hidden; counts too, where the source has a `holding`."""
    dominance: DominanceFile | None = None
    """The (n,k) rule for sums: { contributors = 2, share = 85 }."""
    p_percent: float | None = Field(default=None, gt=0, le=100)
    """The p% rule for sums."""
    prior_posterior: PriorPosteriorFile | None = None
    """The (p,q) rule for sums: { p = 10, q = 50 }."""
    attribute_minimum: int | None = Field(default=None, ge=1)
    """Protects every dimension made from a sensitive field against attribute disclosure."""
    minimum_population: int | None = Field(default=None, ge=1)
    """People that a number must be about, in tables that name a `population` file."""
    unstable_below: int | None = Field(default=None, ge=1)
    """Rates of fewer events are flagged, in tables with rates = true."""
    scoring: str | None = None
    """Edition of the CalHHS Publication Scoring Criteria in the build report: "1.0" or "2.0"."""
    area_population: int | None = Field(default=None, ge=1)
    """People in the whole area that the project is about, for the scoring criteria: 39237836."""


class QuestionFile(Model):
    """[[gate.checklist]]: a question that a reviewer answers."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    text: Words


class GateFile(Model):
    """[gate]: what must happen before a release goes live; may only tighten what the root of trust says."""

    reviewers: int | None = Field(default=None, ge=1, le=20)
    """How many must approve."""
    recount: bool | None = None
    """Another person must build the same digest from the sources."""
    reproof: bool | None = None
    """Another person must make the same proof from the public files."""
    review_minutes: int | None = Field(default=None, ge=0)
    """Time that must pass between build and publication."""
    approval_days: int | None = Field(default=None, ge=1)
    """How long an approval counts."""
    courses: tuple[str, ...] | None = None
    """Courses that everybody who acts on a release must have passed, and not too long ago."""
    checklist: tuple[QuestionFile, ...] | None = None
    """What a reviewer must answer."""
    report_hours: int | None = Field(default=None, ge=1)
    """Within how many hours a report from outside must be answered, or the release is withdrawn."""
    cache_seconds: int | None = Field(default=None, ge=0)
    """How long anybody may keep a copy of what can be withdrawn."""


class PublisherFile(Model):
    """[publisher]: who answers for what is published."""

    name: Words
    email: str
    url: str = ""


class SiteFile(Model):
    """[site]: the site as a whole."""

    title: Words
    description: Words
    languages: tuple[Literal["en", "es"], ...] = ("en",)
    banner: Words | None = None
    """Stands on top of every page, such as: a demonstration with synthetic records."""
    navigation: tuple[str, ...] = ()
    """Pages in the order of the menu; others follow by name."""
    address: str = ""
    """Where it will live, for canonical links and citations: https://…"""
    purge: tuple[str, ...] = ()
    """Addresses of caches in front of the site; a takedown asks each to forget everything: https://…"""


class ProjectFile(Model):
    """clerestory.toml."""

    publisher: PublisherFile
    site: SiteFile
    policy: PolicyFile = PolicyFile()
    gate: GateFile = GateFile()
    hierarchies: dict[Name, HierarchyFile] = {}


class ChartData(Model):
    """The `data` of a chart block: protected cells of one table."""

    table: str
    levels: dict[str, str] = {}
    """Dimension -> level drawn; the finest if absent."""
    at: dict[str, Code] = {}
    """Dimension -> code of a category to hold it at; others not drawn are at the reader's choice or total."""
    order: Literal["natural", "value"] = "natural"
    limit: int | None = Field(default=None, ge=1)
    """Draw only the first so many categories; the data table has all."""
    map: Literal["california-counties"] | None = None
    """Shapes to draw the categories of a county dimension on."""
    total: bool = False
    """Whether the total of the drawn dimension is in the data table too (it is always downloadable)."""


class ChartFile(Model):
    """A fenced `chart` block: Vega-Lite in YAML whose data names a table; the value's field is `value`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    title: Words
    description: Words | None = None
    data: ChartData
    spec: dict[str, Any]
    """The Vega-Lite keys: mark, encoding, and the like."""


class ListFile(Model):
    """A fenced `list` block: the rows of a source that is public as such."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    title: Words
    source: str
    fields: tuple[str, ...]


class PageFile(Model):
    """The front matter of a page in dashboards/."""

    title: str = Field(min_length=1)
    summary: str = ""
    """One or two sentences for menus, search results and the page's head."""
