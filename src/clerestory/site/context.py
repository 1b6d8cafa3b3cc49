"""What every page of a site shares: its pages by language, their choices, their sources, and the menu."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from clerestory.errors import InputError
from clerestory.project.project import Page, Project, Rows, Source
from clerestory.site.address import Choice, Choices, folder
from clerestory.site.promises import promise
from clerestory.site.strings import word
from clerestory.tables import Dimension, PublicList, PublicTable, said

DERIVED = ("data", "methodology", "data-dictionary", "accessibility", "report")
"""Pages that are made from the project itself; a project page at the same path takes their place."""


@dataclass(frozen=True)
class MenuItem:
    """A line of a menu: what it says and the folder it leads to, from the site's root."""

    title: str
    folder: str
    path: str


@dataclass(frozen=True, eq=False)
class Site:
    """Everything that pages are drawn from. Nothing here is more than what everybody may see."""

    project: Project
    tables: Mapping[str, PublicTable]
    lists: Mapping[str, PublicList]
    date: datetime.date
    _choices: dict[str, Choices] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """The site's languages; the first one is at the root."""
        return self.project.said.site.languages

    @cached_property
    def pages(self) -> dict[tuple[str, str], Page]:
        """Pages by (path, language)."""
        return {(page.path, page.language): page for page in self.project.pages}

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Paths of the project's pages: as navigation says, then by name."""
        known = {page.path for page in self.project.pages}
        first = [path.strip("/") for path in self.project.said.site.navigation]
        ordered = [path for path in first if path in known]
        return tuple(dict.fromkeys([*ordered, *sorted(known)]))

    def page(self, path: str, language: str) -> Page | None:
        """A page in a language, or in the site's first one where it is not translated."""
        return self.pages.get((path, language)) or self.pages.get((path, self.languages[0]))

    def root(self, language: str) -> str:
        """The language's own folder."""
        return "" if language == self.languages[0] else language

    def folder(self, path: str, language: str, choice: Choice | None = None) -> str:
        """The folder of a page, from the site's root."""
        return folder(self.root(language), path, choice.path if choice else "")

    def title(self, path: str, language: str) -> str:
        """What a page is called in menus."""
        page = self.page(path, language)
        if page is not None:
            return page.title
        return word(path or "home", language)

    def children(self, path: str, language: str) -> list[MenuItem]:
        """Pages right below a path ("" for the top of the site)."""
        found = []
        for other in self.paths:
            parent = other.rpartition("/")[0]
            if other and parent == path:
                found.append(MenuItem(self.title(other, language), self.folder(other, language), other))
        return found

    def menu(self, language: str) -> list[MenuItem]:
        """The main menu: the top pages, then open data and methodology."""
        items = self.children("", language)
        known = {item.path for item in items}
        for path in ("data", "methodology"):
            if path not in known:
                items.append(MenuItem(word(path, language), self.folder(path, language), path))
        return items

    def tables_of(self, page: Page) -> list[PublicTable]:
        """The tables that a page draws, each once, in order."""
        names = dict.fromkeys(chart.said.data.table for chart in page.charts())
        return [self.table(name, page) for name in names]

    def figures_of(self, page: Page) -> list[PublicTable]:
        """The tables that a page's charts and words speak of, each once, in order."""
        names = [table.name for table in self.tables_of(page)]
        names += [value.table for part in page.prose() for value in part.values]
        return [self.table(name, page) for name in dict.fromkeys(names)]

    def table(self, name: str, page: Page) -> PublicTable:
        """A table by name. Raises InputError."""
        if name not in self.tables:
            raise InputError(
                f"there is no table {name!r}",
                where=str(page.file.name),
                fix=f"choose one of: {', '.join(sorted(self.tables))}",
            )
        return self.tables[name]

    def sources_of(self, page: Page) -> list[Source]:
        """The sources of a page's tables and lists, each once."""
        names = dict.fromkeys(
            [table.source for table in self.tables_of(page)]
            + [part.said.source for part in page.parts if isinstance(part, Rows)]
        )
        return [self.project.sources[name] for name in names if name in self.project.sources]

    def choices(self, path: str) -> Choices:
        """What a reader may choose on a page, the same in every language."""
        if path not in self._choices:
            page = self.page(path, self.languages[0])
            dimensions: list[Dimension] = []
            for name in page.controls if page else ():
                having = [
                    table.dimension(name)
                    for table in self.tables_of(page)  # type: ignore[arg-type]
                    if any(d.name == name for d in table.dimensions)
                ]
                if not having:
                    raise InputError(
                        f"the control {name!r} is a dimension of no table on this page",
                        where=str(page.file.name) if page else path,
                        fix="remove it from the controls block, or add the dimension to a table",
                    )
                dimensions.append(max(having, key=lambda d: len(d.nodes)))
            self._choices[path] = Choices.of(dimensions)
        return self._choices[path]

    def promise(self, source: str, language: str) -> str:
        """What the method of a source promises of its numbers; empty where none changes them."""
        if source not in self.project.sources:
            return ""
        return promise(self.project.method(source), language)

    def said(self, words: Mapping[str, str] | None, language: str) -> str:
        """A project's text in a language; empty where there is none."""
        return said(words, language) if words else ""
