"""Checks a table against its source and the hierarchies, and reads its `where`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from clerestory.errors import InputError
from clerestory.project.check_rules import check_rules
from clerestory.project.codes import PERIOD_EXAMPLES, DeclaredDimension, declare, period_number
from clerestory.project.draft import Draft
from clerestory.project.locate import Key
from clerestory.project.models import DimensionFile, Role, SourceFile
from clerestory.project.problems import Document, nearest
from clerestory.project.project import Table
from clerestory.project.where import Condition, parse
from clerestory.tables import Changes, Spread

_RESERVED = ("value", "status_category", "table", "source")
"""Columns of downloads and words of addresses, so no dimension can be called so."""
_ASSIGNED = (None, Spread.FIRST, Spread.LATEST)


def check_table(draft: Draft, table: Table) -> Table:
    """The table with its `where` read; notes what is wrong with it."""
    source = draft.sources.get(table.said.source)
    document = draft.documents["table", table.name]
    if source is None:
        draft.unsound.add(table.name)
        if not draft.may_exist("source", table.said.source):
            names = [*draft.sources, *(name for kind, name in draft.broken if kind == "source")]
            draft.collect.add(
                f"no source {table.said.source!r}",
                where=document.at((table.name, "source")),
                fix=nearest(table.said.source, names),
            )
        return table
    return _Check(draft, table, source.said, document).run()


class _Check:
    def __init__(self, draft: Draft, table: Table, source: SourceFile, document: Document) -> None:
        self._draft = draft
        self._table = table
        self._said = table.said
        self._source = source
        self._document = document
        self._used: set[str] = set()

    def run(self) -> Table:
        self._what_is_counted()
        for name, dimension in self._said.dimensions.items():
            self._dimension(name, dimension)
        conditions = self._where()
        self._margins()
        self._marks()
        self._changes()
        return check_rules(self._draft, replace(self._table, where=conditions), self._source, self._document)

    # What is counted

    def _what_is_counted(self) -> None:
        said, unit = self._said, self._source.unit["en"]
        persons = said.count == "person"
        if (said.count is None) == (said.sum is None):
            self._add(
                "a table says either count or sum",
                ("count",) if said.count else (),
                f'write count = "{unit}", count = "person", or sum = "a measure"',
            )
        if said.count is not None and not persons and said.count != unit:
            self._add(
                f"a row of this source is no {said.count!r}",
                ("count",),
                nearest(said.count, [unit, "person"]),
            )
        if persons and not self._source.person:
            self._add(
                "the source does not say what tells persons apart",
                ("count",),
                f'add person = ["…"] to sources/{said.source}.toml, or count = "{unit}"',
            )
        if said.sum is not None:
            self._sum(said.sum)
        self._spread(persons)

    def _sum(self, measure: str) -> None:
        field = self._field(measure, ("sum",), "summed")
        if field is None:
            return
        said = self._source.fields[measure]
        if said.role is not Role.MEASURE:
            measures = [name for name, one in self._source.fields.items() if one.role is Role.MEASURE]
            self._add(
                f"{measure!r} is not a measure: its role is {said.role.value!r}",
                ("sum",),
                nearest(measure, measures),
            )
        elif said.bounds is None:
            self._add(
                f"the measure {measure!r} has no bounds",
                ("sum",),
                f"add bounds = [least, greatest] to it in sources/{self._said.source}.toml",
            )

    def _spread(self, persons: bool) -> None:
        said = self._said
        if not persons:
            if said.by is not None:
                self._add("`by` is for tables that count persons", ("by",), "remove the key")
            for name, dimension in said.dimensions.items():
                if dimension.spread is not None:
                    self._add(
                        "spread is for tables that count persons",
                        ("dimensions", name, "spread"),
                        "remove the key",
                    )
            return
        if said.by is not None:
            self._field(said.by, ("by",), "ordered by")
        assigned = {
            dimension.spread or Spread.LATEST
            for dimension in said.dimensions.values()
            if dimension.spread in _ASSIGNED
        }
        if len(assigned) > 1:
            self._add(
                "one table cannot count persons both at their first and at their latest record",
                ("dimensions",),
                "make two tables, or the same spread everywhere",
            )
        if assigned and said.by is None:
            self._add(
                "`by` is missing: nothing says which of a person's records is the latest or first",
                ("by",),
                'name a date field: by = "…"; or say spread = "disjoint" or "overlapping" on every dimension',
            )

    # Dimensions

    def _dimension(self, name: str, said: DimensionFile) -> None:
        key: Key = ("dimensions", name)
        if name in _RESERVED or (
            name.endswith("_level") and name.removesuffix("_level") in self._said.dimensions
        ):
            self._unsound(
                f"a dimension cannot be called {name!r}: downloads have a column of that name",
                key,
                f'call it something else: {self._said.source}_{name} = {{ from = "{said.from_ or name}" }}',
            )
        if name in ("all", "missing"):
            self._unsound(f"a dimension cannot be called {name!r}", key, "call it something else")
        made_from = said.from_ or name
        role = self._field(made_from, (*key, "from") if said.from_ else key, "a dimension")
        if role is Role.MEASURE and said.bands is None and said.top is None:
            self._unsound(f"the measure {made_from!r} divides nothing", key, "add bands = [ … ] or top = …")
        self._one_way(said, key)
        if said.at is not None:
            self._field(said.at, (*key, "at"), "the date of an age")
        if said.bands is not None and (not said.bands or any(a >= b for a, b in pairwise(said.bands))):
            self._unsound(
                "the bands do not ascend", (*key, "bands"), "write the lower edges from low to high"
            )
        if said.by is not None:
            self._periods(said, key)
        if said.hierarchy is not None:
            self._hierarchy(said.hierarchy, said.finest, key)

    def _one_way(self, said: DimensionFile, key: Key) -> None:
        ways = [way for way in ("by", "bands", "top", "hierarchy") if getattr(said, way) is not None]
        if len(ways) > 1:
            self._unsound(f"{ways[0]} and {ways[1]} at once", (*key, ways[1]), "make two dimensions of them")
        for word, needs in (("at", "bands"), ("finest", "hierarchy"), ("first", "by"), ("last", "by")):
            if getattr(said, word) is not None and getattr(said, needs) is None:
                self._add(f"{word} without {needs}", (*key, word), f"add {needs}, or remove {word}")

    def _periods(self, said: DimensionFile, key: Key) -> None:
        # The range of a month of the year is said in months of the calendar.
        by = "month" if said.by in (None, "month-of-year") else said.by
        numbers: list[int] = []
        for word, code in (("first", said.first), ("last", said.last)):
            number = None if code is None else period_number(by, code)
            if code is not None and number is None:
                self._unsound(f"{code!r} is not a {by}", (*key, word), f'write "{PERIOD_EXAMPLES[by]}"')
            numbers += [] if number is None else [number]
        if numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 2:
            self._unsound("the first period is after the last", (*key, "first"), "exchange them")

    def _hierarchy(self, name: str, finest: str | None, key: Key) -> None:
        hierarchy = self._draft.hierarchies.get(name)
        if hierarchy is None:
            self._draft.unsound.add(self._table.name)
            if not self._draft.may_exist("hierarchy", name):
                self._add(
                    f"no hierarchy {name!r}", (*key, "hierarchy"), nearest(name, self._draft.hierarchies)
                )
        elif finest is not None and finest not in hierarchy.levels:
            self._unsound(f"no level {finest!r}", (*key, "finest"), nearest(finest, hierarchy.levels))

    def _field(self, name: str, key: Key, use: str) -> Role | None:
        """The role of a field that the table uses; None, and a problem, if it cannot be used."""
        field = self._source.fields.get(name)
        if field is None:
            near = nearest(name, self._source.fields)
            self._unsound(
                f"the field {name!r} has no role in the source",
                key,
                f"{near} Else add it under [fields] of sources/{self._said.source}.toml"
                if near.startswith("did you mean")
                else f"add it under [fields] of sources/{self._said.source}.toml; {near}",
            )
            return None
        if field.role is Role.IDENTIFIER:
            self._unsound(
                f"the field {name!r} is an identifier: it cannot be {use}",
                key,
                "use a field that is not about one person alone, or correct its role if it is none",
            )
            return None
        if field.role is Role.UNUSED:
            self._unsound(
                f"the field {name!r} is unused, so it is never read: it cannot be {use}",
                key,
                f"give it another role in sources/{self._said.source}.toml",
            )
            return None
        return field.role

    # Where

    def _where(self) -> tuple[Condition, ...]:
        where = self._document.at((self._table.name, "where"))
        try:
            conditions = parse(self._said.where, where=where)
        except InputError as error:
            self._draft.collect.add(error.what, where=error.where, fix=error.fix)
            return ()
        return tuple(self._resolved(condition) for condition in conditions)

    def _resolved(self, condition: Condition) -> Condition:
        """The condition on a field, where it may have named a dimension."""
        name, key = condition.field, ("where",)
        dimension = self._said.dimensions.get(name)
        if dimension is not None and not condition.part:
            self._used.add(name)
            made_from = dimension.from_ or name
            if name in self._source.fields and made_from != name:
                self._add(
                    f"{name!r} is a field and a dimension made from another field",
                    key,
                    "rename the dimension, so that it is plain which is meant",
                )
            elif dimension.by == "year":
                condition = replace(condition, field=made_from, part="year")
            elif dimension.by is not None:
                self._add(
                    f"a {dimension.by} cannot stand in a condition",
                    key,
                    f"compare the date: {made_from} >= 2012-03-01, or year({made_from})",
                )
                return condition
            elif dimension.at is not None:
                self._add(
                    f"the age {name!r} cannot stand in a condition", key, "use its classes in the chart"
                )
                return condition
            else:
                condition = replace(condition, field=made_from)
        elif name not in self._source.fields:
            self._add(
                f"no field or dimension {name!r}",
                key,
                nearest(name, [*self._source.fields, *self._said.dimensions]),
            )
            return condition
        self._field(condition.field, key, "in a condition")
        if condition.part and any(type(value) is not int for value in condition.values):
            self._add(f"year({condition.field}) is compared with a year", key, "write 2012, without quotes")
        self._known_values(condition)
        return condition

    def _known_values(self, condition: Condition) -> None:
        field = self._source.fields.get(condition.field)
        if field is None or condition.part or condition.operator not in ("=", "!=", "in", "not in"):
            return
        known = list(field.categories or ())
        for dimension_name, dimension in self._said.dimensions.items():
            hierarchy = self._draft.hierarchies.get(dimension.hierarchy or "")
            if hierarchy is not None and (dimension.from_ or dimension_name) == condition.field:
                known = list(hierarchy.codes)
        for value in condition.values:
            if known and str(value) not in known:
                self._add(f"no {condition.field} {str(value)!r}", ("where",), nearest(str(value), known))

    # Margins and marks

    def _margins(self) -> None:
        dimensions = self._said.dimensions
        key: Key = ("publish", "margins")
        in_margins: set[str] = set()
        for place, margin in enumerate(self._said.publish.margins):
            in_margins.update(margin)
            for number, name in enumerate(margin):
                if name not in dimensions:
                    self._unsound(f"no dimension {name!r}", (*key, place, number), nearest(name, dimensions))
            if len(set(margin)) < len(margin):
                self._unsound("a dimension stands twice in a margin", (*key, place), "name each once")
        for place, margin in enumerate(self._said.publish.keep):
            if not any(set(margin) <= set(published) for published in self._said.publish.margins):
                self._add(
                    "keep names a margin that is not published",
                    ("publish", "keep", place),
                    "name dimensions that one of the margins crosses",
                )
        for name in dimensions:
            if name not in in_margins and name not in self._used:
                self._add(
                    f"the dimension {name!r} is in no margin, so its field would be read for nothing",
                    ("dimensions", name),
                    "add it to a margin, or remove it",
                )

    def _marks(self) -> None:
        for place, mark in enumerate(self._said.marks):
            key: Key = ("marks", place, "where")
            for name, code in mark.where.items():
                if name not in self._said.dimensions:
                    self._add(f"no dimension {name!r}", (*key, name), nearest(name, self._said.dimensions))
                elif self._table.name not in self._draft.unsound:
                    known: DeclaredDimension = declare(self._draft, self._table, name)
                    if not known.has(code):
                        self._add(f"no {name} {code!r}", (*key, name), nearest(code, known.every_code()))

    def _changes(self) -> None:
        """The records of a source are revised, or they are not: its tables cannot say both."""
        if self._said.changes is Changes.CUMULATIVE and self._said.count == "person":
            for name, dimension in self._said.dimensions.items():
                if dimension.spread not in (Spread.FIRST, Spread.DISJOINT):
                    self._add(
                        "persons who are counted at their latest record, or in several places, do not only "
                        "come: they move",
                        ("dimensions", name),
                        'say spread = "first" or "disjoint", or changes = "revised"',
                    )
        if self._said.changes is not Changes.REVISED:
            return
        for other in self._draft.tables.values():
            if other.said.source == self._said.source and other.said.changes is not Changes.REVISED:
                self._add(
                    f"this table is revised, and table {other.name!r} of the same source is "
                    f"{other.said.changes.value}",
                    ("changes",),
                    "let all tables of a source be revised, or none",
                )
                return

    def _unsound(self, what: str, key: Key, fix: str = "") -> None:
        self._draft.unsound.add(self._table.name)
        self._add(what, key, fix)

    def _add(self, what: str, key: Key, fix: str = "") -> None:
        self._draft.collect.add(what, where=self._document.at((self._table.name, *key)), fix=fix)
