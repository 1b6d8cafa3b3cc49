"""Why a cell is hidden, what protection cost and how tables score, by command; and what stays inside."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.small_project import run, write_project

CEDAR = "visits:town=Cedar,year=2020"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = write_project(tmp_path_factory.mktemp("explain") / "project")
    assert run("build", project, "--date", "2024-01-01").code == 0
    return project


def rows_of(project: Path, table: str = "visits") -> list[dict[str, str]]:
    path = project / "releases" / "staged" / "site" / "data" / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cell_of(row: dict[str, str]) -> str:
    codes = [f"{name}={row[name]}" for name in ("town", "year", "sex", "age") if row[name] != "all"]
    return f"visits:{','.join(codes)}"


def test_a_small_count_is_hidden_for_its_own_sake_and_proven_wide(built: Path) -> None:
    said = run("explain", built, CEDAR, "--format", "json").json
    assert (said["status"], said["hidden_as"]) == ("hidden", "primary")
    assert {rule["rule"] for rule in said["rules"]} <= {"records", "persons"}
    assert said["interval"]["proven_width"] >= said["interval"]["required_width"] == 9
    assert {line["over"] for line in said["lines"]} == {"town", "year"}
    assert all(line["hidden"] >= 2 for line in said["lines"])


def test_every_hidden_row_is_explained_and_both_kinds_are_met(built: Path) -> None:
    kept = json.loads(next((built / "confidential" / "reasons").glob("r-*.json")).read_text())
    table = kept["sources"]["visits"]["visits"]
    hidden = [place for place, row in enumerate(rows_of(built)) if row["status"] == "hidden"]
    assert table["hidden"] == hidden
    kinds = {}
    for place, reason in zip(table["hidden"], table["reasons"], strict=True):
        kinds.setdefault(bool(reason), cell_of(rows_of(built)[place]))
    assert run("explain", built, kinds[True], "--format", "json").json["hidden_as"] == "primary"
    assert run("explain", built, kinds[False], "--format", "json").json["hidden_as"] == "secondary"
    assert "hidden to protect others" in run("explain", built, kinds[False]).out


def test_a_shown_cell_is_said_to_be_shown(built: Path) -> None:
    assert "no rule hides it" in run("explain", built, "visits").out


@pytest.mark.parametrize("release", ["folder", "name"])
def test_a_release_is_named_by_its_folder_or_its_name(built: Path, release: str) -> None:
    folder = (built / "releases" / "staged").resolve()
    done = run("explain", folder if release == "folder" else folder.name, CEDAR, cwd=built)
    assert done.code == 0 and "primary" not in done.err, done.err


@pytest.mark.parametrize(
    ("cell", "what", "fix"),
    [
        ("vists", "no table 'vists'", "did you mean 'visits'?"),
        ("visits:twn=Ash", "no dimension 'twn'", "did you mean 'town'?"),
        ("visits:town=Ahs", "no town 'Ahs'", "did you mean 'Ash'?"),
        ("visits:town", "'town' is not DIMENSION=CODE", "table:county=alpine"),
        ("visits:town=Ash,town=Elm", "'town' stands twice", "name each"),
        ("visits:sex=F,age=20-39", "not published", "town, sex"),
        ("", "one thing to explain", "clerestory explain"),
    ],
)
def test_a_cell_that_is_none_is_located(built: Path, cell: str, what: str, fix: str) -> None:
    done = run("explain", built, cell, "--format", "json")
    (problem,) = done.json["problems"]
    assert done.code == 2
    assert what in problem["what"] and fix in problem["fix"]


def test_utility_and_scores_are_printed_without_a_true_value(built: Path) -> None:
    utility = run("explain", built, "--utility", "--format", "json").json["utility"]["visits"]
    assert utility["hidden"] == sum(row["status"] == "hidden" for row in rows_of(built))
    assert utility["largest_hidden"].keys() == {"where"}
    text = run("explain", built, "--utility")
    assert "hidden share by town" in text.out and "True values stand in" in text.out
    scores = run("explain", built, "--scoring", "--format", "json").json["scoring"]["visits"]
    assert scores["total"] == sum(part["points"] for part in scores["parts"])
    assert "edition 2.0" in run("explain", built, "--scoring").out


def test_true_values_are_in_the_kept_report_and_nowhere_else(built: Path) -> None:
    (report,) = (built / "confidential" / "reports").glob("r-*.json")
    largest = json.loads(report.read_text())["utility"]["visits"]["largest_hidden"]
    assert largest["value"] > 0
    for folder in ("reports", "reasons"):
        assert stat.S_IMODE((built / "confidential" / folder).stat().st_mode) == 0o700
        for file in (built / "confidential" / folder).iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    printed = run("build", built, "--date", "2024-01-01", "--format", "json")
    assert printed.json["utility"]["visits"]["largest_hidden"] == {"where": largest["where"]}


def test_a_release_that_left_its_project_has_no_reasons(built: Path, tmp_path: Path) -> None:
    import shutil

    folder = (built / "releases" / "staged").resolve()
    shutil.copytree(folder, tmp_path / "releases" / folder.name)
    done = run("explain", tmp_path / "releases" / folder.name, CEDAR)
    assert done.code == 2 and "reasons of this release are not here" in done.err


def test_tables_read_as_rates_flag_few_events(project: Path, edit: Callable[[str, str, str], None]) -> None:
    edit("tables/visits.toml", 'count = "visit"', 'count = "visit"\nrates = true')
    assert run("build", project).code == 0
    for row in rows_of(project):
        if row["value"]:
            assert (row["status"] == "unstable") == (int(row["value"]) < 20)


def test_sums_of_few_contributors_are_hidden_and_the_proof_holds(
    project: Path, edit: Callable[[str, str, str], None]
) -> None:
    settings = project / "clerestory.toml"
    settings.write_text(settings.read_text() + "\n[policy]\np_percent = 10\nminimum_contributors = 3\n")
    fees = """
[fees]
source = "visits"
title = "Fees"
sum = "fee"

[fees.dimensions]
town = { hierarchy = "places" }

[fees.publish]
margins = [["town"]]
"""
    tables = project / "tables" / "visits.toml"
    tables.write_text(tables.read_text() + fees)
    done = run("build", project)
    assert done.code == 0, done.err
    assert run("verify", project).code == 0
    said = run("explain", project, "fees:town=Fir", "--format", "json").json
    assert said["hidden_as"] == "primary"
    assert said["interval"]["required_width"] == 9 * 9
