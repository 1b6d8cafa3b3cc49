"""Checks a source's method against its fields, its tables, the policy, and the other sources."""

from __future__ import annotations

from clerestory.methods import CellKey, DifferentialPrivacy, Rounding, RoundingKind
from clerestory.project.draft import Draft
from clerestory.project.locate import Key
from clerestory.project.methods import protector
from clerestory.project.models import (
    CellKeyFile,
    DifferentialPrivacyFile,
    DimensionFile,
    Role,
    SuppressionFile,
)
from clerestory.project.problems import nearest
from clerestory.project.project import Source, Table
from clerestory.tables import Spread


def check_methods(draft: Draft) -> None:
    """Notes what does not go together with the sources' methods."""
    for source in draft.sources.values():
        if not isinstance(source.said.method, SuppressionFile):
            _Check(draft, source).run()
    _one_method_for_the_same_records(draft)


def _one_method_for_the_same_records(draft: Draft) -> None:
    seen: dict[tuple[str, str], Source] = {}
    for source in draft.sources.values():
        first = seen.setdefault((source.said.location, source.said.table), source)
        if first.said.method != source.said.method:
            noise = any(isinstance(one.said.method, DifferentialPrivacyFile) for one in (first, source))
            draft.collect.add(
                f"the same records as source {first.name!r}, but protected by another method"
                + (": exact or rounded totals break differential privacy" if noise else ""),
                where=draft.documents["source", source.name].at(("method",)),
                fix="give both sources the same method, or count all tables from one source",
            )


class _Check:
    def __init__(self, draft: Draft, source: Source) -> None:
        self._draft = draft
        self._source = source
        self._said = source.said
        self._tables = [table for table in draft.tables.values() if table.said.source == source.name]

    def run(self) -> None:
        if self._said.public:
            self._add("the rows are public: there is nothing to protect", (), "remove the method")
        method = protector(self._said.method, self._draft.policy)
        if isinstance(method, Rounding):
            self._rounding(method)
        elif isinstance(method, CellKey):
            self._cell_key(method)
        elif isinstance(method, DifferentialPrivacy):
            self._differential_privacy(method)

    def _rounding(self, method: Rounding) -> None:
        width = self._draft.policy.interval_width
        if method.width_at_zero() < width:
            least = 2 * width + 1 if method.kind is RoundingKind.CONVENTIONAL else width + 1
            self._add(
                f"rounded to multiples of {method.base}, a 0 stands for fewer than {width + 1} numbers",
                ("base",),
                f"the policy's interval_width is {width}: base = {least} or more",
            )
        if method.reach > 1 and method.kind is not RoundingKind.CONTROLLED:
            self._add("only controlled rounding has a reach", ("reach",), "remove the key")

    def _cell_key(self, method: CellKey) -> None:
        said = self._said.method
        assert isinstance(said, CellKeyFile)
        width = self._draft.policy.interval_width
        if method.largest < width:
            self._add(
                f"counts change by at most {method.largest}",
                ("largest",),
                f"the policy's interval_width is {width}: largest = {2 * width} leaves room for it",
            )
        if method.smallest >= method.largest:
            self._add(
                "a count of 1 could only become 0",
                ("smallest",),
                "smallest must be less than largest",
            )
        for place, name in enumerate(said.key):
            field = self._said.fields.get(name)
            if field is None:
                self._add(f"no field {name!r}", ("key", place), nearest(name, self._said.fields))
            elif field.role is Role.UNUSED:
                self._add(
                    f"the field {name!r} is never read", ("key", place), "give it another role than unused"
                )
        if not said.key and not self._said.person:
            self._add(
                "nothing tells records apart",
                ("key",),
                'name fields that never change: key = ["…"], or say what tells persons apart',
            )
        for table in self._tables:
            if table.said.sum is not None:
                self._table(table, "sums have no cell keys", ("sum",), "count, or use another method")
            for name, dimension in table.said.dimensions.items():
                if table.said.count == "person" and dimension.spread is Spread.OVERLAPPING:
                    self._table(
                        table,
                        "overlapping persons have no cell keys",
                        ("dimensions", name, "spread"),
                        'use spread = "latest", "first" or "disjoint"',
                    )

    def _differential_privacy(self, method: DifferentialPrivacy) -> None:
        if not self._said.person:
            self._add(
                "what one person gives cannot be bounded: nothing tells persons apart",
                (),
                'add person = ["…"] to the source',
            )
        if method.rho > method.budget:
            self._add(
                "one release spends more than the whole budget", ("rho",), "lower rho, or raise the budget"
            )
        for table in self._tables:
            for name, dimension in table.said.dimensions.items():
                self._declared(table, name, dimension)

    def _declared(self, table: Table, name: str, said: DimensionFile) -> None:
        """Which categories there are must not be found out from the records."""
        field = self._said.fields.get(said.from_ or name)
        key: Key = ("dimensions", name)
        if said.by is not None:
            if said.first is None or said.last is None:
                self._table(table, "its periods would be found in the records", key, "add first and last")
        elif not (said.hierarchy or said.bands or said.top is not None or (field and field.categories)):
            self._table(
                table,
                "its categories would be found in the records",
                key,
                "declare the field's categories, or use a hierarchy or bands",
            )
        if said.missing is None:
            self._table(
                table,
                "whether values are missing would be seen from the categories",
                key,
                'name the category, so that it is always there: missing = "Not known"',
            )

    def _add(self, what: str, key: Key, fix: str) -> None:
        document = self._draft.documents["source", self._source.name]
        self._draft.collect.add(what, where=document.at(("method", *key)), fix=fix)

    def _table(self, table: Table, what: str, key: Key, fix: str) -> None:
        document = self._draft.documents["table", table.name]
        method = self._said.method.name
        self._draft.collect.add(
            f"{what} (the source's method is {method})", where=document.at((table.name, *key)), fix=fix
        )
