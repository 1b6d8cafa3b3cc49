"""`clerestory protect` and `clerestory audit`: exit codes, files and both formats."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from clerestory.cli.app import app

RECORDS = "town,year\n" + "Elm,2024\n" * 40 + "Elm,2025\n" * 4 + "Oak,2024\n" * 60 + "Oak,2025\n" * 70
TABLE = """town,year,value
Elm,2024,40
Elm,2025,x
Elm,all,44
Oak,2024,60
Oak,2025,70
Oak,all,130
all,2024,100
all,2025,74
all,all,174
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "records.csv").write_text(RECORDS, encoding="utf-8")
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


def test_protect_then_audit_is_the_way_through(folder: Path) -> None:
    code, said, asides = run("protect", "records.csv", "--dims", "town,year")
    assert code == 0 and "9 cells" in said and "level 2" in said
    assert "Next: clerestory audit records.protected.csv --dims town,year" in said
    assert "Seed: " in asides and "Seed" not in said
    text = (folder / "records.protected.csv").read_text(encoding="utf-8")
    head, *rows = text.splitlines()
    assert head == "town,year,value,status" and rows[0].startswith("all,all,") and "Elm,2025,,hidden" in rows
    truth = (174, 100, 74, 44, 40, 4, 130, 60, 70)
    for row, value in zip(rows, truth, strict=True):  # which other cells are hidden, the drawn seed decides
        assert row.endswith((f",{value},", ",,hidden"))
    code, said, _ = run("audit", "records.protected.csv", "--dims", "town,year")
    assert code == 0 and "Wide" in said


def test_a_broken_table_exits_with_1_and_its_number(folder: Path) -> None:
    code, said, _ = run("audit", "table.csv", "--dims", "town,year")
    assert code == 1
    assert "town Elm, year 2025: is 4" in said and "Broken" in said
    assert "a reader of this table alone works out 1 exactly, of 1 hidden count." in said


def test_json_of_both(folder: Path) -> None:
    code, said, asides = run("audit", "table.csv", "--dims", "town,year", "--format", "json")
    report = json.loads(said)
    assert code == report["exit"] == 1 and report["verdict"] == "broken" and not asides
    assert report["counts"]["exact"] == 1
    assert report["findings"][0]["cell"] == {"town": "Elm", "year": "2025"}
    words = ["--seed", "00" * 16, "--out", "t.parquet", "--format", "json"]
    code, said, asides = run("protect", "records.csv", "--dims", "town,year", "--records", *words)
    report = json.loads(said)
    assert code == 0 and report["cells"] == 9 and report["file"] == "t.parquet" and not asides
    assert pq.read_table(folder / "t.parquet").num_rows == 9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["audit", "none.csv", "--dims", "town"], "no such file"),
        (["audit", "table.csv", "--dims", "town"], "another row stands for"),
        (["audit", "table.csv", "--dims", "town,year", "--hierarchy", "town"], "DIMENSION=FILE"),
        (["audit", "table.csv", "--dims", "town,year", "--value", "n"], "no column 'n'"),
        (["protect", "records.csv", "--dims", "town", "--out", "records.csv"], "overwrite the input"),
        (["protect", "records.csv", "--dims", "town", "--value", "year", "--records"], "records or counts"),
        (["protect", "records.csv", "--dims", "town", "--out", "no/where.csv"], "cannot be written"),
        (["protect", "records.csv", "--dims", "town", "--seed", "xyz"], "hexadecimal"),
        (["protect", "empty.csv", "--dims", "town"], "the file is empty"),
        (["audit", "table.csv", "--dims", "town,year", "--level", "3"], "no level 3"),
        (["audit", "table.csv", "--dims", "town,year", "--rounded"], "whole and exact"),
        (["audit", "table.csv", "--dims", "town,year", "--sums", "--small", "x"], "how many it is of"),
        (["audit", "table.csv", "--dims", "town,year", "--large", "y"], "no hidden cell carries"),
        (["audit", "table.csv", "--dims", "town", "--layout", "cross"], "two dimensions"),
        (["audit", "table.csv", "none.csv", "--dims", "town,year"], "no such file"),
        (["audit", "table.csv", "--dims", "town,year", "--hierarchy", "town=none.hrc"], "no such file"),
        (["protect", "firms.csv", "--dims", "town", "--p", "10"], "p is for sums"),
        (["protect", "firms.csv", "--dims", "town", "--sum", "n", "--dominance", "2"], "not two numbers"),
        (
            ["protect", "firms.csv", "--dims", "town", "--sum", "n", "--dominance", "1.5,60"],
            "how many contributors",
        ),
        (["protect", "firms.csv", "--dims", "town", "--sum", "n", "--pq", "50,10"], "0 < p < q"),
        (
            ["protect", "firms.csv", "--dims", "town", "--sum", "loss"],
            "1 row (the first is row 2) hold an amount below 0",
        ),
        (["protect", "firms.csv", "--dims", "town", "--sum", "town"], "a dimension and the sum"),
    ],
)
def test_wrong_calls_exit_with_2(folder: Path, words: list[str], message: str) -> None:
    (folder / "empty.csv").write_text("", encoding="utf-8")
    (folder / "firms.csv").write_text("town,n,loss\nElm,3,-8877\nOak,4,1\n", encoding="utf-8")
    code, said, asides = run(*words)
    assert code == 2 and message in asides and not said and "8877" not in asides


def test_numbers_that_contradict_each_other_exit_with_2_and_a_place(folder: Path) -> None:
    (folder / "table.csv").write_text(TABLE.replace("Oak,2025,70", "Oak,2025,71"), encoding="utf-8")
    code, _, asides = run("audit", "table.csv", "--dims", "town,year")
    assert code == 2 and "town Oak over year: shows 130; its parts: 131" in asides


def test_a_table_of_three_records_shows_no_number(folder: Path) -> None:
    (folder / "few.csv").write_text("town\n" + "Elm\n" * 3, encoding="utf-8")
    assert run("protect", "few.csv", "--dims", "town")[0] == 0
    shown = (folder / "few.protected.csv").read_text(encoding="utf-8")
    assert shown == "town,value,status\nall,,hidden\nElm,,hidden\n"
    assert run("audit", "few.protected.csv", "--dims", "town")[0] == 0


def test_what_could_not_be_decided_exits_with_3(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clerestory.api import auditing
    from clerestory.confidential.standalone import Attack, Finding

    open_ = Finding("undecided", {"town": "Elm", "year": "2025"}, None, None, exact=False)
    monkeypatch.setattr(auditing, "attack", lambda *_, **__: Attack(9, 1, 0, (open_,)))
    code, said, _ = run("audit", "table.csv", "--dims", "town,year")
    assert code == 3 and "no pass" in said


def test_sums_are_protected_and_the_command_that_follows_passes(folder: Path) -> None:
    rows = "".join(f"{town},{year},{amount}\n" for town, amounts in
                   {"Elm": [900.5, 3, 2], "Oak": [50, 40.25, 60, 70], "Ash": [90, 80, 85, 70]}.items()
                   for year in (2024, 2025) for amount in amounts)  # fmt: skip
    (folder / "firms.csv").write_text("town,year,n\n" + rows, encoding="utf-8")
    words = ["--dims", "town,year", "--sum", "n", "--p", "10", "--seed", "00" * 16]
    code, said, _ = run("protect", "firms.csv", *words)
    assert code == 0 and "Sensitive by: p% rule with p = 10." in said and "percent larger and smaller" in said
    following = said.rpartition("Next: clerestory ")[2].split()
    assert following[-1] == "--sums"
    code, said, _ = run(*following, "--intervals")
    assert code == 0 and "no hidden sum can be estimated to within 10 percent" in said
    assert "The values that a reader cannot rule out:" in said
    code, said, _ = run("protect", "firms.csv", *words, "--format", "json")
    report = json.loads(said)
    assert (
        report["decimals"] == 2 and report["rules"] == "p% rule with p = 10" and "minimum_count" not in report
    )


def test_intervals_and_level_1_in_json(folder: Path) -> None:
    words = ["--dims", "town,year", "--intervals", "--level", "1", "--format", "json"]
    code, said, _ = run("audit", "table.csv", *words)
    report = json.loads(said)
    assert code == 1 and report["level"].startswith("level 1") and report["of"] == "counts"
    assert report["intervals"] == report["findings"] and report["summary"].startswith("With pencil")


def test_the_solver_writes_nothing_into_a_report(folder: Path) -> None:
    import subprocess
    import sys

    words = ["audit", "table.csv", "--dims", "town,year", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "clerestory", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and json.loads(done.stdout)["verdict"] == "broken"
