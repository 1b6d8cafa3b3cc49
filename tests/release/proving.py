"""Whole small releases of protected cells, and ways to tamper with them as somebody would who hides it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

from clerestory.confidential.protect.publish import protect
from clerestory.release.bundle import commit, stage
from clerestory.release.manifest import Entry, TableFacts
from clerestory.release.proof import proof_list, witness
from clerestory.release.proof.proof_list import ProofList
from clerestory.release.proof.witness import SourceProof
from clerestory.release.structure import Rule
from clerestory.release.verify import open_release
from clerestory.tables import PublicCells
from tests.attacker.instances import Instance, instance
from tests.attacker.written import csv_of, files_of

DAY = date(2026, 11, 1)

__all__ = [
    "csv_of",
    "edit_csv",
    "edit_proof",
    "facts_of",
    "files_of",
    "protected",
    "put_proof",
    "read_proof",
    "released",
]


def protected(seed: int) -> tuple[Instance, PublicCells, Rule]:
    """The public cells of a numbered random instance."""
    made = instance(seed)
    public = protect(made.original, made.policy, seed=seed).public
    policy = made.policy
    return made, public, Rule(2, policy.interval_width, policy.minimum_count, public.zeros_shown)


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
