"""Whole small releases of protected cells, and ways to tamper with them as somebody would who hides it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

from clerestory.confidential.protect.publish import protect, public_tables
from clerestory.release import proof_list, structure, witness
from clerestory.release.bundle import commit, stage
from clerestory.release.manifest import Entry, TableFacts
from clerestory.release.proof_list import ProofList
from clerestory.release.structure import Rule
from clerestory.release.verify import open_release
from clerestory.release.witness import SourceProof
from clerestory.tables import PublicCells, PublicTable, Status, column_name
from tests.attacker.instances import Instance, instance

DAY = date(2026, 11, 1)
STATUSES = list(Status)


def protected(seed: int) -> tuple[Instance, PublicCells, Rule]:
    """The public cells of a numbered random instance."""
    made = instance(seed)
    public = protect(made.original, made.policy, seed=seed).public
    policy = made.policy
    return made, public, Rule(2, policy.interval_width, policy.minimum_count, public.zeros_shown)


def csv_of(table: PublicTable) -> bytes:
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


def facts_of(public: PublicCells, rule: Rule) -> dict[str, TableFacts]:
    return {
        layout.design.name: TableFacts(
            public.space.source,
            len(layout.cells),
            int(public.hidden[layout.cells].sum()),
            rule.level,
            rule.interval_width,
            rule.minimum_count,
        )
        for layout in public.space.layouts
    }


def released(
    releases: Path, files: dict[str, bytes], facts: dict[str, TableFacts], title: str = "Small"
) -> Path:
    """A release folder of these files, with a manifest that fits them."""
    contents = ((path, content, "file") for path, content in files.items())
    return commit(stage(releases, contents, title=title, date=DAY, tables=facts)).folder


def put_proof(folder: Path, proof: SourceProof) -> None:
    """A proof and a list of proofs that names it, both as they should be in form."""
    path, content = proof_list.path_of(proof.source), proof.to_bytes()
    entry = Entry(path, hashlib.sha256(content).hexdigest(), len(content), proof.source)
    (folder / proof_list.FOLDER).mkdir(exist_ok=True)
    (folder / path).write_bytes(content)
    listed = ProofList(open_release(folder).id, (entry,))
    (folder / proof_list.NAME).write_bytes(listed.to_bytes())


def read_proof(folder: Path, source: str = "source") -> SourceProof:
    return witness.parse((folder / proof_list.path_of(source)).read_bytes(), where="test")


def edit_proof(folder: Path, change: Callable[[SourceProof], SourceProof]) -> None:
    put_proof(folder, change(read_proof(folder)))


def edit_csv(content: bytes, change: Callable[[list[list[str]]], None]) -> bytes:
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    change(rows)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
