"""The files of a release that an attacker reads, written from protected cells: the maker's side."""

from __future__ import annotations

import csv
import io

from clerestory.confidential.protect.publish import public_tables
from clerestory.release import structure
from clerestory.release.structure import Rule
from clerestory.tables import PublicCells, PublicTable, Status, column_name

STATUSES = list(Status)


def csv_of(table: PublicTable) -> bytes:
    """The download of a table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    head: list[str] = []
    for dimension in table.dimensions:
        name = column_name(dimension.name)
        head += [name, f"{name}_level"] if len(dimension.levels) > 1 else [name]
    writer.writerow([*head, "value", "status"])
    for coords, value, status in zip(
        table.coords.tolist(), table.values.tolist(), table.statuses.tolist(), strict=True
    ):
        row: list[str] = []
        for dimension, node in zip(table.dimensions, coords, strict=True):
            said = dimension.nodes[node]
            row += [said.code, said.level] if len(dimension.levels) > 1 else [said.code]
        word = STATUSES[status]
        writer.writerow([*row, "" if word is Status.HIDDEN else value, word.value])
    return text.getvalue().encode()


def files_of(public: PublicCells, rule: Rule) -> dict[str, bytes]:
    """Structure and CSVs, by path."""
    files = {structure.csv_path(table.name): csv_of(table) for table in public_tables(public)}
    files[structure.path_of(public.space.source)] = structure.write(public.space, rule)
    return files
