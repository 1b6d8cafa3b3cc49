"""From a plan and the counts of its classes to axes, dimensions and linked tables.

Which records are odd (a code that no lookup has, a date out of range) is decided here, from counts alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.design.labels import dimension_title
from clerestory.confidential.design.nodes import Tree
from clerestory.confidential.design.plan import Plan, variable_name
from clerestory.confidential.design.units import unit_of
from clerestory.confidential.design.variables import MISSING_CLASS, Classes, Kind, Variable
from clerestory.errors import ClerestoryError, InputError, Problems
from clerestory.project import Table
from clerestory.tables import (
    MISSING,
    TOTAL,
    Attribute,
    Axis,
    CellSpace,
    Changes,
    Dimension,
    Node,
    TableDesign,
    Text,
    link_tables,
)


class Counts(Protocol):
    """What linking asks of the records: how many are in which classes."""

    def each(self, variable: str) -> NDArray[np.int64]:
        """Records in each class of a variable, in the whole source."""

    def inside(self, classes: Mapping[str, Classes]) -> int:
        """Records that are, for each variable, in one of its classes."""

    def distinct(self, variable: str) -> int:
        """How many different odd values a category variable has."""


@dataclass(frozen=True, eq=False)
class SourceDesign:
    """The linked tables of a source, and how the classes of the variables become categories of axes.

    order: the variable of each axis of the space. categories: for each, (classes,) position on the axis,
    -1 for classes in which no record is.
    """

    plan: Plan
    space: CellSpace
    order: tuple[str, ...]
    categories: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, eq=False)
class _Grown:
    """A dimension of a table: nodes, and (nodes, classes) members as far as the table's `where` goes."""

    name: str
    variable: Variable
    title: Text
    levels: tuple[str, ...]
    nodes: tuple[Node, ...]
    members: NDArray[np.bool_]


def link(plan: Plan, counts: Counts) -> SourceDesign:
    """The linked tables of a source.

    Raises InputError or Problems, without any value, if records fall outside what is declared, if a category
    that nobody declared is too small to be named, or if there are too many cells.
    """
    problems: list[ClerestoryError] = _unreadable(plan, counts)
    grown: list[tuple[Table, dict[str, Classes], list[_Grown]]] = []
    for table in plan.tables:
        select = plan.restrictions(table)
        dimensions = []
        for name in table.said.dimensions:
            tree = plan.tree(table, name)
            one = _grow(plan, table, name, tree, select, counts)
            problems += _stray(table, name, one, select, counts)
            problems += _too_small(plan, table, name, one, counts)
            dimensions.append(one)
        grown.append((table, select, dimensions))
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(_once(problems))
    return _linked(plan, grown, counts)


def _linked(
    plan: Plan, grown: list[tuple[Table, dict[str, Classes], list[_Grown]]], counts: Counts
) -> SourceDesign:
    order = tuple(plan.variables)
    axes: list[Axis] = []
    categories: list[NDArray[np.int64]] = []
    for name in order:
        variable = plan.variables[name]
        sets = [select[name] for _, select, _ in grown if name in select]
        covered = variable.none()
        for _, _, dimensions in grown:
            for one in dimensions:
                if one.variable.name == name:
                    sets += list(one.members[1:])
                    covered |= one.members[1:].any(axis=0)
        live = covered | (counts.each(name) > 0)
        if variable.only_where:
            live |= True
            live[variable.odd] = variable.kind is Kind.CATEGORY
        axis, positions = _axis(variable, live, sets)
        axes.append(axis)
        categories.append(positions)
    places = {name: place for place, name in enumerate(order)}
    designs = []
    for table, select, dimensions in grown:
        own = {name: _onto(classes, categories[places[name]]) for name, classes in select.items()}
        members = [
            np.array([_onto(row, categories[places[one.variable.name]]) for row in one.members])
            for one in dimensions
        ]
        # A total is what its children make up: no selected record is anywhere else (see _stray).
        for one, rows in zip(dimensions, members, strict=True):
            made_up = np.logical_or.reduce(rows[1:], axis=0)
            own[one.variable.name] = own.get(one.variable.name, made_up) & made_up
        made = []
        for one, rows in zip(dimensions, members, strict=True):
            rows[0] = True
            rows &= own[one.variable.name]
            made.append(Dimension(one.name, one.title, one.variable.name, one.levels, one.nodes, rows))
        select_sets = {name: members for name, members in own.items() if not members.all()}
        empty = [name for name, members in select_sets.items() if not members.any()]
        if empty:
            raise InputError(
                "its `where` lets no category through",
                where=f"table {table.name!r}",
                fix=f"see what it asks of {empty[0]!r}",
            )
        unit = unit_of(plan, table)
        margins = tuple(table.said.publish.margins)
        designs.append(
            TableDesign(
                table.name,
                table.said.title,
                unit,
                tuple(made),
                margins,
                select_sets,
                attributes=tuple(Attribute(name, least) for name, least in table.attributes.items()),
                zeros_shown=table.zeros_shown,
                changes=table.said.changes,
                keep=tuple(table.said.publish.keep),
            )
        )
    space = link_tables(plan.source.name, axes, designs, maximum_cells=plan.project.policy.maximum_cells)
    _only_come(space)
    return SourceDesign(plan, space, order, tuple(categories))


def _only_come(space: CellSpace) -> None:
    """Raises InputError where records are only added, but who is new in a part may be old in the whole."""
    for unit, overlapping in zip(space.unit_list, space.overlapping, strict=True):
        own = [layout.design for layout in space.layouts if layout.design.unit == unit]
        grown = [design.name for design in own if design.changes is Changes.CUMULATIVE]
        between = sorted(overlapping - unit.overlapping)
        if between and grown:
            raise InputError(
                f"persons are counted among different {', '.join(between)}: who is new in one table "
                "may not be new in another",
                where=f"table {grown[0]!r}",
                fix=f'make {between[0]} a dimension with spread = "disjoint", or say changes = "revised"',
            )


def _axis(variable: Variable, live: Classes, sets: list[Classes]) -> tuple[Axis, NDArray[np.int64]]:
    """An axis on which classes that no table tells apart are one category, and the classes' positions."""
    classes = np.flatnonzero(live)
    if not len(classes):
        classes = np.array([1])
    # Missing values stand last.
    classes = np.concatenate([classes[classes != MISSING_CLASS], classes[classes == MISSING_CLASS]])
    asked = np.array([members[classes] for members in sets], dtype=bool).reshape(len(sets), len(classes))
    _, first, inverse = np.unique(asked.T, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    merged = rank[inverse.ravel()]
    names = variable.names()
    categories = []
    for position in range(len(first)):
        inside = [names[place] for place in classes[merged == position]]
        rest = f" and {len(inside) - 1} more" if len(inside) > 1 else ""
        categories.append(f"{inside[0]}{rest}")
    positions = np.full(variable.classes, -1, dtype=np.int64)
    positions[classes] = merged
    return Axis(variable.name, tuple(categories)), positions


def _onto(classes: Classes, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A set of classes as a set of categories of the axis."""
    members = np.zeros(int(positions.max()) + 1, dtype=bool)
    chosen = positions[classes]
    members[chosen[chosen >= 0]] = True
    return members


def _grow(
    plan: Plan, table: Table, name: str, tree: Tree, select: Mapping[str, Classes], counts: Counts
) -> _Grown:
    said = table.said.dimensions[name]
    variable = plan.variables[variable_name(name, said)]
    allowed = select.get(variable.name, ~variable.none())
    nodes = [Node(TOTAL, tree.total, "all", -1)]
    members = [allowed]
    position = {TOTAL: 0}
    for branch in tree.branches:
        inside = branch.members & allowed
        if inside.any():
            position[branch.code] = len(nodes)
            nodes.append(Node(branch.code, branch.label, branch.level, position[branch.parent]))
            members.append(inside)
    missing = variable.missing() & allowed
    if missing.any() and (said.missing is not None or counts.each(variable.name)[MISSING_CLASS]):
        nodes.append(Node(MISSING, tree.missing, tree.finest, 0))
        members.append(missing)
    title = said.title or _title(plan, table, name)
    return _Grown(name, variable, title, tree.levels, tuple(nodes), np.array(members))


def _title(plan: Plan, table: Table, name: str) -> Text:
    said = table.said.dimensions[name]
    if said.hierarchy is not None:
        hierarchy = plan.project.hierarchies[said.hierarchy]
        return hierarchy.titles.get(said.finest or hierarchy.levels[-1], dimension_title(name, None, False))
    field = plan.source.said.fields[said.from_ or name]
    if field.title is not None and said.by is None and said.at is None:
        return field.title
    return dimension_title(name, said.by, said.at is not None)


def _unreadable(plan: Plan, counts: Counts) -> list[ClerestoryError]:
    """Values that are no date or no number where one is needed, and codes that nobody declared."""
    problems: list[ClerestoryError] = []
    for name, variable in plan.variables.items():
        odd = int(counts.each(name)[variable.odd])
        if not odd or (variable.kind is Kind.CATEGORY and not (variable.only_where and variable.declared)):
            continue
        wanted = {
            Kind.DATE: "a date (YYYY-MM-DD)",
            Kind.AGE: "two dates (YYYY-MM-DD)",
            Kind.NUMBER: "a number",
            Kind.CATEGORY: "one of the declared categories",
        }[variable.kind]
        problems.append(
            InputError(
                f"{rows_that(odd, 'hold')} something in {name!r} that is not {wanted}",
                where=f"source {plan.source.name!r}",
                fix="correct them at the source, or leave the field out of the tables",
            )
        )
    return problems


def _stray(
    table: Table, name: str, one: _Grown, select: Mapping[str, Classes], counts: Counts
) -> list[ClerestoryError]:
    """Records that the table counts, but that are in no category of the dimension."""
    variable = one.variable
    stray = one.members[0] & ~one.members[1:].any(axis=0)
    if variable.kind is not Kind.CATEGORY:
        stray[variable.odd] = False  # told by _unreadable
    each = counts.each(variable.name)
    if not each[stray].sum():
        return []
    rows = counts.inside({**select, variable.name: stray})
    if not rows:
        return []
    where = f"table {table.name!r}, dimension {name!r}"
    said = table.said.dimensions[name]
    field = variable.fields[0]
    if variable.kind is Kind.CATEGORY:
        known = "the lookup" if said.hierarchy else "the declared categories"
        lacks = "lacks" if said.hierarchy else "lack"
        kinds = int((each[stray] > 0).sum() - (each[variable.odd] > 0))
        kinds += counts.distinct(variable.name) if each[variable.odd] else 0
        codes = f"{kinds:,} different codes" if kinds > 1 else "one code"
        return [
            InputError(
                f"{rows_that(rows, 'hold')} {codes} in {field!r} that {known} {lacks}",
                where=where,
                fix=f"add the missing codes to {known}, or correct the records",
            )
        ]
    if variable.kind is Kind.DATE:
        what = f"{rows_that(rows, 'have')} a date outside the first and last period"
        fix = "widen `first` and `last`, or add a `where`"
    elif variable.kind is Kind.AGE:
        what = f"{rows_that(rows, 'have')} an age below 0 or above 129"
        fix = "one of the two dates is wrong: correct the records"
    else:
        what = f"{rows_that(rows, 'hold')} a number outside the categories"
        fix = "declare the field's bounds, or use bands"
    return [InputError(f"{what} ({field!r})", where=where, fix=fix)]


def _too_small(plan: Plan, table: Table, name: str, one: _Grown, counts: Counts) -> list[ClerestoryError]:
    """Labels that come from the records and stand for few of them: the label alone would disclose."""
    variable, least = one.variable, plan.project.policy.minimum_count
    each = counts.each(variable.name)
    leaves = [place for place, node in enumerate(one.nodes) if place and node.code != MISSING]
    where = f"table {table.name!r}, dimension {name!r}"
    said = table.said.dimensions[name]
    span = plan.span(table, name)
    if span is not None and said.by != "month-of-year" and leaves:
        ends = ([leaves[0]] if span.found_first else []) + ([leaves[-1]] if span.found_last else [])
        if any(0 < int(each[one.members[place]].sum()) < least for place in ends):
            return [
                InputError(
                    f"the first or last {said.by} has fewer than {least} records",
                    where=where,
                    fix="declare `first` and `last`: that a period exists is then not told by the records",
                )
            ]
    if span is None and variable.kind is Kind.CATEGORY and not variable.declared:
        small = sum(0 < int(each[one.members[place]].sum()) < least for place in leaves)
        if small:
            return [
                InputError(
                    f"{small} of {len(leaves)} categories found in {variable.fields[0]!r} have fewer than "
                    f"{least} records, so that to name them would tell about few",
                    where=where,
                    fix="declare the field's `categories`, or merge the small ones at the source",
                )
            ]
        if not leaves:
            return [
                InputError(
                    f"no record has a value in {variable.fields[0]!r}, so its categories are unknown",
                    where=where,
                    fix="declare the field's `categories`",
                )
            ]
    return []


def rows_that(count: int, verb: str) -> str:
    """So many rows and a verb: "1 row holds", "1,200 rows hold"."""
    if count == 1:
        return f"1 row {'has' if verb == 'have' else verb + 's'}"
    return f"{count:,} rows {verb}"


def _once(problems: list[ClerestoryError]) -> list[ClerestoryError]:
    return list({str(problem): problem for problem in problems}.values())
