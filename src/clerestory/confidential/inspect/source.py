"""Looks at every column of a source, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clerestory.confidential.inspect.proposal import Proposal, propose
from clerestory.confidential.inspect.shape import shape_of
from clerestory.confidential.records import column_names, open_location


def inspect_source(
    location: str, *, table: str = "", root: Path | None = None, progress: Callable[[str], None] | None = None
) -> list[Proposal]:
    """A proposal for each column of a source, in their order.

    location: a file, glob or database URL; relative paths are relative to `root`, or else to where we are.
    Raises InputError without a value if the source cannot be read.
    """
    home = root or Path.cwd()
    where = "the source"
    columns = column_names(location, table, home, where=where)
    with open_location(location, table, home, columns, where=where) as records:
        proposals = []
        for column in columns:
            if progress is not None:
                progress(column)
            proposals.append(propose(shape_of(records, column)))
        return proposals
