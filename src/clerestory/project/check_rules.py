"""Checks what a table says of the rules that protect it: attributes, zeros, populations, rates, scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clerestory.policy.scoring import Variable
from clerestory.project.draft import Draft
from clerestory.project.locate import Key
from clerestory.project.models import Role, SourceFile
from clerestory.project.populations import load_population
from clerestory.project.problems import Document, nearest
from clerestory.project.project import Population, Table

ATTRIBUTE_MINIMUM = 3
"""People that must be able to be elsewhere, where a table names a sensitive dimension and no number."""


def check_rules(draft: Draft, table: Table, source: SourceFile, document: Document) -> Table:
    """The table with its attributes and populations; notes what is wrong with what it says of its rules."""
    check = _Check(draft, table, source, document)
    check.rates()
    check.scoring()
    return replace(table, attributes=check.attributes(), population=check.population())


class _Check:
    def __init__(self, draft: Draft, table: Table, source: SourceFile, document: Document) -> None:
        self._draft, self._table, self._source, self._document = draft, table, source, document
        self._said = table.said

    def attributes(self) -> Mapping[str, int]:
        """Sensitive dimensions: those the table names and, where the policy asks, of sensitive fields."""
        least = self._draft.policy.attribute_minimum
        found: dict[str, int] = {}
        if least:
            for name, dimension in self._said.dimensions.items():
                field = self._source.fields.get(dimension.from_ or name)
                if field is not None and field.role is Role.SENSITIVE:
                    found[name] = least
        for place, attribute in enumerate(self._said.attributes):
            key: Key = ("attributes", place)
            if attribute.dimension not in self._said.dimensions:
                self._add(
                    f"no dimension {attribute.dimension!r}",
                    (*key, "dimension"),
                    nearest(attribute.dimension, self._said.dimensions),
                )
                continue
            if attribute.minimum is not None and attribute.minimum < least:
                self._add(
                    f"minimum = {attribute.minimum} is looser than the policy's {least}",
                    (*key, "minimum"),
                    "a table may only tighten the policy; raise the number or remove the key",
                )
            asked = attribute.minimum or max(least, ATTRIBUTE_MINIMUM)
            found[attribute.dimension] = max(asked, found.get(attribute.dimension, 0))
        if self._source.public and self._said.attributes:
            self._add("a public source has nobody to protect", ("attributes",), "remove the key")
        return found

    def rates(self) -> None:
        """Flags are for counts, since the error of a rate comes from its number of events."""
        said, least = self._said, self._draft.policy.unstable_below
        for key in ("rates", "unstable_below", "relative_error"):
            if said.sum is not None and getattr(said, key):
                self._add(f"{key} is for tables that count events", (key,), "remove the key")
        if said.unstable_below is not None and said.unstable_below < least:
            self._add(
                f"unstable_below = {said.unstable_below} is looser than the policy's {least}",
                ("unstable_below",),
                "a table may only tighten the policy; raise the number, or say rates = true",
            )

    def scoring(self) -> None:
        """Every dimension named is there, and a detail belongs to what has one."""
        detailed = (Variable.RACE, Variable.ETHNICITY, Variable.LANGUAGE)
        for name, one in self._said.scoring.items():
            if name not in self._said.dimensions:
                self._add(f"no dimension {name!r}", ("scoring", name), nearest(name, self._said.dimensions))
            elif one.detail is not None and one.as_ is not None and one.as_ not in detailed:
                self._add(f"{one.as_.value} has no detail", ("scoring", name, "detail"), "remove the key")

    def population(self) -> Population | None:
        """The populations of the table's reference file."""
        said = self._said.population
        if said is None or self._table.name in self._draft.unsound:
            return None
        if not self._draft.policy.minimum_population:
            self._add(
                f"the profile {self._draft.policy.profile!r} has no minimum population",
                ("population",),
                "add minimum_population to [policy] in clerestory.toml: 20000, say",
            )
            return None
        where = self._document.at((self._table.name, "population", "file"))
        return load_population(self._draft, self._table, where)

    def _add(self, what: str, key: Key, fix: str = "") -> None:
        self._draft.collect.add(what, where=self._document.at((self._table.name, *key)), fix=fix)
