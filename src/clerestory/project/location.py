"""What a source's location is, from its text alone: nothing is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clerestory.errors import InputError
from clerestory.project.problems import nearest

Kind = Literal["parquet", "csv", "sqlite", "duckdb", "postgresql"]

_SUFFIXES: dict[str, Kind] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
    ".duckdb": "duckdb",
}
_SCHEMES: dict[str, Kind] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "duckdb": "duckdb",
    "sqlite": "sqlite",
}
DATABASES: tuple[Kind, ...] = ("sqlite", "duckdb", "postgresql")


@dataclass(frozen=True)
class Location:
    """Where a source is. address: a path or glob for files and file databases, the URL for PostgreSQL.

    Relative paths are made absolute against the project folder.
    """

    kind: Kind
    address: str


def source_kind(location: str) -> Kind:
    """What stands at a location: by the scheme of a URL, or by a file's suffix.

    Raises InputError that names the nearest scheme or lists the suffixes; the message holds no password.
    """
    scheme, found, _ = location.partition("://")
    if found:
        if scheme not in _SCHEMES:
            raise InputError(f"unknown kind of database {scheme!r}", fix=nearest(scheme, _SCHEMES))
        return _SCHEMES[scheme]
    name = location.replace("\\", "/").rsplit("/", 1)[-1].lower()
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return _SUFFIXES[suffix]
    raise InputError(
        "the location's kind cannot be told from its name",
        fix=f"use a file that ends in {', '.join(_SUFFIXES)}, or a URL: postgresql://…",
    )


def location_of(root: Path, location: str) -> Location:
    """Kind and full address of a location of a project in `root`. Raises InputError like source_kind."""
    kind = source_kind(location)
    if kind == "postgresql":
        return Location(kind, location)
    _, found, path = location.partition("://")
    return Location(kind, str(root / (path if found else location)))


def has_password(location: str) -> bool:
    """Whether a URL holds a password, which project files must not."""
    return bool(
        re.match(r"[a-z0-9+]+://[^/@]*:[^/@]+@", location, re.IGNORECASE)
        or re.search(r"[?&]password=", location, re.IGNORECASE)
    )
