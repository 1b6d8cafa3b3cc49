"""Checks pages against the tables they show: names, codes, and whether a margin holds what is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clerestory.project.chart_spec import VALUE, faults, fields
from clerestory.project.codes import declare
from clerestory.project.draft import Draft
from clerestory.project.locate import Key
from clerestory.project.models import Role
from clerestory.project.problems import Document, nearest
from clerestory.project.project import Chart, Page, Rows, Table, ValueReference
from clerestory.tables import MISSING, TOTAL


def check_pages(draft: Draft, pages: tuple[Page, ...]) -> None:
    """Notes what is wrong with pages, against the tables that they show and against each other."""
    for page in pages:
        _Check(draft, page).run()
    _lists(draft, pages)
    _addresses(draft, pages)
    _translations(draft, pages)


class _Check:
    def __init__(self, draft: Draft, page: Page) -> None:
        self._draft = draft
        self._page = page
        self._document = _document(draft, page)

    def run(self) -> None:
        self._ids()
        self._controls()
        for chart in self._page.charts():
            self._chart(chart)
        for rows in self._page.lists():
            self._rows(rows)
        for prose in self._page.prose():
            for reference in prose.values:
                self._value(reference)

    def _ids(self) -> None:
        seen: set[str] = set()
        blocks: list[Chart | Rows] = [*self._page.charts(), *self._page.lists()]
        for block in blocks:
            if block.said.id in seen:
                self._at_line(
                    f"a second block with the id {block.said.id!r}", block.line, "give it another id"
                )
            seen.add(block.said.id)

    def _controls(self) -> None:
        charts = self._page.charts()
        tables = [self._draft.tables.get(chart.said.data.table) for chart in charts]
        sound = [table for table in tables if table is not None]
        for place, name in enumerate(self._page.controls):
            key: Key = ("controls", place)
            if (self._page.path, self._page.language) in self._draft.partial_pages:
                continue
            if not charts:
                self._add("controls on a page without a chart", key, "remove the block")
            elif len(sound) == len(tables) and not any(name in table.said.dimensions for table in sound):
                known = dict.fromkeys(one for table in sound for one in table.said.dimensions)
                self._add(f"no chart's table has a dimension {name!r}", key, nearest(name, known))
            for chart, table in zip(charts, tables, strict=True):
                if table is not None and name not in table.said.dimensions:
                    where = f"{self._document.name}:{chart.line}"
                    self._draft.collect.warnings.append(
                        f"{where}: the chart {chart.said.id!r} does not follow the control {name!r}: "
                        f"the table {table.name!r} has no such dimension"
                    )

    def _chart(self, chart: Chart) -> None:
        said, above = chart.said, (f"chart {chart.said.id}",)
        for key, what, fix in faults(said.spec):
            self._add(what, (*above, *key), fix)
        table = self._table(said.data.table, self._document.at((*above, "data", "table")))
        if table is None:
            return
        dimensions = table.said.dimensions
        drawn: list[str] = []
        for key, name in fields(said.spec):
            if name in dimensions:
                drawn.append(name)
            elif name != VALUE:
                self._add(
                    f"no field {name!r}: the table {table.name!r} has its dimensions and 'value'",
                    (*above, *key),
                    nearest(name, [*dimensions, VALUE]),
                )
        for name, level in said.data.levels.items():
            self._level(table, name, level, (*above, "data", "levels", name))
        for name, code in said.data.at.items():
            key = (*above, "data", "at", name)
            if name in drawn:
                self._add(f"{name!r} is drawn, and held at one category", key, "do one or the other")
            self._code(table, name, code, self._document.at(key))
        held = [name for name, code in said.data.at.items() if name in dimensions and code != TOTAL]
        chosen = [
            name
            for name in self._page.controls
            if name in dimensions and name not in drawn and name not in said.data.at
        ]
        without = [name for name in chosen if not self._in_margin(table, [*drawn, *held, *chosen])]
        self._margin(table, [*drawn, *held, *chosen], self._document.at(above), without)

    def _level(self, table: Table, name: str, level: str, key: Key) -> None:
        if name not in table.said.dimensions:
            self._add(f"no dimension {name!r}", key, nearest(name, table.said.dimensions))
        elif table.name not in self._draft.unsound:
            known = declare(self._draft, table, name)
            if level not in known.levels:
                self._add(f"no level {level!r} in {name!r}", key, nearest(level, known.levels))

    def _rows(self, rows: Rows) -> None:
        above = (f"list {rows.said.id}",)
        source = self._draft.sources.get(rows.said.source)
        if source is None:
            if not self._draft.may_exist("source", rows.said.source):
                self._add(
                    f"no source {rows.said.source!r}",
                    (*above, "source"),
                    nearest(rows.said.source, self._draft.sources),
                )
            return
        if not source.said.public:
            self._add(
                f"the rows of {source.name!r} are not public: only a source with public = true can be a list",
                (*above, "source"),
                "show a table of counts instead",
            )
        if not rows.said.fields:
            self._add("the list shows no fields", (*above, "fields"), "name the fields to show")
        if len(set(rows.said.fields)) < len(rows.said.fields):
            self._add("a field stands twice in the list", (*above, "fields"), "name each once")
        for place, name in enumerate(rows.said.fields):
            field, key = source.said.fields.get(name), (*above, "fields", place)
            if field is None:
                self._add(f"no field {name!r}", key, nearest(name, source.said.fields))
            elif field.role in (Role.IDENTIFIER, Role.UNUSED) or name in source.said.person:
                self._add(
                    f"the field {name!r} is {field.role.value}: it cannot be in a list", key, "take it out"
                )

    def _value(self, reference: ValueReference) -> None:
        where = f"{self._document.name}:{reference.line}"
        table = self._table(reference.table, where)
        if table is None:
            return
        for name, code in reference.at.items():
            self._code(table, name, code, where)
        held = [
            name for name, code in reference.at.items() if name in table.said.dimensions and code != TOTAL
        ]
        self._margin(table, held, where, [])

    def _table(self, name: str, where: str) -> Table | None:
        table = self._draft.tables.get(name)
        if table is None and not self._draft.may_exist("table", name):
            self._draft.collect.add(f"no table {name!r}", where=where, fix=nearest(name, self._draft.tables))
        return table

    def _code(self, table: Table, name: str, code: str, where: str) -> None:
        if name not in table.said.dimensions:
            self._draft.collect.add(
                f"the table {table.name!r} has no dimension {name!r}",
                where=where,
                fix=nearest(name, table.said.dimensions),
            )
        elif table.name not in self._draft.unsound:
            known = declare(self._draft, table, name)
            if not known.has(code):
                fix = nearest(code, [*known.every_code(), MISSING, TOTAL])
                self._draft.collect.add(f"no {name} {code!r}", where=where, fix=fix)

    def _in_margin(self, table: Table, names: Iterable[str]) -> bool:
        wanted = set(names)
        return any(wanted <= set(margin) for margin in table.said.publish.margins)

    def _margin(self, table: Table, names: list[str], where: str, chosen: list[str]) -> None:
        if self._in_margin(table, names) or table.name in self._draft.unsound:
            return
        order = [name for name in table.said.dimensions if name in names]
        margin = ", ".join(f'"{name}"' for name in order)
        hold = ", ".join(f"{name}: {TOTAL}" for name in chosen)
        self._draft.collect.add(
            f"no margin of {table.name!r} publishes {' by '.join(order)} together"
            + (f" (the page's controls choose {' and '.join(chosen)})" if chosen else ""),
            where=where,
            fix=f"add [{margin}] to {table.name}.publish.margins"
            + (f", or hold it in the chart: at: {{{hold}}}" if chosen else ""),
        )

    def _at_line(self, what: str, line: int, fix: str) -> None:
        self._draft.collect.add(what, where=f"{self._document.name}:{line}", fix=fix)

    def _add(self, what: str, key: Key, fix: str = "") -> None:
        self._draft.collect.add(what, where=self._document.at(key), fix=fix)


def _document(draft: Draft, page: Page) -> Document:
    return draft.documents["page", f"{page.language}:{page.path}"]


def _lists(draft: Draft, pages: tuple[Page, ...]) -> None:
    """A list is downloaded under its id, so one id means one list, and no table has it."""
    seen: dict[str, tuple[str, tuple[str, ...], str]] = {}
    for page in pages:
        for rows in page.lists():
            where = _document(draft, page).at((f"list {rows.said.id}", "id"))
            what = (rows.said.source, rows.said.fields, page.path)
            if rows.said.id in draft.tables:
                draft.collect.add(
                    f"the list {rows.said.id!r} has the name of a table, and both are downloads",
                    where=where,
                    fix="give the list another id",
                )
            if seen.setdefault(rows.said.id, what) != what:
                draft.collect.add(
                    f"another list has the id {rows.said.id!r}", where=where, fix="give the list another id"
                )


def _addresses(draft: Draft, pages: tuple[Page, ...]) -> None:
    """The values of a page's control have addresses under the page's own; no page may stand there."""
    for page in pages:
        for name in page.controls:
            taken, owner = f"{page.path}/{name}".strip("/"), page.path or "the home page"
            for other in pages:
                if other.path == taken or other.path.startswith(f"{taken}/"):
                    draft.collect.add(
                        f"the address {other.path}/ is taken by the control {name!r} of {owner}",
                        where=_document(draft, other).name,
                        fix="rename this page",
                    )


def _translations(draft: Draft, pages: tuple[Page, ...]) -> None:
    """A reader who changes language must find the same choices."""
    english: Mapping[str, Page] = {page.path: page for page in pages if page.language == "en"}
    for page in pages:
        first = english.get(page.path)
        if first is not None and page.controls != first.controls:
            draft.collect.add(
                "the controls differ from the English page's",
                where=_document(draft, page).at(("controls",)),
                fix=f"write [{', '.join(first.controls)}]" if first.controls else "remove the controls block",
            )
