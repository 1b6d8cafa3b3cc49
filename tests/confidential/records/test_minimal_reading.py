"""Only the columns that were asked for are read: other columns may raise, be damaged, or be forbidden."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clerestory.confidential.records import Records, open_location
from clerestory.errors import InputError
from tests.confidential.conftest import Server

WHERE = "source 'ccw'"


def counts(records: Records) -> dict[str, int]:
    with records:
        table = records.table
        found = records.rows(table.group_by("county").aggregate(n=ibis._.count()))
    return {str(county): int(str(n)) for county, n in found}


def test_a_view_whose_other_columns_raise_is_read(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "ccw.duckdb")) as con:
        con.execute("CREATE TABLE base AS SELECT 'alder' AS county, i AS n FROM range(30) t(i)")
        con.execute(
            "CREATE VIEW ccw AS SELECT county, CASE WHEN n >= 0 THEN error('read!') END AS last_name, "
            "CAST(concat('x', n) AS INTEGER) AS permit FROM base"
        )
    records = open_location("ccw.duckdb", "ccw", tmp_path, ["county"], where=WHERE)
    assert records.table.columns == ("county",)
    assert counts(records) == {"alder": 30}
    with (
        pytest.raises(InputError) as told,
        open_location("ccw.duckdb", "ccw", tmp_path, ["county", "last_name"], where=WHERE) as both,
    ):
        both.rows(both.table)
    assert "read!" not in str(told.value)


def test_a_sqlite_view_whose_other_column_raises_is_read(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "ccw.sqlite")
    con.execute("CREATE TABLE base (county TEXT)")
    con.executemany("INSERT INTO base VALUES (?)", [("alder",)] * 12)
    con.execute("CREATE VIEW ccw AS SELECT county, abs(-9223372036854775808) AS last_name FROM base")
    con.commit()
    con.close()
    assert counts(open_location("ccw.sqlite", "ccw", tmp_path, ["county"], where=WHERE)) == {"alder": 12}
    with (
        pytest.raises(InputError),
        open_location("ccw.sqlite", "ccw", tmp_path, ["county", "last_name"], where=WHERE) as both,
    ):
        both.rows(both.table)


def test_a_parquet_file_with_a_damaged_unused_column_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ccw.parquet"
    names = [f"name-{number:06}" for number in range(5000)]
    table = pa.table({"county": ["alder"] * 5000, "last_name": names})
    pq.write_table(table, path, use_dictionary=["county"], compression="none")
    chunk = pq.read_metadata(path).row_group(0).column(1)
    data = bytearray(path.read_bytes())
    start = chunk.data_page_offset
    data[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(data)
    assert counts(open_location("ccw.parquet", "", tmp_path, ["county"], where=WHERE)) == {"alder": 5000}
    with (
        pytest.raises(InputError),
        open_location("ccw.parquet", "", tmp_path, ["county", "last_name"], where=WHERE) as both,
    ):
        both.rows(both.table)


@pytest.mark.postgres
def test_a_role_without_select_on_other_columns_is_enough(
    tmp_path: Path, server: Server, password: str
) -> None:
    server.run(
        "DROP TABLE IF EXISTS ccw",
        "DROP ROLE IF EXISTS reader",
        f"CREATE ROLE reader LOGIN PASSWORD '{password}'",
        "CREATE TABLE ccw (county text, last_name text, permit int)",
        "INSERT INTO ccw SELECT 'alder', 'name', 1 FROM generate_series(1, 20)",
        "GRANT SELECT (county) ON ccw TO reader",
        "REVOKE TEMPORARY ON DATABASE records FROM PUBLIC",
    )
    records = open_location(server.url("reader"), "ccw", tmp_path, ["county"], where=WHERE)
    assert counts(records) == {"alder": 20}
    with pytest.raises(InputError, match="no column 'last_name'"):
        open_location(server.url("reader"), "ccw", tmp_path, ["county", "last_name"], where=WHERE)


def test_duckdb_may_not_fetch_extensions_and_spills_into_a_private_folder(tmp_path: Path) -> None:
    (tmp_path / "clerestory.toml").write_text("")
    pq.write_table(pa.table({"county": ["alder"]}), tmp_path / "ccw.parquet")
    records = open_location("ccw.parquet", "", tmp_path, ["county"], where=WHERE)
    asked = (
        "SELECT current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions')"
    )
    assert records.backend.con.execute(asked).fetchone() == (False, False)
    (folder,) = (tmp_path / "confidential").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "confidential").stat().st_mode & 0o777 == 0o700
    assert records.spill == folder
    assert counts(records) == {"alder": 1}
    assert not list((tmp_path / "confidential").iterdir())


@pytest.mark.parametrize("name", ["ccw.sqlite", "ccw.duckdb"])
def test_databases_are_opened_read_only(tmp_path: Path, name: str) -> None:
    if name.endswith("duckdb"):
        with duckdb.connect(str(tmp_path / name)) as duck:
            duck.execute("CREATE TABLE ccw AS SELECT 'alder' AS county")
    else:
        con = sqlite3.connect(tmp_path / name)
        con.executescript("CREATE TABLE ccw (county TEXT); INSERT INTO ccw VALUES ('alder');")
        con.close()
    with (
        open_location(name, "ccw", tmp_path, ["county"], where=WHERE) as records,
        pytest.raises((duckdb.Error, sqlite3.Error)),
    ):
        records.backend.con.execute("DELETE FROM ccw")
