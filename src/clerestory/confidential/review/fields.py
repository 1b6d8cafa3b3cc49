"""Which fields of the sources were read, and what each table needs them for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clerestory.confidential.design import plan_source
from clerestory.confidential.review.facts import Field
from clerestory.project import Project, Table
from clerestory.tables import said


def fields_used(project: Project) -> list[dict[str, Any]]:
    """Every field of every source that has a table: its role and its uses, as a build keeps them."""
    found = []
    for name, source in project.sources.items():
        tables = [table for table in project.tables.values() if table.said.source == name]
        if not tables:
            continue
        plan = plan_source(project, name)
        uses: dict[str, list[str]] = {field: [] for field in plan.columns}
        for table in tables:
            for field, use in _uses(table):
                uses.setdefault(field, []).append(f"{table.name}: {use}")
        told_apart = [field for field in source.said.person if field in uses]
        for field in told_apart:
            uses[field].append("tells people apart, never shown")
        for field in plan.holding if plan.asks_holdings else ():
            if field not in told_apart:
                uses.setdefault(field, []).append("tells contributors apart, never shown")
        for field, own in source.said.fields.items():
            found.append(
                {
                    "source": name,
                    "name": field,
                    "title": said(own.title, "en") if own.title else "",
                    "role": own.role.value,
                    "uses": uses[field] or ["read"] if field in uses else [],
                }
            )
    return found


def _uses(table: Table) -> list[tuple[str, str]]:
    own = table.said
    found = []
    for name, dimension in own.dimensions.items():
        shown = said(dimension.title, "en") if dimension.title else name
        field = dimension.from_ or name
        how = f" by {dimension.by}" if dimension.by else " in bands" if dimension.bands else ""
        found.append((field, f"shown as “{shown}”{how}"))
        if dimension.at:
            found.append((dimension.at, f"the day at which “{shown}” is taken"))
    if own.sum:
        found.append((own.sum, "added up"))
    if own.by:
        found.append((own.by, "says which of a person's records counts"))
    dimensions = {**own.dimensions}
    for condition in table.where:
        named = dimensions.get(condition.field)
        field = named.from_ or condition.field if named else condition.field
        found.append((field, f"says which records count ({condition})"))
    return found


def read_fields(kept: list[Mapping[str, Any]]) -> tuple[Field, ...]:
    """The fields as a build kept them, those that were read first."""
    fields = [
        Field(one["source"], one["name"], one["title"], one["role"], tuple(one["uses"])) for one in kept
    ]
    return tuple(sorted(fields, key=lambda one: (one.source, not one.uses)))
