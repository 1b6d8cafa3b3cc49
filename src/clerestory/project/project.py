"""A project folder, loaded: settings, hierarchies, sources, tables and pages, and where each was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clerestory.methods import Protector
from clerestory.policy import Policy
from clerestory.project.methods import protector
from clerestory.project.models import (
    ChartFile,
    DifferenceDecision,
    ListFile,
    ProjectFile,
    SourceFile,
    TableFile,
)
from clerestory.project.where import Condition
from clerestory.tables import Text


@dataclass(frozen=True)
class Hierarchy:
    """A lookup file: what is inside what.

    levels: from coarse to fine. codes: for each finest code, in file order, its code at each level.
    labels: level -> code -> text. total: what the whole is called. titles: level -> heading.
    """

    name: str
    levels: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, Mapping[str, Text]]
    total: Text
    titles: Mapping[str, Text]


@dataclass(frozen=True)
class Source:
    """One source, with where its file is."""

    name: str
    file: Path
    said: SourceFile


@dataclass(frozen=True)
class Population:
    """How many people a table's cells are about, by category, from a public reference file.

    dimensions: of the table, in the order of the file's columns. counts: for each combination of finest
    codes the people in it; a combination without a row holds nobody.
    """

    dimensions: tuple[str, ...]
    counts: Mapping[tuple[str, ...], int]


@dataclass(frozen=True)
class Table:
    """One table, with its restriction parsed. attributes: sensitive dimension -> minimum that applies."""

    name: str
    file: Path
    said: TableFile
    where: tuple[Condition, ...]
    attributes: Mapping[str, int] = field(default_factory=dict)
    population: Population | None = None

    @property
    def zeros_shown(self) -> bool:
        """Whether a zero of the table is never hidden."""
        return self.said.zeros == "shown" if self.said.zeros else not self.attributes


@dataclass(frozen=True)
class ValueReference:
    """A {{ value("table", dimension="code") }} in prose; dimensions that it does not name are at the total.

    line: in the page's file; start, end: characters of the whole {{ … }} in its Prose's markdown.
    """

    table: str
    at: Mapping[str, str]
    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Prose:
    """Markdown between blocks, and the references to protected values in it, in order."""

    markdown: str
    line: int
    values: tuple[ValueReference, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart block and the line it stands on."""

    said: ChartFile
    line: int


@dataclass(frozen=True)
class Rows:
    """A list block and the line it stands on."""

    said: ListFile
    line: int


Part = Prose | Chart | Rows


@dataclass(frozen=True)
class Page:
    """One page in one language.

    path: address without slashes at the ends, "" for the home page, such as "firearms/ccw".
    controls: dimensions a reader may choose a value of; each value has its own address under the page's.
    language: of the site that the page is part of; written_in: of its words, which differs from it where
    a page was not translated and stands in English.
    """

    path: str
    language: str
    file: Path
    title: str
    summary: str
    controls: tuple[str, ...]
    parts: tuple[Part, ...]
    written_in: str = "en"

    def charts(self) -> tuple[Chart, ...]:
        """The charts, in order."""
        return tuple(part for part in self.parts if isinstance(part, Chart))

    def lists(self) -> tuple[Rows, ...]:
        """The lists, in order."""
        return tuple(part for part in self.parts if isinstance(part, Rows))

    def prose(self) -> tuple[Prose, ...]:
        """The words between blocks, in order."""
        return tuple(part for part in self.parts if isinstance(part, Prose))


@dataclass(frozen=True)
class Project:
    """A whole project, loaded and checked.

    pages: every page in every language of the site, in the order of the menu. warnings: what is allowed but
    may not be meant, each with its file.
    """

    root: Path
    said: ProjectFile
    policy: Policy
    hierarchies: Mapping[str, Hierarchy]
    sources: Mapping[str, Source]
    tables: Mapping[str, Table]
    pages: tuple[Page, ...]
    warnings: tuple[str, ...] = ()
    decisions: tuple[DifferenceDecision, ...] = ()

    def method(self, source: str) -> Protector:
        """How a source's numbers are protected."""
        return protector(self.sources[source].said.method, self.policy)
