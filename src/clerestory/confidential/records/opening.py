"""Opens sources: explicit columns first, read-only, and errors that say what is wrong without a value."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
import ibis

from clerestory.confidential.records import databases
from clerestory.confidential.records.failures import told_apart
from clerestory.confidential.records.files import (
    bad_bytes,
    csv_header,
    delimiter_of,
    find_files,
    kind_of,
    parquet_columns,
)
from clerestory.confidential.records.records import Records
from clerestory.errors import InputError, Problems
from clerestory.project import SETTINGS, Kind, Source, location_of, source_kind

MEMORY = "2GB"
"""What DuckDB may take; the rest goes to a private folder on disk."""


def open_source(source: Source, root: Path, columns: Sequence[str]) -> Records:
    """The records of a source with only these columns; nothing else of it is ever read.

    Raises InputError (never with a value) if it is missing, is not what it says, lacks a column, cannot be
    connected to, or may not be read.
    """
    return open_location(
        source.said.location, source.said.table, root, columns, where=f"source {source.name!r}"
    )


def open_location(location: str, table: str, root: Path, columns: Sequence[str], *, where: str) -> Records:
    """The records at a location, like open_source."""
    place = _place(location, root, where)
    if place.kind in ("parquet", "csv"):
        return _open_files(place, root, columns, where)
    con, spill = _connect(place, root, where)
    try:
        known = databases.columns(con, place.kind, table, where)
        chosen = _chosen(columns, known, where)
        with told_apart(where):
            selected = databases.select(con, place.kind, table, chosen, known)
            return Records(selected, con, _DIALECTS[place.kind], where, spill=spill)
    except BaseException:
        _close(con, spill)
        raise


def column_names(location: str, table: str, root: Path, *, where: str) -> tuple[str, ...]:
    """The names of a source's columns; no record is read. Raises InputError like open_source."""
    place = _place(location, root, where)
    if place.kind == "parquet":
        return tuple(parquet_columns(find_files(place.address, place.kind, where), where))
    if place.kind == "csv":
        return _common_header(find_files(place.address, place.kind, where), where)
    con, spill = _connect(place, root, where)
    try:
        return tuple(databases.columns(con, place.kind, table, where))
    finally:
        _close(con, spill)


_DIALECTS = {"sqlite": "sqlite", "duckdb": "duckdb", "postgresql": "postgres"}


@dataclass(frozen=True)
class _Place:
    kind: Kind
    address: str


def _place(location: str, root: Path, where: str) -> _Place:
    folder = root / location
    try:
        kind: Kind | None = source_kind(location)
    except InputError:
        if not folder.is_dir():
            raise
        kind = None
    if kind is None:
        return _Place(kind_of(str(folder), None, where), str(folder))
    return _Place(kind, location_of(root, location).address)


def _connect(place: _Place, root: Path, where: str) -> tuple[Any, Path | None]:
    """A connection to a database, and the folder that it spills into."""
    if place.kind == "postgresql":
        return databases.postgres(place.address, where), None
    (file, *others) = find_files(place.address, place.kind, where)
    if others:
        raise InputError("several databases match", where=where, fix="name one file in `location`")
    with told_apart(where):
        if place.kind == "sqlite":
            return databases.sqlite(file), None
        spill = _spill_folder(root)
        return _duckdb(file, spill), spill


def _close(con: Any, spill: Path | None) -> None:
    con.con.close()
    if spill is not None:
        shutil.rmtree(spill, ignore_errors=True)


def _duckdb(file: Path | None = None, spill: Path | None = None) -> Any:
    """DuckDB that downloads nothing and spills only into `spill`."""
    con = duckdb.connect(
        str(file) if file else ":memory:",
        read_only=file is not None,
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "preserve_insertion_order": "false",
            "temp_directory": str(spill) if spill else "",
        },
    )
    return ibis.duckdb.from_connection(con)


def _open_files(place: _Place, root: Path, columns: Sequence[str], where: str) -> Records:
    files = find_files(place.address, place.kind, where)
    spill = _spill_folder(root)
    con = _duckdb(spill=spill)
    try:
        if place.kind == "parquet":
            known = parquet_columns(files, where)
            chosen = _chosen(columns, known, where)
            mixed = [name for name in chosen if known[name] == "different types"]
            if mixed:
                raise InputError(
                    f"the column {mixed[0]!r} has different types in different files",
                    where=where,
                    fix="write the files again with one type",
                )
            with told_apart(where):
                table = con.read_parquet([str(file) for file in files], hive_partitioning=False)
                return Records(table.select(*chosen), con, "duckdb", where, spill=spill)
        chosen = _chosen(columns, _common_header(files, where), where)
        with told_apart(where):
            table = ibis.union(*_csv_parts(con, files, chosen, where), distinct=False)
        return Records(
            table,
            con,
            "duckdb",
            where,
            look=lambda: next((bad for file in files if (bad := bad_bytes(file, where))), None),
            spill=spill,
        )
    except BaseException:
        _close(con, spill)
        raise


def _csv_parts(con: Any, files: Sequence[Path], chosen: Sequence[str], where: str) -> list[ibis.Table]:
    """One table for all files that have the same header; every column is text until it is used."""
    alike: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for file in files:
        alike.setdefault((csv_header(file, where), delimiter_of(file)), []).append(str(file))
    return [
        con.read_csv(
            paths,
            columns=dict.fromkeys(header, "VARCHAR"),
            auto_detect=False,
            header=True,
            delim=delimiter,
            quote='"',
            escape='"',
            nullstr="",
        ).select(*chosen)
        for (header, delimiter), paths in alike.items()
    ]


def _common_header(files: Sequence[Path], where: str) -> tuple[str, ...]:
    headers = [csv_header(file, where) for file in files]
    return tuple(name for name in headers[0] if all(name in header for header in headers))


def _chosen(columns: Sequence[str], known: Sequence[str] | dict[str, str], where: str) -> list[str]:
    """The columns, once each. Raises InputError that names each missing one and the nearest there is."""
    names = list(known)
    problems = []
    for column in dict.fromkeys(columns):
        if column not in names:
            near = get_close_matches(column, names, n=1, cutoff=0.5)
            problems.append(
                InputError(
                    f"there is no column {column!r} (in every file)",
                    where=where,
                    fix=f"did you mean {near[0]!r}? Rename the field, or the column"
                    if near
                    else f"the columns are: {', '.join(names[:30])}",
                )
            )
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Problems(problems)
    # A query needs at least one column, also when only rows are counted.
    return list(dict.fromkeys(columns)) or names[:1]


def _spill_folder(root: Path) -> Path:
    """A new folder that only we can open, in the project's confidential folder; old ones are removed."""
    home = root / "confidential"
    if not home.is_dir() and (root / SETTINGS).is_file():
        with suppress(OSError):
            home.mkdir(mode=0o700)
    if not home.is_dir() or not os.access(home, os.W_OK):
        return Path(tempfile.mkdtemp(prefix="clerestory-spill-"))
    for old in home.glob("spill-*"):
        owner = re.match(r"spill-(\d+)-", old.name)
        if owner and not _runs(int(owner[1])):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"spill-{os.getpid()}-", dir=home))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
