"""Writing the files: private modes, a SYNTHETIC stamp in each, and how long each took."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clerestory.templates.generator.columns import Column

STAMP = "SYNTHETIC"
NOTE = "Invented records: no row is about a real person. Every identifier has a form that no agency issues."
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


@dataclass(frozen=True)
class WrittenFile:
    """One file as it was written; the seconds include making its records."""

    path: Path
    dataset: str
    rows: int
    seconds: float


@dataclass
class Writer:
    """Writes into one folder and keeps the list of what it wrote."""

    folder: Path
    about: Mapping[str, str]
    progress: Callable[[WrittenFile], None] | None = None
    written: list[WrittenFile] = field(default_factory=list)
    since: float = field(default_factory=time.perf_counter)

    def table(self, name: str, dataset: str, columns: Mapping[str, Column]) -> None:
        """One Parquet file; its schema metadata holds the stamp."""
        with self._file(name, dataset, len(next(iter(columns.values())))) as path:
            made = pa.table(dict(columns)).replace_schema_metadata(dict(self.about))
            # numbers that rise from row to row shrink to almost nothing as differences
            keys = [key for key in columns if key.endswith(("_number", "_id"))]
            rising = [key for key in keys if pa.types.is_string(columns[key].type)]
            pq.write_table(
                made,
                path,
                compression="zstd",
                compression_level=1,
                use_dictionary=[name for name in columns if pa.types.is_dictionary(columns[name].type)],
                column_encoding=dict.fromkeys(rising, "DELTA_BYTE_ARRAY"),
                write_statistics=True,
            )

    def database(
        self, name: str, dataset: str, table: str, columns: Mapping[str, tuple[str, Column]], key: str
    ) -> None:
        """One SQLite file: the table, its columns with declared types, and `about` with the stamp."""
        rows = len(next(iter(columns.values()))[1])
        with self._file(name, dataset, rows) as path, closing(sqlite3.connect(path)) as database:
            kinds = {
                name: f"{kind} PRIMARY KEY" if name == key else kind for name, (kind, _) in columns.items()
            }
            declared = ", ".join(f'"{column}" {kind}' for column, kind in kinds.items())
            database.execute(f'CREATE TABLE "{table}" ({declared})')
            values = zip(*(_plain(column) for _, column in columns.values()), strict=True)
            marks = ", ".join("?" * len(columns))
            database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', values)  # noqa: S608
            database.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT)")
            database.executemany("INSERT INTO about VALUES (?, ?)", sorted(self.about.items()))
            database.commit()

    def text(self, name: str, dataset: str, content: bytes, *, rows: int | None = None) -> None:
        """A CSV file as it is; rows are counted without the heading, or given where it is packed."""
        with self._file(name, dataset, content.count(b"\n") - 1 if rows is None else rows) as path:
            path.write_bytes(content)

    def note(self, name: str, content: str) -> None:
        """A text file that is no dataset."""
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        path.chmod(_FILE_MODE)

    @contextmanager
    def _file(self, name: str, dataset: str, rows: int) -> Iterator[Path]:
        path = self.folder / name
        private_folder(path.parent)
        path.unlink(missing_ok=True)
        # created private before anything is in it
        path.touch(mode=_FILE_MODE)
        yield path
        path.chmod(_FILE_MODE)
        now = time.perf_counter()
        done = WrittenFile(path, dataset, rows, now - self.since)
        self.since = now
        self.written.append(done)
        if self.progress is not None:
            self.progress(done)


def private_folder(path: Path) -> None:
    """Make the folder, or find it, and close it to everybody else."""
    path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    path.chmod(_FOLDER_MODE)


def _plain(column: Column) -> list[Any]:
    """Values that SQLite takes: dates as ISO text."""
    if pa.types.is_date(column.type):
        filled = np.asarray(column.cast(pa.int32()).fill_null(0)).astype("M8[D]").astype(str).tolist()
        valid = np.asarray(column.is_valid()).tolist()
        return [text if known else None for text, known in zip(filled, valid, strict=True)]
    return list(column.to_pylist())
