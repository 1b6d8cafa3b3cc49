"""What is wrong with a source is said without a value from it."""

from __future__ import annotations

import gzip
import sqlite3
import traceback
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clerestory.confidential.records import Records, column_names, open_location
from clerestory.errors import InputError
from tests.confidential.conftest import Server

SECRET = "Okonkwo"


def opened(location: str, root: Path, columns: list[str], table: str = "") -> Records:
    return open_location(location, table, root, columns, where="source 'ccw'")


def refused(location: str, root: Path, columns: list[str], table: str = "") -> str:
    """The message of an error, which holds no value; nor does its traceback."""
    with pytest.raises(InputError) as told, opened(location, root, columns, table) as records:
        records.rows(records.table)
    assert told.value.exit_code == 2
    assert SECRET not in "".join(traceback.format_exception(told.value))
    return str(told.value)


def parquet(path: Path, **columns: list[object]) -> None:
    pq.write_table(pa.table(columns), path)


def test_a_missing_file_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    parquet(tmp_path / "ccw_2021.parquet", county=["a"])
    message = refused("ccw.parquet", tmp_path, ["county"])
    assert "no such file" in message and "ccw_2021.parquet" in message
    assert "no file matches" in refused("none_*.parquet", tmp_path, ["county"])


@pytest.mark.parametrize("name", ["a.parquet", "a.sqlite", "a.duckdb", "a.csv.gz"])
def test_a_text_with_another_name_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(f"county,last_name\nalder,{SECRET}\n" * 30)
    assert "but it is not" in refused(name, tmp_path, ["county"], "t" if "." in name else "")


def test_a_parquet_file_is_not_read_as_csv(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", county=[SECRET])
    (tmp_path / "a.parquet").rename(tmp_path / "a.csv")
    assert "it is not CSV in UTF-8" in refused("a.csv", tmp_path, ["county"])


def test_a_cut_off_parquet_file(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", county=["a"] * 1000)
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[:-40])
    assert "it is not Parquet" in refused("a.parquet", tmp_path, ["county"])
    (tmp_path / "a.parquet").write_bytes(whole[:-40] + b"PAR1")
    assert "damaged or incomplete" in refused("a.parquet", tmp_path, ["county"])


def test_a_damaged_column_that_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"county": [f"{SECRET}-{n}" for n in range(2000)]}), path, use_dictionary=False)
    chunk = pq.read_metadata(path).row_group(0).column(0)
    data = bytearray(path.read_bytes())
    middle = chunk.data_page_offset
    data[middle : middle + 60] = b"\xff" * 60
    path.write_bytes(data)
    assert "cannot be read" in refused("a.parquet", tmp_path, ["county"])


def test_a_renamed_column_and_the_nearest_there_is(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", county=["x"], aplication_date=["x"])
    message = refused("a.parquet", tmp_path, ["county", "application_date"])
    assert "no column 'application_date'" in message and "did you mean 'aplication_date'?" in message


def test_a_column_that_one_of_several_files_lacks_or_has_with_another_type(tmp_path: Path) -> None:
    parquet(tmp_path / "a_1.parquet", county=["x"], n=[1], m=[1])
    parquet(tmp_path / "a_2.parquet", county=["x"], n=["1"])
    assert "no column 'm' (in every file)" in refused("a_*.parquet", tmp_path, ["m"])
    assert "different types" in refused("a_*.parquet", tmp_path, ["n"])
    with opened("a_*.parquet", tmp_path, ["county"]) as records:
        assert records.rows(records.table) == [("x",), ("x",)]


def test_bad_bytes_in_a_csv_are_told_by_line_and_byte(tmp_path: Path) -> None:
    head = b"county,last_name\n"
    line = f"alder,{SECRET}\n".encode()
    (tmp_path / "a.csv").write_bytes(head + line * 99_999 + b"alder,\xe9tienne\n" + line * 3)
    message = refused("a.csv", tmp_path, ["county", "last_name"])
    byte = len(head) + len(line) * 99_999 + len("alder,") + 1
    assert f"line 100001, byte {byte} is not UTF-8" in message
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(head + b"\xe9,x\n"))
    assert "line 2, byte 18 is not UTF-8" in refused("b.csv.gz", tmp_path, ["county"])
    (tmp_path / "c.csv").write_text("county\nx\n", encoding="utf-16")
    assert "not CSV in UTF-8" in refused("c.csv", tmp_path, ["county"])


def test_a_csv_with_a_ragged_row_or_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"county,name\nalder,x\nalder,{SECRET},y,z\n")
    assert "line 3 is not a row" in refused("a.csv", tmp_path, ["county"])
    (tmp_path / "b.csv").write_text("")
    assert "no header" in refused("b.csv", tmp_path, ["county"])
    (tmp_path / "c.csv").write_text("county,county\nx,y\n")
    assert "two columns are called 'county'" in refused("c.csv", tmp_path, ["county"])


def test_csv_files_with_a_mark_quotes_and_columns_in_another_order(tmp_path: Path) -> None:
    (tmp_path / "a_1.csv").write_text('county,name\n"al, der",x\n,y\n', encoding="utf-8-sig")
    (tmp_path / "a_2.csv").write_text('name,county\nz,"o""k"\n')
    with opened("a_*.csv", tmp_path, ["county", "name"]) as records:
        assert sorted(map(str, records.rows(records.table))) == sorted(
            map(str, [("al, der", "x"), (None, "y"), ('o"k', "z")])
        )


def test_a_folder_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "records" / "dros"
    folder.mkdir(parents=True)
    parquet(folder / "a.parquet", county=["x"])
    parquet(folder / "b.parquet", county=["y"])
    with opened("records/dros", tmp_path, ["county"]) as records:
        assert sorted(records.rows(records.table)) == [("x",), ("y",)]
    (folder / "c.csv").write_text("county\nz\n")
    assert "several kinds" in refused("records/dros", tmp_path, ["county"])


def test_an_unknown_table_and_the_nearest_there_is(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as duck:
        duck.execute("CREATE TABLE permits AS SELECT 1 AS n")
    con = sqlite3.connect(tmp_path / "a.sqlite")
    con.execute("CREATE TABLE permits (n INTEGER)")
    con.close()
    for name in ("a.duckdb", "a.sqlite"):
        assert "did you mean 'permits'?" in refused(name, tmp_path, ["n"], "permit")
        assert "needs the name of a table" in refused(name, tmp_path, ["n"])
        assert column_names(name, "permits", tmp_path, where="x") == ("n",)


def test_a_damaged_database(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "a.sqlite")
    con.execute("CREATE TABLE t (county TEXT)")
    con.executemany("INSERT INTO t VALUES (?)", [(SECRET * 20,)] * 2000)
    con.commit()
    con.close()
    data = bytearray((tmp_path / "a.sqlite").read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    (tmp_path / "a.sqlite").write_bytes(data)
    assert "cannot be read" in refused("a.sqlite", tmp_path, ["county"], "t")


def test_no_server_and_no_password_in_the_message(tmp_path: Path) -> None:
    message = refused(f"postgresql://clerk:{SECRET}@127.0.0.1:9/ccw", tmp_path, ["county"], "t")
    assert "127.0.0.1:9 cannot be reached" in message and "clerk" not in message
    assert "not valid" in refused(f"postgresql://clerk:{SECRET}@127.0.0.1:port/ccw", tmp_path, ["n"], "t")


@pytest.mark.postgres
def test_what_postgresql_refuses(
    tmp_path: Path, server: Server, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run(
        "DROP TABLE IF EXISTS ccw",
        "CREATE TABLE ccw (county text, n int)",
        f"INSERT INTO ccw VALUES ('{SECRET}', 1)",
        "CREATE OR REPLACE VIEW broken AS SELECT county::int AS n FROM ccw",
    )
    url = server.url("postgres")
    assert "did you mean 'ccw'?" in refused(url, tmp_path, ["n"], "ccww")
    assert "no such database" in refused(server.url("postgres", "ccw"), tmp_path, ["n"], "ccw")
    assert "does not have the type" in refused(url, tmp_path, ["n"], "broken")
    with opened(url, tmp_path, ["county"], "public.ccw") as records:
        assert len(records.rows(records.table)) == 1
    server.run("DROP VIEW broken")
    monkeypatch.setenv("PGPASSWORD", "wrong")
    assert "refuses the login" in refused(url, tmp_path, ["n"], "ccw")
