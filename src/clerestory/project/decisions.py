"""decisions/over-time.toml: what people decided about numbers that changed a little since a release."""

from __future__ import annotations

from clerestory.project.draft import Draft
from clerestory.project.models import DecisionsFile, DifferenceDecision
from clerestory.project.problems import nearest
from clerestory.project.read import read_toml, to_model

FILE = "decisions/over-time.toml"


def load_decisions(draft: Draft) -> tuple[DifferenceDecision, ...]:
    """The decisions of a project; none if there is no file. Notes what is wrong with them."""
    file = draft.root / FILE
    if not file.is_file():
        return ()
    read = read_toml(draft.root, file, draft.collect)
    said = to_model(DecisionsFile, read[0], read[1], draft.collect) if read else None
    if read is None or said is None:
        return ()
    seen: set[tuple[str, str]] = set()
    for place, one in enumerate(said.difference):
        where = read[1].at(("difference", place, "table"))
        if one.table not in draft.tables and not draft.may_exist("table", one.table):
            draft.collect.add(f"no table {one.table!r}", where=where, fix=nearest(one.table, draft.tables))
        if (one.table, one.since) in seen:
            draft.collect.add(
                "a second decision about the same table and release", where=where, fix="keep one of them"
            )
        seen.add((one.table, one.since))
    return said.difference
