"""A second person's recount: the release again from the sources, and whether every byte is the same."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clerestory.api.build import build
from clerestory.api.gate import release_of
from clerestory.api.kept import FOLDER, private_folder, read_kept
from clerestory.api.progress import Progress
from clerestory.confidential.budget import NAME as BUDGET
from clerestory.errors import InputError, Refused
from clerestory.project import SETTINGS, Project, load, source_kind
from clerestory.release.compare import compare
from clerestory.release.gate.register import digest_of
from clerestory.release.ledger import FIRST, parse
from clerestory.release.ledger import NAME as LEDGER
from clerestory.release.verify import Release, open_release, verify_digests

_FOLDERS = ("sources", "tables", "dashboards", "decisions", "lookups", "trust", "ledger")
_FILES = (BUDGET,)
"""What a build reads or writes beside its confidential folder; the recount has copies of its own."""
_LISTED = 20


@dataclass(frozen=True)
class Recount:
    """What a recount found.

    manifest: SHA-256 of the manifest that it made; differences: what is other than in the release, a sentence
    each, without a value.
    """

    release: str
    same: bool
    manifest: str
    differences: tuple[str, ...]

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory rebuild-and-compare --format json`."""
        return {
            "kind": "done" if self.same else "refused",
            "exit": 0 if self.same else 1,
            "release": self.release,
            "same": self.same,
            "manifest": self.manifest,
            "differences": list(self.differences),
        }


def recount(root: Path, release: str = "", *, workers: int = 2, progress: Progress | None = None) -> Recount:
    """Builds a release of the project once more, from its sources, and compares.

    With the date, seed and earlier releases that it was built with. What it makes is in confidential/, and is
    removed afterwards.

    Raises Refused if the release is not whole or the project as it is now cannot be built, InputError without
    the project's seed.
    """
    root = root.resolve()
    own = release_of(root, release)
    verify_digests(own.folder)
    if not (root / FOLDER / "seed").is_file():
        raise InputError(
            "the project's seed is not here: a recount would hide other cells",
            where=str(root / FOLDER / "seed"),
            fix="recount where the project's confidential folder is, or restore the seed from a backup",
        )
    with _copy_of(root, own) as twin:
        report = build(twin, date=own.manifest.date, workers=workers, progress=progress)
        again = open_release(report.release)
        digest = digest_of(again.folder)
        same = digest == digest_of(own.folder)
        return Recount(own.id, same, digest, () if same else tuple(_differences(own, again)))


@contextmanager
def _copy_of(root: Path, own: Release) -> Iterator[Path]:
    """A project of the same files, with the releases and the ledger that it had when `own` was first built.

    Texts are copied, records are linked to: a recount opens them where they are.
    """
    project = load(root)
    scratch = Path(tempfile.mkdtemp(prefix="recount-", dir=private_folder(root / FOLDER)))
    try:
        records = _records(root, project)
        twin = scratch.joinpath(*["above"] * _above(root, records), "project")
        twin.mkdir(parents=True)
        for text in _texts(root, project):
            _beside(root, twin, text).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(text, _beside(root, twin, text))
        for record in records:
            link = _beside(root, twin, record)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(record.resolve(), target_is_directory=record.is_dir())
        _confidential(root, private_folder(twin / FOLDER))
        _releases(root, twin, own)
        yield twin
    finally:
        shutil.rmtree(scratch)


def _texts(root: Path, project: Project) -> set[Path]:
    """The project's own files: settings, sources, tables, pages, decisions, lookups, trust."""
    found = {root / SETTINGS, *(root / one.file for one in project.said.hierarchies.values())}
    found |= {root / one.said.population.file for one in project.tables.values() if one.said.population}
    for folder in _FOLDERS:
        found |= {file for file in (root / folder).rglob("*") if file.is_file()}
    found |= {file for name in _FILES if (file := root / name).is_file()}
    return found


def _records(root: Path, project: Project) -> set[Path]:
    """The files and folders that hold the records, by the names that the project has for them."""
    found: set[Path] = set()
    for source in project.sources.values():
        scheme, url, path = source.said.location.partition("://")
        place = os.path.normpath(root / (path if url else scheme))
        if url and source_kind(source.said.location) == "postgresql":
            continue
        found |= {Path(name) for name in glob.glob(place, recursive=True)}  # noqa: PTH207 may lead outside
    return found


def _above(root: Path, records: set[Path]) -> int:
    """How many folders above the project a relative name of its records leads."""
    names = (Path(os.path.relpath(record, root)) for record in records)
    return max((name.parts.count("..") for name in names), default=0)


def _beside(root: Path, twin: Path, file: Path) -> Path:
    """Where the copy has a file of the project."""
    return Path(os.path.normpath(twin / os.path.relpath(file, root)))


def _confidential(root: Path, private: Path) -> None:
    """The seed, and the numbers that were made once: without them another draw would be compared."""
    shutil.copy2(root / FOLDER / "seed", private / "seed")
    if (root / FOLDER / "frozen").is_dir():
        shutil.copytree(root / FOLDER / "frozen", private / "frozen")


def _releases(root: Path, twin: Path, own: Release) -> None:
    """The ledger as the build of the release had it, and links to the releases in it.

    Raises Refused if the ledger does not have the line that it was built after.
    """
    (twin / "releases").mkdir()
    after = str(read_kept(root, own.id, "reports").get("after") or FIRST)
    if after == FIRST:
        return
    content = (root / LEDGER).read_bytes() if (root / LEDGER).is_file() else b""
    events = parse(content)
    last = next((event.seq for event in events if event.digest == after), None)
    if last is None:
        raise Refused(
            "the ledger does not have the line that the release was built after",
            where=LEDGER,
            fix="restore the ledger; without it nobody knows which earlier releases counted",
        )
    (twin / LEDGER).write_bytes(b"".join(content.splitlines(keepends=True)[: last + 1]))
    for name in {event.release for event in events[: last + 1] if event.release}:
        if (root / "releases" / name).is_dir():
            (twin / "releases" / name).symlink_to(root / "releases" / name, target_is_directory=True)


def _differences(own: Release, again: Release) -> Iterator[str]:
    for what in ("title", "date", "software"):
        if getattr(own.manifest, what) != getattr(again.manifest, what):
            yield f"The {what} is another: the release has {getattr(own.manifest, what)}"
    found = compare(own, again)
    for name in found.tables_added:
        yield f"Table {name} is not in the release"
    for name in found.tables_removed:
        yield f"Table {name} is in the release, and the recount does not make it"
    for table in found.tables:
        counts = {
            "with another number": table.changed,
            "shown by the recount alone": table.newly_shown,
            "hidden by the recount alone": table.newly_hidden,
            "with another status": table.status,
            "in the recount alone": table.added,
            "in the release alone": table.removed,
        }
        listed = ", ".join(f"{len(cells):,} {words}" for words, cells in counts.items() if cells)
        yield f"Table {table.name}: {listed or 'the same cells, in another form'}"
    for words, paths in (
        ("in the recount alone", found.files.added),
        ("in the release alone", found.files.removed),
        ("with other bytes", found.files.changed),
    ):
        if paths:
            more = f" and {len(paths) - _LISTED:,} more" if len(paths) > _LISTED else ""
            yield f"{len(paths):,} files {words}: {', '.join(paths[:_LISTED])}{more}"
