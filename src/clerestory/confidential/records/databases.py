"""SQLite, DuckDB and PostgreSQL: the columns of a table, from the catalogue, and a query of some of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis
import sqlglot
from sqlglot import expressions as sge

from clerestory.confidential.records.failures import told_apart
from clerestory.errors import InputError
from clerestory.project import Kind

_POSTGRES_TYPES = {
    "bool": "boolean",
    "int2": "int64",
    "int4": "int64",
    "int8": "int64",
    "float4": "float64",
    "float8": "float64",
    "numeric": "decimal",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp('UTC')",
}
"""Types that are read as they are; every other one is read as text."""

_POSTGRES_COLUMNS = """
SELECT a.attname, t.typname, has_column_privilege(c.oid, a.attnum, 'SELECT')
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.oid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""


def sqlite(file: Path) -> Any:
    """SQLite, opened so that it cannot write."""
    con = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
    return ibis.sqlite.from_connection(con)


def postgres(url: str, where: str) -> Any:
    """A PostgreSQL session that cannot write. Raises InputError without the URL's user or password."""
    try:
        import psycopg
    except ImportError:
        psycopg = None  # type: ignore[assignment]
    if psycopg is None:
        raise InputError(
            "reading PostgreSQL needs the extra `postgres`",
            where=where,
            fix="pip install 'clerestory[postgres]'",
        )
    try:
        parts = urlsplit(url)
        server = f"{parts.hostname or 'the local server'}:{parts.port or 5432}"
    except ValueError:
        raise InputError("the URL of the server is not valid", where=where) from None
    error: psycopg.Error | None = None
    con: Any = None
    try:
        con = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.ProgrammingError:
        pass
    except psycopg.Error as caught:
        error = caught
    if error is not None:
        raise _refused(error, server, where)
    if con is None:
        raise InputError(
            "the URL of the server is not valid", where=where, fix="postgresql://host:port/database"
        )
    with told_apart(where):
        con.execute("SET default_transaction_read_only = on")
        return ibis.postgres.from_connection(con)


def _refused(error: Exception, server: str, where: str) -> InputError:
    """Why there is no connection. The library's message is looked at, and not passed on."""
    said = str(error)
    if "password" in said or "authentication" in said or "no pg_hba.conf" in said:
        what, fix = "refuses the login", "check the user, and PGPASSWORD or ~/.pgpass"
    elif "does not exist" in said and "database" in said:
        what, fix = "has no such database", "check the name after the host in `location`"
    elif "does not exist" in said and "role" in said:
        what, fix = "refuses the login", "check the user"
    else:
        what, fix = "cannot be reached", "check host and port, and that the server runs"
    return InputError(f"the PostgreSQL server {server} {what}", where=where, fix=fix)


def columns(con: Any, kind: Kind, table: str, where: str) -> dict[str, str]:
    """Names and types of a table's columns that may be read, from the catalogue; no record is read."""
    if not table:
        raise InputError("a database needs the name of a table", where=where, fix='add table = "…"')
    with told_apart(where):
        found = _COLUMNS[kind](con, table)
    if not found:
        with told_apart(where):
            names = _tables(con, kind)
        near = get_close_matches(table, names, n=1, cutoff=0.5)
        raise InputError(
            f"there is no table {table!r}, or none of its columns may be read",
            where=where,
            fix=f"did you mean {near[0]!r}?" if near else "check `table`",
        )
    return found


def select(con: Any, kind: Kind, table: str, chosen: Sequence[str], known: dict[str, str]) -> ibis.Table:
    """An Ibis table made of the chosen columns alone."""
    dialect = {"postgresql": "postgres"}.get(kind, kind)
    if kind == "duckdb":
        types = {name: con.compiler.type_mapper.from_string(known[name]) for name in chosen}
        parts = [_column(name, None, "duckdb") for name in chosen]
        return con.sql(_query(parts, table, "duckdb"), schema=ibis.schema(types))
    parts = []
    schema = {}
    for name in chosen:
        # SQLite's columns hold values of any type: as text, whatever does not fit is found and counted.
        as_is = kind == "postgresql" and known[name] in _POSTGRES_TYPES
        parts.append(_column(name, None if as_is else "TEXT", dialect))
        schema[name] = _POSTGRES_TYPES[known[name]] if as_is else "string"
    return con.sql(_query(parts, table, dialect), schema=ibis.schema(schema), dialect=dialect)


def _column(name: str, cast: str | None, dialect: str) -> str:
    column: sge.Expression = sge.column(name, quoted=True)
    if cast:
        column = sge.cast(column, cast)
    return sge.alias_(column, name, quoted=True).sql(dialect)


def _query(parts: Sequence[str], table: str, dialect: str) -> str:
    named = sqlglot.to_identifier(table, quoted=True).sql(dialect)
    if dialect == "postgres" and "." in table:
        named = ".".join(
            sqlglot.to_identifier(part, quoted=True).sql(dialect) for part in table.split(".", 1)
        )
    return f"SELECT {', '.join(parts)} FROM {named}"  # noqa: S608 quoted identifiers from project files


def _sqlite_columns(con: Any, table: str) -> dict[str, str]:
    return {
        str(name): str(kind)
        for name, kind in con.con.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
    }


def _duckdb_columns(con: Any, table: str) -> dict[str, str]:
    rows = con.con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE table_name = ? AND database_name = current_database() AND schema_name = current_schema()",
        [table],
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def _postgres_columns(con: Any, table: str) -> dict[str, str]:
    name = ".".join('"' + part.replace('"', '""') + '"' for part in table.split(".", 1))
    with con.con.cursor() as cursor:
        rows = cursor.execute(_POSTGRES_COLUMNS, (name,)).fetchall()
    return {str(column): str(kind) for column, kind, readable in rows if readable}


_COLUMNS = {"sqlite": _sqlite_columns, "duckdb": _duckdb_columns, "postgresql": _postgres_columns}

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    "duckdb": "SELECT table_name FROM information_schema.tables",
    "postgresql": "SELECT c.relname FROM pg_catalog.pg_class c "
    "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND pg_table_is_visible(c.oid) "
    "AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)",
}


def _tables(con: Any, kind: Kind) -> list[str]:
    if kind == "postgresql":
        with con.con.cursor() as cursor:
            return [str(row[0]) for row in cursor.execute(_TABLES[kind]).fetchall()]
    return [str(row[0]) for row in con.con.execute(_TABLES[kind]).fetchall()]
