"""Finds the files of a source and checks that they are what their names say, before anything reads them."""

from __future__ import annotations

import codecs
import csv
import glob
import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import pyarrow.parquet as pq
from pyarrow import ArrowException

from clerestory.errors import InputError
from clerestory.project import Kind, source_kind

_BLOCK = 1 << 20
_SQLITE = b"SQLite format 3\x00"


def kind_of(address: str, declared: Kind | None, where: str) -> Kind:
    """The kind of the files at an address; a folder's is that of the files in it."""
    if declared is not None:
        return declared
    kinds = {kind for file in _in_folder(Path(address)) if (kind := _kind_or_none(file.name))}
    if len(kinds) != 1:
        raise InputError(
            "the folder holds no records" if not kinds else "the folder holds files of several kinds",
            where=where,
            fix="name the files: records/*.parquet",
        )
    return kinds.pop()


def find_files(address: str, kind: Kind, where: str) -> tuple[Path, ...]:
    """The files of a file, glob or folder, sorted, each content once. Raises InputError if there are none."""
    path = Path(address)
    if path.is_dir():
        found = [file for file in _in_folder(path) if _kind_or_none(file.name) == kind]
    elif glob.has_magic(address) and not path.exists():
        found = [path for name in glob.iglob(address, recursive=True) if (path := Path(name)).is_file()]  # noqa: PTH207 a Path cannot expand an absolute pattern
    else:
        found = [path] if path.is_file() else []
    if not found:
        near = [file.name for file in _in_folder(path.parent)] if path.parent.is_dir() else []
        raise InputError(
            f"no file matches {address}" if glob.has_magic(address) else f"there is no such file: {address}",
            where=where,
            fix=f"the folder has: {', '.join(near[:8])}" if near else "check `location`",
        )
    files = _once(sorted(found))
    for file in files:
        _check(file, kind, where)
    return files


def parquet_columns(files: Sequence[Path], where: str) -> dict[str, str]:
    """Names and types of the columns of Parquet files, from their footers alone.

    Raises InputError if a file lacks a column of another one, or has it with another type.
    """
    first: dict[str, str] = {}
    for number, file in enumerate(files):
        try:
            schema = pq.read_schema(file)
        except (ArrowException, OSError):
            schema = None
        if schema is None:
            raise InputError("the file is damaged or incomplete", where=f"{where}, {file.name}")
        here = {field.name: _plain(str(field.type)) for field in schema}
        if number == 0:
            first = here
        else:
            # A column that only some files have cannot be read; one with two types neither.
            first = {
                name: kind if here[name] == kind else "different types"
                for name, kind in first.items()
                if name in here
            }
    return first


def csv_header(file: Path, where: str) -> tuple[str, ...]:
    """The first line of a CSV file. Raises InputError if it is empty or no text."""
    try:
        with _opened(file) as stream:
            line = stream.readline(_BLOCK).decode("utf-8-sig")
    except (UnicodeDecodeError, OSError):
        line = ""
    header = tuple(next(csv.reader([line], delimiter=delimiter_of(file)), ()))
    if not any(header):
        raise bad_bytes(file, where) or InputError(
            "the file has no header", where=f"{where}, {file.name}", fix="the first line names the columns"
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError(f"two columns are called {repeated[0]!r}", where=f"{where}, {file.name}")
    return header


def delimiter_of(file: Path) -> str:
    """What stands between the cells of a file, by its name."""
    return "\t" if ".tsv" in file.suffixes else ","


def bad_bytes(file: Path, where: str) -> InputError | None:
    """An error that says at which line and byte a file stops being UTF-8; None if it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, before, pending = 1, 0, b""
    try:
        with _opened(file) as stream:
            while True:
                block = stream.read(_BLOCK)
                try:
                    decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    line += (pending + block)[: error.start].count(b"\n")
                    return InputError(
                        f"line {line}, byte {before + error.start + 1} is not UTF-8",
                        where=f"{where}, {file.name}",
                        fix="save the file as UTF-8",
                    )
                if not block:
                    return None
                line += block.count(b"\n")
                before += len(pending) + len(block)
                pending = decoder.getstate()[0]
                before -= len(pending)
    except (OSError, EOFError):
        return InputError("the file is damaged or incomplete", where=f"{where}, {file.name}")


def _in_folder(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []


def _kind_or_none(name: str) -> Kind | None:
    try:
        return source_kind(name)
    except InputError:
        return None


def _once(files: Sequence[Path]) -> tuple[Path, ...]:
    """Files without those that are a link to, or a copy of, an earlier one: their records count once."""
    by_path = {file.resolve(): file for file in reversed(files)}
    sizes: dict[int, list[Path]] = {}
    for file in sorted(by_path.values()):
        sizes.setdefault(file.stat().st_size, []).append(file)
    kept: list[Path] = []
    for alike in sizes.values():
        if len(alike) == 1:
            kept += alike
            continue
        by_content: dict[bytes, Path] = {}
        for file in alike:
            by_content.setdefault(_digest(file), file)
        kept += by_content.values()
    return tuple(sorted(kept))


def _digest(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _plain(kind: str) -> str:
    """Arrow's name of a type, without how it is stored."""
    if kind.startswith("dictionary<values="):
        kind = kind.removeprefix("dictionary<values=").partition(",")[0]
    return {"large_string": "string", "string_view": "string"}.get(kind, kind)


def _check(file: Path, kind: Kind, where: str) -> None:
    """Raises InputError if a file's first or last bytes are not those of its kind."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
            stream.seek(max(0, file.stat().st_size - 4))
            tail = stream.read(4)
    except OSError:
        head = None
    if head is None:
        raise InputError("no permission to read it", where=f"{where}, {file.name}")
    packed = file.suffix == ".gz"
    good = {
        "parquet": head[:4] == b"PAR1" and tail == b"PAR1",
        "sqlite": head.startswith(_SQLITE),
        "duckdb": head[8:12] == b"DUCK",
        "csv": head.startswith(b"\x1f\x8b") if packed else b"\x00" not in head and head[:4] != b"PAR1",
    }
    if not good.get(kind, True):
        named = {"parquet": "Parquet", "sqlite": "SQLite", "duckdb": "DuckDB", "csv": "CSV"}[kind]
        raise InputError(
            f"the file is called {named}, but it is not {named}" + (" in UTF-8" if kind == "csv" else ""),
            where=f"{where}, {file.name}",
            fix="write it again, or give it the name of what it is",
        )


def _opened(file: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")
