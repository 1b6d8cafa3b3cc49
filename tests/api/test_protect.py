"""Protect one table: what comes out withstands the audit, whatever kind of frame went in."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clerestory import audit, protect
from clerestory.errors import InputError

SEED = "00112233445566778899aabbccddeeff"
REGIONS = {"Alder": "North", "Birch": "North", "Cedar": "South", "Dogwood": "South", "Elm": "South"}
DIMS = ["county", "year", "race"]


def records(count: int = 1500) -> dict[str, list[Any]]:
    rng = random.Random(7)
    return {
        "name": [f"N{i}" for i in range(count)],
        "county": rng.choices(list(REGIONS), [50, 4, 20, 3, 40], k=count),
        "year": rng.choices([2020, 2021], k=count),
        "race": rng.choices(["W", "B", None], [60, 20, 2], k=count),
    }


def rows_of(native: Any) -> list[tuple[Any, ...]]:
    columns = [native[name].to_pylist() for name in native.column_names]
    return list(zip(*columns, strict=True))


def truth(table: dict[str, list[Any]], where: dict[str, str]) -> int:
    """Counted again, by hand."""
    return sum(
        all(
            code
            in ("all", str(row[name]) if row[name] is not None else "missing", REGIONS.get(row[name], ""))
            for name, code in where.items()
        )
        for row in (dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True))
    )


@pytest.fixture(scope="module")
def done() -> Any:
    return protect(pa.table(records()), DIMS, hierarchies={"county": REGIONS}, seed=SEED)


def test_every_shown_number_is_the_true_count_and_no_small_one_is_shown(done: Any) -> None:
    rows = done.to_native()
    assert rows.column_names == ["county", "county_level", "year", "race", "value", "status"]
    table = records()
    assert rows.num_rows == (1 + 2 + 5) * 3 * 4
    for county, _, year, race, value, status in rows_of(rows):
        true = truth(table, {"county": county, "year": year, "race": race})
        assert (value is None) == (status == "hidden")
        assert value in (None, true)
        assert value is None or value == 0 or value >= 11
        assert true != 0 or value == 0


def test_what_protect_made_the_audit_passes(done: Any) -> None:
    found = audit(done.to_native(), DIMS, hierarchies={"county": REGIONS})
    assert found.verdict == "wide" and found.exit_code == 0
    assert found.hidden == done.hidden == done.primary + done.secondary > 0
    assert done.smallest >= 9


def test_hiding_only_the_small_cells_is_broken_with_their_true_values(done: Any) -> None:
    table = records()
    rows = []
    for county, _, year, race, _, _ in rows_of(done.to_native()):
        true = truth(table, {"county": county, "year": year, "race": race})
        rows.append({"county": county, "year": year, "race": race, "value": None if 0 < true < 11 else true})
    found = audit(pa.Table.from_pylist(rows), DIMS, hierarchies={"county": REGIONS})
    exact = [finding for finding in found.findings if finding.kind == "exact"]
    assert found.verdict == "broken" and len(exact) > 5
    assert all(finding.least == truth(table, finding.where) for finding in exact)


def test_every_kind_of_frame_gives_the_same_table_in_its_own_kind(done: Any) -> None:
    wanted = rows_of(done.to_native())
    for frame in (pd.DataFrame(records()), pl.DataFrame(records()), pl.DataFrame(records()).lazy()):
        native = protect(frame, DIMS, hierarchies={"county": REGIONS}, seed=SEED).to_native()
        assert isinstance(native, pd.DataFrame if isinstance(frame, pd.DataFrame) else pl.DataFrame)
        back = pa.Table.from_pandas(native) if isinstance(native, pd.DataFrame) else native.to_arrow()
        assert rows_of(back) == wanted


def test_categories_and_gaps_of_pandas_read_as_texts() -> None:
    frame = pd.DataFrame({"year": [2020.0, None] * 40, "who": pd.Categorical(["a", "b"] * 40)})
    assert list(protect(frame, ["year"]).to_native()["year"]) == ["all", "2020", "missing"]
    assert protect(frame, ["year", "who"]).cells == 9


def test_counts_at_the_finest_level_give_what_the_records_give(done: Any) -> None:
    frame = pd.DataFrame(records())
    counts = frame.groupby(DIMS, dropna=False).size().reset_index(name="n")
    again = protect(counts, DIMS, "n", hierarchies={"county": REGIONS}, seed=SEED)
    assert rows_of(pa.Table.from_pandas(again.to_native())) == rows_of(done.to_native())


def test_tables_of_databases_come_back_as_arrow(done: Any) -> None:
    import duckdb
    import ibis

    table = pa.table(records())
    con = duckdb.connect()
    for frame in (con.from_arrow(table), ibis.memtable(table)):
        native = protect(frame, DIMS, hierarchies={"county": REGIONS}, seed=SEED).to_native()
        assert rows_of(native) == rows_of(done.to_native())


def test_an_empty_line_of_a_single_column_is_a_record_without_a_value(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("town\n" + "Elm\n\n" * 20, encoding="utf-8")
    native = protect(path, ["town"]).to_native()
    assert dict(zip(native["town"].to_pylist(), native["value"].to_pylist(), strict=True)) == {
        "all": 40,
        "Elm": 20,
        "missing": 20,
    }


def test_margins_and_a_hierarchy_in_a_frame() -> None:
    lookup = pd.DataFrame({"county": list(REGIONS), "county.en": "label", "region": list(REGIONS.values())})
    made = protect(
        pl.DataFrame(records()),
        DIMS,
        hierarchies={"county": lookup},
        margins=[["county", "year"], ["county", "race"]],
        seed=SEED,
    )
    assert made.cells == 8 * 3 + 8 * 4 - 8
    assert set(made.to_native()["county_level"]) == {"all", "region", "county"}
    found = audit(made.to_native(), DIMS, hierarchies={"county": lookup})
    assert found.wide


def test_the_same_seed_gives_the_same_table_and_a_drawn_one_is_told() -> None:
    table = pa.table(records())
    first = protect(table, ["county", "race"])
    assert len(first.seed) == 32
    assert protect(table, ["county", "race"], seed=first.seed).to_native().equals(first.to_native())
    assert first.seed not in repr(first)


def test_hidden_values_leave_no_trace() -> None:
    """Other true values behind the same pattern give the same bytes."""
    shown = [
        protect(pl.DataFrame({"who": list("abcde"), "n": counts}), ["who"], "n", seed=SEED).to_arrow()
        for counts in ([3, 9, 400, 500, 600], [4, 8, 400, 500, 600])
    ]
    assert shown[0]["status"].to_pylist().count("hidden") == 2
    assert shown[0].equals(shown[1])


@pytest.mark.parametrize(
    ("table", "dims", "options", "words"),
    [
        ({"a": ["x"]}, [], {}, "a list of one or more names"),
        ({"a": ["x"]}, ["b"], {}, "no column 'b'"),
        ({"a": ["x", "all"], "n": [1, 1]}, ["a"], {"value": "n"}, "seem to be totals"),
        ({"a": ["x"], "n": [1.5]}, ["a"], {"value": "n"}, "hold no count"),
        ({"a": ["x"], "n": [-1]}, ["a"], {"value": "n"}, "hold no count"),
        ({"a": ["x"], "n": [None]}, ["a"], {"value": "n"}, "hold no count"),
        ({"a": ["x"]}, ["a"], {"value": "a"}, "a dimension and the value"),
        ({"a": ["x"]}, ["a"], {"seed": "12"}, "hexadecimal"),
        ({"a": ["x"]}, ["a"], {"minimum_count": 0}, "less than 1"),
        ({"a": ["x"]}, ["a"], {"margins": [["b"]]}, "is no dimension"),
        ({"a": ["x"], "b": ["y"]}, ["a", "b"], {"margins": [["a"]]}, "in no margin"),
        ({"a": ["x"]}, ["a"], {"hierarchies": {"a": {"y": "z"}}}, "not in its hierarchy"),
        ({"a": ["x"]}, ["a"], {"hierarchies": {"a": {"x": "x"}}}, "two levels"),
        ({"a": ["x"]}, ["a"], {"hierarchies": {"a": {"x": "all"}}}, "reserved"),
        ({"a": ["x"]}, ["a"], {"hierarchies": {"a": {}}}, "no rows"),
        ({"a": ["x"]}, ["a"], {"hierarchies": {"a": {"x": ["p", "q"], "y": "p"}}}, "missing"),
        ({"a": [["x"]]}, ["a"], {}, "neither texts, numbers nor dates"),
        ({"value": ["x"]}, ["value"], {}, "cannot be called"),
        (
            {"c": ["x"], "c_level": ["y"]},
            ["c", "c_level"],
            {"hierarchies": {"c": {"x": "g"}}},
            "cannot be called",
        ),
        ({"a": ["x"]}, "a", {}, "a list of one or more names"),
        ({"a": [1, 2]}, [0], {}, "a list of one or more names"),
    ],
)
def test_wrong_input_is_named(table: Any, dims: list[str], options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        protect(pa.table(table), dims, **options)


def test_a_hierarchy_with_two_parents_or_a_code_twice_is_named_with_its_row() -> None:
    for rows, words in (
        ({"c": ["a", "a"], "r": ["p", "p"]}, "stands twice"),
        ({"d": ["a", "b"], "c": ["m", "m"], "r": ["p", "q"]}, "inside two others"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            protect(pa.table({"c": ["a"]}), ["c"], hierarchies={"c": pa.table(rows)})
        assert "row 1" in caught.value.where


def test_more_than_200_000_cells_are_refused() -> None:
    many = pa.table({"a": list(range(600)), "b": list(range(600))})
    with pytest.raises(InputError, match="200,000"):
        protect(many, ["a", "b"])


def test_something_else_than_a_frame_is_refused() -> None:
    with pytest.raises(InputError, match="not a dataframe"):
        protect([1, 2], ["a"])


def test_no_message_holds_a_value_from_the_records(tmp_path: Path) -> None:
    secret = "SECRETIVE"
    frame = pa.table({"a": [secret, "x"], "n": ["1", secret]})
    ragged = tmp_path / "r.csv"
    ragged.write_text(f"a,n\n{secret},1,{secret}\n", encoding="utf-8")
    latin = tmp_path / "l.csv"
    latin.write_bytes(b"a,n\nSECRETIVE\xff,1\n")
    for given, dims, options in (
        (frame, ["a"], {"value": "n"}),
        (frame, ["a"], {"hierarchies": {"a": {"x": "y"}}}),
        (ragged, ["a"], {}),
        (latin, ["a"], {}),
    ):
        with pytest.raises(InputError) as caught:
            protect(given, dims, **options)
        assert secret not in str(caught.value)


def test_files_csv_with_semicolons_a_mark_and_codes_that_look_like_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\ufeffzip;n\n" + "001;40\n01;50\n1;60\n", encoding="utf-8")
    rows = rows_of(protect(path, ["zip"], "n").to_native())
    assert {row[0]: row[1] for row in rows} == {"all": 150, "001": 40, "01": 50, "1": 60}
    pq.write_table(pa.table(records()), tmp_path / "t.parquet")
    assert protect(str(tmp_path / "t.parquet"), ["county"]).cells == 6


def test_importing_clerestory_stays_light() -> None:
    code = (
        "import sys, clerestory; "
        "assert not [m for m in sys.modules if m.startswith('clerestory.')], sys.modules; "
        "assert 'numpy' not in sys.modules; clerestory.protect; "
        "assert 'clerestory.api.standalone' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
