"""What a source's tables need: which columns, which variables, and what must be found out first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from clerestory.confidential.design.nodes import (
    POSSIBLE_AGES,
    Range,
    Tree,
    lowest,
    period_start,
    said_range,
    tree,
)
from clerestory.confidential.design.variables import (
    Classes,
    Cut,
    Kind,
    Variable,
    condition_classes,
    condition_cuts,
)
from clerestory.errors import InputError
from clerestory.project import Condition, DimensionFile, Project, Role, Source, Table
from clerestory.tables import margin_closure

MOST_FOUND = 100
"""Distinct values that a field may have without declaring its categories."""

MOST_PERIODS = 1200
"""Periods of a date dimension: a hundred years of months."""


@dataclass(frozen=True)
class Plan:
    """What is counted for one source.

    variables: by name; the codes of some, and the periods of some, are still to be found in the records
    (`to_find`, `to_date`). months: for dates, the first and last month of the records that was found.
    """

    project: Project
    source: Source
    tables: tuple[Table, ...]
    variables: Mapping[str, Variable]
    months: Mapping[str, tuple[int, int]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must be read, and no others."""
        needed = [field for variable in self.variables.values() for field in variable.fields]
        needed += self.source.said.person
        needed += self.holding if self.asks_holdings else ()
        needed += [name for table in self.tables for name in (table.said.by, table.said.sum) if name]
        return tuple(dict.fromkeys(needed))

    @property
    def holding(self) -> tuple[str, ...]:
        """The fields that tell contributors apart; empty if each record is one."""
        return self.source.said.holding or self.source.said.person

    @property
    def asks_holdings(self) -> bool:
        """Whether a rule of the policy is about who contributes to some cell of these tables."""
        policy = self.project.policy
        counted = bool(policy.minimum_contributors and self.source.said.holding)
        return not self.source.said.public and (
            counted or (policy.asks_contributions and any(table.said.sum for table in self.tables))
        )

    @cached_property
    def to_find(self) -> tuple[str, ...]:
        """Variables whose categories nobody declared."""
        return tuple(
            name
            for name, variable in self.variables.items()
            if variable.kind is Kind.CATEGORY and not variable.declared and not variable.only_where
        )

    @cached_property
    def to_date(self) -> tuple[str, ...]:
        """Date variables some dimension of which has no first or last period."""
        return tuple(
            dict.fromkeys(
                variable_name(name, said)
                for table in self.tables
                for name, said in table.said.dimensions.items()
                if said.by is not None and (said.first is None or said.last is None)
            )
        )

    def found(self, codes: Mapping[str, tuple[str, ...]], months: Mapping[str, tuple[int, int]]) -> Plan:
        """The plan with what the records told: categories, and first and last months.

        Raises InputError if a dimension's periods are still unknown, or the margins ask for too many cells.
        """
        known = replace(self, months=dict(months))
        variables = {
            name: replace(variable, codes=tuple(dict.fromkeys((*codes.get(name, ()), *variable.codes))))
            if name in codes
            else replace(variable, cuts=known._cuts(variable))
            for name, variable in self.variables.items()
        }
        whole = replace(known, variables=variables)
        for table in whole.tables:
            whole._afford(table)
        return whole

    def tree(self, table: Table, name: str) -> Tree:
        """The categories of a table's dimension."""
        said = table.said.dimensions[name]
        field = self.source.said.fields[said.from_ or name]
        variable = self.variables[variable_name(name, said)]
        grown = tree(name, said, field, variable, self.project.hierarchies, self.span(table, name))
        return grown

    def span(self, table: Table, name: str) -> Range | None:
        """The periods of a table's date part; None for other dimensions.

        Raises InputError if they are neither declared nor to be found.
        """
        said = table.said.dimensions[name]
        if said.by is None:
            return None
        span = said_range(said, self.months.get(variable_name(name, said)))
        if span is None:
            raise InputError(
                f"no record has a date in {said.from_ or name!r}, so there is no first and last {said.by}",
                where=f"table {table.name!r}, dimension {name!r}",
                fix="declare `first` and `last`",
            )
        if span.last - span.first >= MOST_PERIODS:
            raise InputError(
                f"the dates in {said.from_ or name!r} are {span.last - span.first:,} periods apart",
                where=f"table {table.name!r}, dimension {name!r}",
                fix="correct the dates that are out of range, or declare `first` and `last`",
            )
        return span

    def restrictions(self, table: Table) -> dict[str, Classes]:
        """The classes that a table's `where` lets through, for each variable that it restricts."""
        found: dict[str, Classes] = {}
        for condition in table.where:
            variable = self.variables[condition.field]
            classes = condition_classes(condition, variable, f"table {table.name!r}, where")
            found[variable.name] = found.get(variable.name, ~variable.none()) & classes
        return found

    def _cuts(self, variable: Variable) -> tuple[Cut, ...]:
        if variable.kind is Kind.CATEGORY:
            return ()
        cuts: set[Cut] = set()
        for table in self.tables:
            for name, said in table.said.dimensions.items():
                if variable_name(name, said) == variable.name:
                    cuts.update(self._dimension_cuts(table, name, said))
            for condition in table.where:
                if condition.field == variable.name:
                    cuts.update(condition_cuts(condition, variable.kind, f"table {table.name!r}, where"))
        return tuple(sorted(cuts))

    def _dimension_cuts(self, table: Table, name: str, said: DimensionFile) -> Iterator[Cut]:
        span = self.span(table, name)
        if span is not None:
            by = "month" if said.by == "month-of-year" else said.by or ""
            yield from (Cut(period_start(by, number)) for number in range(span.first, span.last + 2))
        if said.bands is not None:
            yield from (Cut(edge) for edge in said.bands)
        if said.at is not None:
            yield from (Cut(age) for age in POSSIBLE_AGES)
        if said.top is not None:
            low = lowest(self.source.said.fields[said.from_ or name])
            yield from (Cut(value) for value in range(low, said.top + 1))

    def _afford(self, table: Table) -> None:
        """Raises InputError if a table asks for more cells than allowed, before any record is counted."""
        size = {name: len(self.tree(table, name).branches) + 1 for name in table.said.dimensions}
        asked = 0
        for margin in margin_closure(table.said.publish.margins):
            cells = 1
            for name in margin:
                cells *= size[name]
            asked += cells
        most = self.project.policy.maximum_cells
        if asked > most:
            raise InputError(
                f"the margins ask for {asked:,} cells; the most for one source is {most:,}",
                where=f"table {table.name!r}",
                fix="cross fewer dimensions in one margin, or use coarser levels",
            )


def variable_name(dimension: str, said: DimensionFile) -> str:
    """The variable that a dimension is made from."""
    field = said.from_ or dimension
    return f"{field} at {said.at}" if said.at else field


def plan_source(project: Project, source_name: str) -> Plan:
    """What must be read and counted for the tables of a source.

    Raises InputError if a table uses a field without a role, an identifier or an unused field, or one field
    in ways that do not go together.
    """
    source = project.sources[source_name]
    tables = tuple(table for table in project.tables.values() if table.said.source == source_name)
    if not tables:
        raise InputError("no table counts it", where=f"source {source_name!r}", fix="add one to tables/")
    uses: dict[str, list[tuple[Table, str, DimensionFile | Condition]]] = {}
    for table in tables:
        for name, said in table.said.dimensions.items():
            _may_divide(source, table, said.from_ or name, said.at)
            uses.setdefault(variable_name(name, said), []).append((table, name, said))
        for condition in table.where:
            _may_divide(source, table, condition.field)
            uses.setdefault(condition.field, []).append((table, "", condition))
        for used in (table.said.by, table.said.sum):
            _may_divide(source, table, used)
    variables = {name: _variable(project, source, name, used) for name, used in uses.items()}
    return Plan(project, source, tables, variables, {})


def _may_divide(source: Source, table: Table, *fields: str | None) -> None:
    for name in fields:
        if name is None:
            continue
        field = source.said.fields.get(name)
        role = field.role if field else None
        if role in (None, Role.IDENTIFIER, Role.UNUSED):
            raise InputError(
                f"the field {name!r} has no role" if role is None else f"the field {name!r} is {role.value}",
                where=f"table {table.name!r}",
                fix="a table divides and selects only by fields that are no identifiers and not unused",
            )


def _variable(
    project: Project, source: Source, name: str, uses: list[tuple[Table, str, DimensionFile | Condition]]
) -> Variable:
    dimensions = [said for _, _, said in uses if isinstance(said, DimensionFile)]
    conditions = [said for _, _, said in uses if isinstance(said, Condition)]
    kinds = {_dimension_kind(said) for said in dimensions}
    if len(kinds) > 1:
        raise InputError(
            f"the field {name!r} is divided in ways that do not go together",
            where=f"table {uses[0][0].name!r}",
            fix="use it everywhere by category, or everywhere in bands, or everywhere by date",
        )
    kind = kinds.pop() if kinds else _condition_kind(conditions)
    if kind is Kind.AGE:
        said = dimensions[0]
        return Variable(name, kind, (said.from_ or _name_of(uses), said.at or ""))
    if kind is not Kind.CATEGORY:
        return Variable(name, kind, (name,), only_where=not dimensions)
    said_codes = list(source.said.fields[name].categories or ())
    for said in dimensions:
        if said.hierarchy is not None:
            said_codes += project.hierarchies[said.hierarchy].codes
    mentioned = [
        str(value)
        for condition in conditions
        if condition.operator in ("=", "!=", "in", "not in")
        for value in condition.values
    ]
    codes = tuple(dict.fromkeys((*said_codes, *mentioned)))
    return Variable(name, kind, (name,), codes, declared=bool(said_codes), only_where=not dimensions)


def _name_of(uses: list[tuple[Table, str, DimensionFile | Condition]]) -> str:
    return next(name for _, name, said in uses if isinstance(said, DimensionFile))


def _dimension_kind(said: DimensionFile) -> Kind:
    if said.by is not None:
        return Kind.DATE
    if said.at is not None:
        return Kind.AGE
    return Kind.NUMBER if said.bands is not None or said.top is not None else Kind.CATEGORY


def _condition_kind(conditions: list[Condition]) -> Kind:
    """How a field that only conditions name is told apart: by what they compare it with."""
    values = [value for condition in conditions for value in condition.values]
    if any(condition.part for condition in conditions) or any(
        not isinstance(value, (str, int)) for value in values
    ):
        return Kind.DATE
    return Kind.NUMBER if any(isinstance(value, int) for value in values) else Kind.CATEGORY
