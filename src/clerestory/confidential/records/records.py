"""An opened source: a table with the columns that were asked for, and the ways to ask it for numbers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ibis
import numpy as np
import pyarrow as pa
import sqlglot
from numpy.typing import NDArray
from sqlglot.optimizer.eliminate_subqueries import eliminate_subqueries

from clerestory.confidential.records.failures import told_apart
from clerestory.errors import ClerestoryError

_BATCH = 100_000
_PAIRS = "clerestory_pairs"


@dataclass(frozen=True, eq=False, repr=False)
class Records:
    """The records of a source.

    table: an Ibis table with only the columns asked for. dialect: "duckdb", "sqlite" or "postgres".
    where: how messages call the source. look: says what is wrong with its files when reading them failed.
    spill: a private folder for what does not fit in memory; removed by close().
    """

    table: ibis.Table
    backend: Any
    dialect: str
    where: str
    look: Callable[[], ClerestoryError | None] | None = None
    spill: Path | None = None

    def __repr__(self) -> str:
        return f"Records({self.where})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection and removes what was spilled."""
        self.backend.con.close()
        if self.spill is not None:
            shutil.rmtree(self.spill, ignore_errors=True)

    def integers(
        self, query: ibis.Table, *, pairs: Mapping[str, NDArray[np.int64]] | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """The columns of a query's result, which are whole numbers and never null.

        pairs: columns of the table that `pairs_table` stands for in the query.
        Raises InputError without a value if the records cannot be read.
        """
        with told_apart(self.where, self.look):
            if self.dialect == "duckdb":
                return self._from_duckdb(self.backend.compile(query), pairs)
            sql = self._with_pairs(self._sql(query), pairs)
            return _gathered(list(query.columns), self._rows(sql))

    def size(self, table: ibis.Table) -> int:
        """How many rows a table has."""
        return int(self.integers(table.aggregate(n=ibis._.count()))["n"][0])

    def own_integers(
        self, sql: str, *, pairs: Mapping[str, NDArray[Any]] | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """The result of a query, written as SQL, of tables that `keep` made.

        pairs: columns of a table called `pairs_name`.
        """
        with told_apart(self.where, self.look):
            return self._from_duckdb(sql, pairs)

    def rows(self, query: ibis.Table) -> list[tuple[object, ...]]:
        """The rows of a small result, such as the categories of a field.

        Raises InputError without a value if the records cannot be read.
        """
        with told_apart(self.where, self.look):
            sql = self._sql(query)
            if self.dialect == "duckdb":
                return list(self.backend.con.execute(sql).fetchall())
            return [row for batch in self._rows(sql) for row in batch]

    def keep(self, name: str, query: ibis.Table) -> ibis.Table:
        """The result of a query as a table of this connection; only where the dialect is duckdb.

        Raises InputError without a value if the records cannot be read.
        """
        if self.dialect != "duckdb":
            raise ValueError("only DuckDB keeps tables: other databases are never written to")
        with told_apart(self.where, self.look):
            self.backend.con.execute(f'CREATE TEMP TABLE "{name}" AS {self.backend.compile(query)}')
        return ibis.table(query.schema(), name=name)

    @property
    def pairs_name(self) -> str:
        """What pairs that are handed over with a query are called in it."""
        return _PAIRS

    def pairs_table(self, *columns: str) -> ibis.Table:
        """What stands in a query for the pairs that are handed over with it; integers."""
        return ibis.table(dict.fromkeys(columns, "int64"), name=_PAIRS)

    def _sql(self, query: ibis.Table) -> str:
        sql: str = self.backend.compile(query)
        if self.dialect != "sqlite":
            return sql
        # SQLite's parser has a small stack: queries stand behind one another, not inside.
        return eliminate_subqueries(sqlglot.parse_one(sql, read="sqlite")).sql(dialect="sqlite")

    def _from_duckdb(
        self, sql: str, pairs: Mapping[str, NDArray[Any]] | None
    ) -> dict[str, NDArray[np.int64]]:
        con = self.backend.con
        if pairs is not None:
            con.register(_PAIRS, pa.table(dict(pairs)))
        try:
            # As a relation, so that Arrow gets the result without another copy of it.
            found = con.sql(sql).to_arrow_table()
        finally:
            if pairs is not None:
                con.unregister(_PAIRS)
        return {name: found[name].cast(pa.int64()).to_numpy() for name in found.column_names}

    def _with_pairs(self, sql: str, pairs: Mapping[str, NDArray[np.int64]] | None) -> str:
        """The query with its pairs written out: they are numbers, and a reader may make no tables."""
        if pairs is None:
            return sql
        rows = ",".join(str(row) for row in zip(*(column.tolist() for column in pairs.values()), strict=True))
        head = f"{_PAIRS} ({', '.join(pairs)}) AS (VALUES {rows})"
        start, rest = sql[:5], sql[5:]
        return f"WITH {head}, {rest}" if start.upper() == "WITH " else f"WITH {head} {sql}"

    def _rows(self, sql: str) -> Iterator[list[tuple[object, ...]]]:
        if self.dialect == "sqlite":
            cursor = self.backend.con.execute(sql)
            while batch := cursor.fetchmany(_BATCH):
                yield batch
            return
        with self.backend.con.transaction(), self.backend.con.cursor(name="clerestory") as cursor:
            cursor.execute(sql)
            while batch := cursor.fetchmany(_BATCH):
                yield batch


def _gathered(
    names: Sequence[str], batches: Iterator[list[tuple[object, ...]]]
) -> dict[str, NDArray[np.int64]]:
    parts = [
        np.array([[int(value) for value in row] for row in batch], dtype=np.int64)  # type: ignore[call-overload]
        for batch in batches
    ]
    whole = np.concatenate(parts) if parts else np.empty((0, len(names)), dtype=np.int64)
    return {name: np.ascontiguousarray(whole[:, place]) for place, name in enumerate(names)}
