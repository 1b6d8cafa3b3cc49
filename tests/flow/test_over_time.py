"""Releases one after the other, by command: what a reader gains who kept the earlier ones."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from clerestory.api.build import BuildReport
from clerestory.api.build import build as build_only
from clerestory.errors import Refused
from tests.flow.gate import go_live
from tests.flow.small_project import edit, let_change, run, write_visits

RECORDS = "records/visits.csv"


def build(project: Path) -> BuildReport:
    """Builds a release and lets it go live."""
    report = build_only(project)
    go_live(project, report.release.name)
    return report


def rows_of(release: Path) -> dict[tuple[str, ...], int | None]:
    """Codes -> the value shown, None where it is hidden."""
    text = (release / "site" / "data" / "visits.csv").read_text("utf-8")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return {tuple(row[:-2]): int(row[-2]) if row[-2] else None for row in rows}


def one_less(project: Path, *, town: str = "Ash", year: str = "2021") -> None:
    """Takes one record away."""
    file = project / RECORDS
    lines = file.read_text("utf-8").splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if f",{town},{year}-" in line)
    file.write_text("".join(lines[:place] + lines[place + 1 :]), "utf-8")


def another_year(project: Path, rows: int = 300) -> None:
    """A closed year more, in the records and in the table."""
    edit(project, "tables/visits.toml", 'last = "2022"', 'last = "2023"')
    earlier = (project / RECORDS).read_text("utf-8")
    write_visits(project / RECORDS, rows=rows, seed=6, last_year=2019)
    later = (project / RECORDS).read_text("utf-8").split("\n", 1)[1]
    (project / RECORDS).write_text(earlier + later.replace(",2019-", ",2023-"), "utf-8")


def decide(project: Path, since: str, do: str) -> None:
    """Writes a decision about the table's small differences."""
    file = project / "decisions" / "over-time.toml"
    file.parent.mkdir(exist_ok=True)
    said = {"table": "visits", "since": since, "do": do, "reason": "a duplicate", "person": "Ana"}
    file.write_text("[[difference]]\n" + "".join(f'{k} = "{v}"\n' for k, v in said.items()), "utf-8")


def structure_of(release: Path) -> dict[str, object]:
    said: dict[str, object] = json.loads((release / "structure" / "visits.json").read_text("utf-8"))
    return said


def test_a_frozen_table_gains_a_year_and_old_rows_stay_as_they_were(project: Path, tmp_path: Path) -> None:
    first = build(project).release
    another_year(project)
    done = run("build", project, "--format", "json")
    assert done.code == 0, done.out

    second = Path(done.json["folder"])
    over_time = done.json["sources"]["visits"]["over_time"]
    assert over_time["together"] == [first.name]
    assert over_time["unrecoverable"] == []
    assert over_time["smallest"] >= 9
    before, after = rows_of(first), rows_of(second)
    closed = [key for key in before if key[2] != "all"]
    assert closed and all(before[key] == after[key] for key in closed)
    history = structure_of(second)["history"]
    assert isinstance(history, list) and [one[0] for one in history] == [first.name]

    checked = run("verify", second, "--format", "json")
    assert checked.code == 0, checked.out
    assert checked.json["proof"]["over_time"][0]["source"] == "visits.over-time"
    assert checked.json["proof"]["over_time"][0]["smallest"] >= 9

    away = tmp_path / "away" / second.name
    shutil.copytree(second, away)
    alone = run("verify", away)
    assert alone.code == 0 and "NOT checked together" in alone.out
    assert run("prove", away).code == 1
    assert run("verify", away, "--earlier", tmp_path).code == 1
    assert run("verify", away, "--earlier", first).code == 0
    proof = (away / "proof" / "visits.over-time.json").read_bytes()
    shutil.rmtree(away / "proof")
    assert run("prove", away, "--earlier", first).code == 0
    assert (away / "proof" / "visits.over-time.json").read_bytes() == proof


def test_a_frozen_cell_that_differs_is_refused_with_its_name(project: Path) -> None:
    first = build(project).release
    one_less(project)

    done = run("build", project, "--format", "json")

    assert done.code == 1
    problem = done.json["problems"][0]
    assert "table 'visits'" in problem["what"] and "year 2021" in problem["what"]
    assert "cumulative" in problem["fix"]
    assert first.name in problem["where"]
    assert (project / "releases" / "staged").resolve() == first


def test_the_same_records_again_are_the_same_release_and_live_once(project: Path) -> None:
    let_change(project, "cumulative")
    first = build(project).release
    again = build(project).release
    assert again == first
    write_visits(project / RECORDS, rows=1400)
    second = build(project).release
    assert build(project).release == second

    shown = run("ledger", "show", project, "--format", "json")
    live = [entry["release"] for entry in shown.json["entries"] if entry["kind"] == "published"]
    assert live == [first.name, second.name]
    assert run("ledger", "verify", project).code == 0
    assert first.name in run("ledger", "show", project).out


def test_what_came_to_a_cumulative_table_is_no_small_count_between_shown_numbers(project: Path) -> None:
    let_change(project, "cumulative")
    first = build(project).release
    write_visits(project / RECORDS, rows=960)
    second = build(project).release

    before, after = rows_of(first), rows_of(second)
    both = [(before[key], after[key]) for key in before.keys() & after.keys()]
    came = [now - then for then, now in both if then is not None and now is not None]
    assert all(more == 0 or more > 10 for more in came)
    assert any(more > 10 for more in came)
    assert run("verify", project).code == 0


def test_a_cumulative_table_that_loses_a_record_is_refused(project: Path) -> None:
    let_change(project, "cumulative")
    build(project)
    one_less(project)

    with pytest.raises(Refused, match="not what an earlier release shows"):
        build(project)


def test_revised_numbers_that_differ_by_little_wait_for_a_decision(project: Path) -> None:
    let_change(project, "revised")
    first = build(project).release
    one_less(project)

    held = run("build", project, "--format", "json")
    assert held.code == 1
    assert "differ from an earlier release by a small count" in held.json["problems"][0]["what"]
    assert f"since {first.name}" in held.json["problems"][0]["what"]

    decide(project, first.name, "batch")
    batched = run("build", project, "--format", "json")
    assert batched.code == 0, batched.out
    over_time = batched.json["sources"]["visits"]["over_time"]
    assert over_time["apart"] == [first.name] and over_time["together"] == []
    assert over_time["differences"]["batched"] and not over_time["differences"]["accepted"]
    before, after = rows_of(first), rows_of(Path(batched.json["folder"]))
    differing = [(before[key], after[key]) for key in before if before[key] != after[key]]
    assert differing and all(now is None or then is None for then, now in differing)
    assert "revised since" in run("verify", batched.json["folder"]).out


def test_revised_numbers_that_differ_by_little_are_published_where_somebody_says_so(project: Path) -> None:
    let_change(project, "revised")
    first = build(project).release
    one_less(project)
    decide(project, first.name, "accept")

    done = run("build", project, "--format", "json")

    assert done.code == 0, done.out
    accepted = done.json["sources"]["visits"]["over_time"]["differences"]["accepted"]
    assert {"since": first.name, "table": "visits", "cell": "table 'visits', the total"} in accepted


def test_revised_tables_in_which_nothing_was_revised_are_attacked_together(project: Path) -> None:
    let_change(project, "revised")
    first = build(project).release
    edit(project, "tables/visits.toml", '["year", "age"]', '["year", "age"], ["sex", "age"]')

    done = run("build", project, "--format", "json")

    assert done.code == 0, done.out
    assert done.json["sources"]["visits"]["over_time"]["together"] == [first.name]
    assert done.json["proof"]["over_time"]


def test_a_release_of_the_ledger_that_is_missing_stops_the_build(project: Path, tmp_path: Path) -> None:
    first = build(project).release
    another_year(project)
    build(project)
    shutil.move(first, tmp_path / first.name)

    done = run("build", project, "--format", "json")
    assert done.code == 1
    assert "cannot be audited against" in done.json["problems"][0]["what"]
    assert "restore" in done.json["problems"][0]["fix"]
    checked = run("ledger", "verify", project)
    assert checked.code == 1 and first.name in checked.err

    shutil.move(tmp_path / first.name, first)
    assert run("ledger", "verify", project).code == 0


def test_a_changed_ledger_stops_the_build(project: Path) -> None:
    first = build(project).release
    edit(project, "ledger.jsonl", '"seq":0', '"seq":1')

    done = run("build", project)

    assert done.code == 1 and "ledger.jsonl, line 1" in done.err
    assert (project / "releases" / "staged").resolve() == first


def test_a_release_that_was_never_live_is_no_past(project: Path) -> None:
    build_only(project)
    one_less(project)

    assert build_only(project).changes is None
    assert not (project / "ledger.jsonl").exists()


def test_decisions_are_checked(project: Path) -> None:
    decision = project / "decisions" / "over-time.toml"
    decision.parent.mkdir()
    decision.write_text('[[difference]]\ntable = "vists"\nsince = "last"\ndo = "ignore"\n', "utf-8")

    done = run("check", project)

    assert done.code == 2
    assert "decisions/over-time.toml" in done.err and "since" in done.err
