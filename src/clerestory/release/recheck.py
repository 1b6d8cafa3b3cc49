"""May these files go out? Reads every file back from disk and accounts for every number in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path, PurePosixPath

from clerestory.errors import Refused
from clerestory.release.accounting.downloads import account_csv, account_json
from clerestory.release.accounting.numbers import DIGIT, Known, PublicRows, know
from clerestory.release.accounting.page import account_page
from clerestory.release.accounting.plain import account_sitemap, account_text
from clerestory.release.accounting.structures import account_structure
from clerestory.release.accounting.tally import Problem, Tally, until_stopped
from clerestory.release.bundle import Bundle
from clerestory.release.structure import FOLDER as STRUCTURES
from clerestory.release.verify import verify_digests
from clerestory.tables import PublicTable

_LISTED = 20
"""Problems named in one message; the rest are counted."""
_ALONE = 8 << 20
"""Bytes up to which one process reads everything: starting others would take longer."""
_BATCH = 4 << 20
"""Bytes handed to a process at a time."""
_PROJECT = "titles and descriptions"
"""Stands for a file where a text is not from prose."""
_MOST_PRINTED = 5_000
"""Distinct texts kept for the reviewer."""


@dataclass(frozen=True)
class Accounting:
    """A release in which every number is accounted for.

    files: read back; numbers: that equal a protected cell or a public list's value; cells: distinct
    protected cells met. prose_numbers: typed texts with digits, each once with the first file that shows it;
    printed_numbers: the same for what templates print (dates, versions, policy numbers).
    """

    files: int
    numbers: int
    cells: int
    prose_numbers: list[tuple[str, str]]
    printed_numbers: list[tuple[str, str]]


def recheck(
    bundle: Bundle,
    tables: Mapping[str, PublicTable],
    lists: Mapping[str, PublicRows],
    *,
    assets: Mapping[str, bytes],
    texts: Collection[str] = (),
    workers: int = 0,
) -> Accounting:
    """Accounts for every number of a staged or finished release.

    lists: public lists by name; assets: path -> bytes of the files that the package ships, which a release
    must hold unchanged; texts: what the project's files say outside prose (titles,
    descriptions); workers: processes, as many as cores if 0.
    Raises Refused that lists file, place and rule of what is not accounted for, never the number.
    """
    folder = bundle.folder
    manifest = verify_digests(folder)
    known = know(tables, lists, texts, (entry.path for entry in manifest.files))
    problems: list[Problem] = []
    reading: list[tuple[str, int]] = []
    for entry in manifest.files:
        shipped = assets.get(entry.path)
        if entry.path.startswith(f"{STRUCTURES}/"):
            problems += account_structure(folder, entry.path, manifest, tables)
        elif shipped is None:
            reading.append((entry.path, entry.size))
        elif hashlib.sha256(shipped).hexdigest() != entry.sha256:
            problems.append(Problem(entry.path, "the file", "it is not the file that the package ships"))
    tallies = []
    for tally in _read_all(folder, reading, known, workers):
        problems += tally.problems
        tallies.append(tally)
    if problems:
        raise _refusal(problems)
    return Accounting(
        files=len(manifest.files),
        numbers=sum(tally.numbers for tally in tallies),
        cells=len(set().union(*(tally.cells for tally in tallies))),
        prose_numbers=_once(
            [(_PROJECT, text) for text in sorted(texts) if DIGIT.search(text)]
            + [(tally.file, text) for tally in tallies for text in tally.prose]
        ),
        printed_numbers=_once((tally.file, text) for tally in tallies for text in tally.printed),
    )


def _refusal(problems: list[Problem]) -> Refused:
    lines = [str(problem) for problem in problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(f"and {len(problems) - _LISTED:,} more")
    return Refused(
        "not every number in the release is accounted for:\n  " + "\n  ".join(lines),
        where="accounting check",
        fix="nothing was published; every number must be a protected cell, a label, or typed prose",
    )


def _once(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    first: dict[str, str] = {}
    for file, text in found:
        if len(first) < _MOST_PRINTED:
            first.setdefault(text, file)
    return [(file, text) for text, file in first.items()]


def _read_all(folder: Path, files: list[tuple[str, int]], known: Known, workers: int) -> Iterator[Tally]:
    """The tallies of all files, in the files' order."""
    workers = workers or os.cpu_count() or 1
    if workers == 1 or sum(size for _, size in files) <= _ALONE:
        yield from _read_batch(folder, [path for path, _ in files], known)
        return
    # Spawned, not forked: the caller may have threads (a solver, a database) whose locks a fork would copy.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_remember, initargs=(folder, known)) as pool:
        for tallies in pool.map(_read_remembered, _batches(files)):
            yield from tallies


def _batches(files: list[tuple[str, int]]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for path, own in files:
        batch.append(path)
        size += own
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


_job: tuple[Path, Known]
"""Of a worker process: what it was started with."""


def _remember(folder: Path, known: Known) -> None:
    global _job
    _job = (folder, known)


def _read_remembered(paths: list[str]) -> list[Tally]:
    return _read_batch(_job[0], paths, _job[1])


def _read_batch(folder: Path, paths: Iterable[str], known: Known) -> list[Tally]:
    tallies = []
    for path in paths:
        tally = Tally(path)
        with until_stopped():
            _read(folder, PurePosixPath(path), known, tally)
        tallies.append(tally)
    return tallies


def _read(folder: Path, path: PurePosixPath, known: Known, tally: Tally) -> None:
    try:
        text = (folder / path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise tally.stop("the file", "it is neither UTF-8 nor a file that the package ships") from None
    in_data = path.parent == PurePosixPath("site/data")
    if path.suffix == ".html":
        account_page(text, known, tally)
    elif path.suffix == ".csv" and in_data:
        account_csv(text, path.stem, known, tally)
    elif path.suffix == ".json" and in_data:
        account_json(text, path.stem, known, tally)
    elif path.suffix == ".txt":
        account_text(text, known, tally)
    elif path == PurePosixPath("site/sitemap.xml"):
        account_sitemap(text, known, tally)
    else:
        raise tally.stop("the file", "no rule accounts for a file of this kind in this place")
