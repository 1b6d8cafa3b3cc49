"""Rows of sources that are public as such."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from clerestory.confidential.records import open_source
from clerestory.confidential.tabulate.fields import as_text
from clerestory.errors import InputError, Refused
from clerestory.project import Project, Role
from clerestory.tables import PublicList, Text, text

MOST_ROWS = 100_000
"""Rows of a list; a register longer than this is not read by anybody on a page."""


def public_rows(project: Project, source: str, fields: Sequence[str]) -> PublicList:
    """Some fields of every row of a source, sorted.

    Raises Refused unless the source is declared public and has no persons or identifiers; InputError if a
    field is not declared, or the source cannot be read.
    """
    said = project.sources[source].said
    where = f"source {source!r}"
    if not said.public or said.person:
        raise Refused(
            "its rows are confidential: only counts of them may be published",
            where=where,
            fix="draw a chart of one of its tables instead",
        )
    for name in fields:
        field = said.fields.get(name)
        role = field.role if field else None
        if role is Role.IDENTIFIER:
            raise Refused(f"the field {name!r} is an identifier", where=where, fix="take it out of the list")
        if role in (None, Role.UNUSED):
            raise InputError(
                f"the field {name!r} has no role" if role is None else f"the field {name!r} is unused",
                where=where,
                fix=f"give it a role in sources/{source}.toml, or take it out of the list",
            )
    with open_source(project.sources[source], project.root, fields) as records:
        query = records.table.select(
            **{f"c{place}": ibis.coalesce(as_text(records, name), "") for place, name in enumerate(fields)}
        )
        rows = records.rows(query.limit(MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise InputError(
            f"the list has more than {MOST_ROWS:,} rows", where=where, fix="publish counts of it"
        )
    titles: dict[str, Text] = {}
    for name in fields:
        titles[name] = said.fields[name].title or text(name.replace("_", " ").capitalize())
    return PublicList(
        name=source,
        source=source,
        title=said.title,
        columns=tuple(fields),
        titles=titles,
        rows=tuple(sorted(tuple(str(cell) for cell in row) for row in rows)),
    )
