"""What a database library says when it fails may quote records, so none of it is passed on."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
from ibis.common.exceptions import IbisError
from pyarrow import ArrowException

from clerestory.errors import ClerestoryError, InputError, Undecided

try:
    import psycopg

    _POSTGRES: tuple[type[Exception], ...] = (psycopg.Error,)
except ImportError:  # the extra `postgres` is not installed
    _POSTGRES = ()

_LIBRARIES = (duckdb.Error, sqlite3.Error, IbisError, ArrowException, OSError, UnicodeError, *_POSTGRES)

_STATES = {
    "28": ("the server refused the login", "check the user, and PGPASSWORD or ~/.pgpass"),
    "3D": ("there is no such database on the server", "check the name after the host in `location`"),
    "42501": (
        "the role may not read the table or one of the columns needed",
        "grant SELECT on these columns",
    ),
    "42P01": ("there is no such table", "check `table`"),
    "57014": ("the server cancelled the query", "raise its statement_timeout for this role"),
    "53": ("the server is short of memory, disk or connections", "try again later"),
    "22": ("a value does not have the type that its column is used as", "check the kinds of the fields"),
    "08": ("the connection to the server was lost", "try again"),
}


@contextmanager
def told_apart(where: str, look: Callable[[], ClerestoryError | None] | None = None) -> Iterator[None]:
    """Turns a library's exception into an error that holds no value.

    look: asked first; may know better what is wrong with the source (bad bytes, and where).
    Raises InputError, or Undecided when memory or disk space ran out.
    """
    try:
        yield
    except ClerestoryError:
        raise
    except _LIBRARIES as error:
        problem = (look() if look else None) or _problem(error, where)
    else:
        return
    raise problem from None


def _problem(error: Exception, where: str) -> ClerestoryError:
    if isinstance(error, (duckdb.OutOfMemoryException, MemoryError)):
        return Undecided("memory or disk space ran out", where=where, fix="use fewer or coarser dimensions")
    if isinstance(error, (duckdb.BinderException, duckdb.ParserException)):
        return Undecided(
            "the query is not valid: a mistake in Clerestory", where=where, fix="please report it"
        )
    state = getattr(error, "sqlstate", None)
    if isinstance(error, _POSTGRES):
        return _postgres(state, where)
    if isinstance(error, duckdb.IOException) and "lock" in str(error):
        return InputError("another program has the database open", where=where, fix="close it, and try again")
    if isinstance(error, duckdb.ConversionException):
        return InputError(_STATES["22"][0], where=where, fix=_STATES["22"][1])
    line = re.search(r"CSV Error on Line: (\d+)", str(error)) if isinstance(error, duckdb.Error) else None
    if line:
        return InputError(
            f"line {line[1]} is not a row: its cells do not match the header, or a quote is open",
            where=where,
            fix="write each row with the header's number of cells, and quote texts that hold commas",
        )
    if isinstance(error, PermissionError):
        return InputError("no permission to read it", where=where, fix="give yourself the right to read it")
    return InputError(
        "it cannot be read: it is damaged, incomplete, or reading it fails",
        where=where,
        fix="write it again from where it came from",
    )


def _postgres(state: str | None, where: str) -> InputError:
    for start, (what, fix) in _STATES.items():
        if state and state.startswith(start):
            return InputError(what, where=where, fix=fix)
    return InputError("the server failed to answer the query", where=where, fix="see the server's log")
