"""A day of the server's access log as a Parquet file, made outside the server."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clerestory.errors import InputError
from clerestory.serve.access_log import lines_of, named

SCHEMA = pa.schema(
    [
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("clock", pa.string()),
        pa.field("monotonic", pa.int64()),
        pa.field("id", pa.string(), nullable=False),
        pa.field("release", pa.string()),
        pa.field("file", pa.string()),
        pa.field("method", pa.string()),
        pa.field("status", pa.int16(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("ended", pa.string(), nullable=False),
        pa.field("seconds", pa.float64()),
        pa.field("address", pa.string()),
        pa.field("part", pa.string()),
        pa.field("asked", pa.string()),
    ]
)
"""Columns are the fields of a line; see docs/reference/access-log.md."""
_NEEDED = {"id": str, "status": int, "bytes": int, "ended": str}
_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written. torn: lines that a kill cut off; lost: lines that a full disk took, says the log."""

    file: Path
    rows: int
    torn: int
    lost: int


def day_to_parquet(folder: Path, day: date, to: Path | None = None) -> Converted:
    """The answers of a day (UTC), one row each, into one Parquet file that only its owner can read.

    Raises InputError if there is no log of that day.
    """
    source = named(folder, day)
    if not source.exists():
        raise InputError("there is no log of that day", where=str(source), fix="name a day with --day")
    target = to or folder / f"access-{day.isoformat()}.parquet"
    making = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    rows = torn = lost = 0
    batch: list[dict[str, Any]] = []
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out, pq.ParquetWriter(out, SCHEMA, compression="zstd") as writer:
            for said in lines_of(source):
                if said is not None and said.get("kind") == "gap":
                    lost += int(said["lost"])
                elif said is not None and "kind" not in said:
                    row = _row(said)
                    if row is None:
                        torn += 1
                    else:
                        batch.append(row)
                        rows += 1
                elif said is None:
                    torn += 1
                if len(batch) >= _BATCH:
                    writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
                    batch = []
            writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
        making.replace(target)
    finally:
        making.unlink(missing_ok=True)
    return Converted(target, rows, torn, lost)


def _row(said: dict[str, Any]) -> dict[str, Any] | None:
    try:
        time = datetime.fromisoformat(said["time"]).astimezone(UTC)
        row = {name: said.get(name) for name in SCHEMA.names} | {"time": time}
    except (ValueError, KeyError, TypeError):
        return None
    return row if all(isinstance(row[name], kind) for name, kind in _NEEDED.items()) else None
