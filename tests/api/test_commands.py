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
    assert text.startswith("town,year,value,status\nall,all,174,\n") and "Elm,2025,,hidden\n" in text
    code, said, _ = run("audit", "records.protected.csv", "--dims", "town,year")
    assert code == 0 and "Wide" in said


def test_a_broken_table_exits_with_1_and_its_number(folder: Path) -> None:
    code, said, _ = run("audit", "table.csv", "--dims", "town,year")
    assert code == 1
    assert "town Elm, year 2025: is 4" in said and "Broken" in said


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
    ],
)
def test_wrong_calls_exit_with_2(folder: Path, words: list[str], message: str) -> None:
    (folder / "empty.csv").write_text("", encoding="utf-8")
    code, said, asides = run(*words)
    assert code == 2 and message in asides and not said


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
    from clerestory.api import standalone
    from clerestory.confidential.standalone import Attack, Finding

    open_ = Finding("undecided", {"town": "Elm", "year": "2025"}, None, None, exact=False)
    monkeypatch.setattr(standalone, "attack", lambda *_, **__: Attack(9, 1, 0, (open_,)))
    code, said, _ = run("audit", "table.csv", "--dims", "town,year")
    assert code == 3 and "no pass" in said
