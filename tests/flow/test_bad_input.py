"""Bad input: its exit code, one clear message without a value from the records, and no partial release."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.small_project import Ran, run

Edit = Callable[[str, str, str], None]


def refused(done: Ran, project: Path, *, code: int = 2, says: str) -> None:
    assert done.code == code, done.out + done.err
    assert says in done.err, done.err
    assert "Traceback" not in done.err
    for secret in ("Z0000", "Surname1", "note 1"):
        assert secret not in done.out + done.err
    releases = project / "releases"
    assert not (releases / "staged").exists()
    assert not (releases.exists() and list(releases.iterdir()))


def rewrite(project: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    path = project / "records" / "visits.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = change(list(csv.DictReader(file)))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_missing_column_is_named_with_the_nearest_one(project: Path) -> None:
    path = project / "records" / "visits.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("town,", "tawn,", 1), encoding="utf-8")

    done = run("build", project)

    refused(done, project, says="town")
    assert "tawn" in done.err


def test_a_code_that_the_lookup_lacks_is_counted_not_shown(project: Path) -> None:
    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[3]["town"] = rows[8]["town"] = "Zedwick"
        return rows

    rewrite(project, change)

    done = run("build", project)

    refused(done, project, says="town")
    assert "Zedwick" not in done.err
    assert "2" in done.err


def test_a_new_category_is_counted_not_shown(project: Path) -> None:
    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[5]["sex"] = "Qxx"
        return rows

    rewrite(project, change)

    done = run("build", project)

    refused(done, project, says="sex")
    assert "Qxx" not in done.err


def test_an_identifier_is_never_a_dimension(project: Path, edit: Edit) -> None:
    edit("tables/visits.toml", "sex = {}", 'sex = {}\nwho = { from = "surname" }')

    done = run("build", project)

    refused(done, project, says="identifier")
    assert "tables/visits.toml:" in done.err


def test_an_identifier_is_never_in_where(project: Path, edit: Edit) -> None:
    edit("tables/visits.toml", 'count = "visit"', 'count = "visit"\nwhere = "surname = \'x\'"')

    refused(run("build", project), project, says="identifier")


@pytest.mark.parametrize(
    "attack",
    ["1=1; drop table visits", "sex = 'F' or 1=1", "sex = 'F') union select surname --", "exists (select 1)"],
)
def test_where_is_a_grammar_and_never_sql(project: Path, edit: Edit, attack: str) -> None:
    edit("tables/visits.toml", 'count = "visit"', f'count = "visit"\nwhere = "{attack}"')

    refused(run("build", project), project, says="where")


def test_a_field_without_a_role_is_refused(project: Path, edit: Edit) -> None:
    edit("sources/visits.toml", 'sex = { role = "quasi-identifier", categories', "sex = { categories")

    refused(run("build", project), project, says="role")


def test_an_unknown_role_proposes_the_nearest(project: Path, edit: Edit) -> None:
    edit("sources/visits.toml", 'visited = { role = "operational" }', 'visited = { role = "operatonal" }')

    done = run("build", project)

    refused(done, project, says="operational")
    assert "sources/visits.toml:" in done.err


def test_an_empty_source_publishes_zeros_or_says_so(project: Path) -> None:
    path = project / "records" / "visits.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")

    done = run("build", project)

    assert done.code in (0, 2)
    assert "Traceback" not in done.err


def test_a_file_without_even_a_header_is_refused(project: Path) -> None:
    (project / "records" / "visits.csv").write_text("", encoding="utf-8")

    refused(run("build", project), project, says="visits")


def test_when_every_cell_is_small_all_are_hidden_and_nothing_is_shown(project: Path) -> None:
    path = project / "records" / "visits.csv"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:6]) + "\n", encoding="utf-8")

    done = run("build", project, "--format", "json")

    assert done.code == 0, done.err
    table = (project / "releases/staged/site/data/visits.csv").read_text(encoding="utf-8").splitlines()
    head = table[0].split(",")
    for row in csv.reader(table[1:]):
        value, status = row[head.index("value")], row[head.index("status")]
        assert (value, status) in (("0", ""), ("", "hidden"))


def test_one_dimension_only(project: Path, edit: Edit) -> None:
    edit(
        "tables/visits.toml",
        'margins = [["town", "year"], ["town", "sex"], ["year", "age"]]',
        'margins = [["year"]]',
    )
    for line in ('town = { hierarchy = "places" }', "sex = {}", "age = { bands = [20, 40, 60] }"):
        edit("tables/visits.toml", line + "\n", "")
    (project / "dashboards" / "visits.md").write_text(
        "---\ntitle: Visits\nsummary: Visits.\n---\n\nVisits.\n", encoding="utf-8"
    )

    assert run("build", project).code == 0


def test_ten_dimensions_are_refused_before_anything_is_counted(project: Path, edit: Edit) -> None:
    bands = "\n".join(
        f'd{i} = {{ from = "age", bands = [{", ".join(str(b) for b in range(10, 60 + i, 10))}] }}'
        for i in range(6)
    )
    edit("tables/visits.toml", "sex = {}", f"sex = {{}}\n{bands}")
    edit(
        "tables/visits.toml",
        '["year", "age"]]',
        '["year", "age"], ["town", "year", "sex", "age", "d0", "d1", "d2", "d3", "d4", "d5"]]',
    )

    refused(run("build", project), project, says="cells")


def test_a_file_that_is_not_what_it_says(project: Path, edit: Edit) -> None:
    (project / "records" / "visits.parquet").write_text("Surname1 is not a Parquet file", encoding="utf-8")
    edit("sources/visits.toml", "records/visits.csv", "records/visits.parquet")

    refused(run("build", project), project, says="Parquet")


def test_bad_bytes(project: Path) -> None:
    path = project / "records" / "visits.csv"
    content = path.read_bytes()
    path.write_bytes(content.replace(b",Ash,", b",A\xff\xfeh,", 3))

    refused(run("build", project), project, says="visits")


def test_dates_out_of_range(project: Path) -> None:
    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[7]["visited"] = "1019-04-03"
        return rows

    rewrite(project, change)

    done = run("build", project)

    refused(done, project, says="visited")
    assert "1019" not in done.err


def test_a_date_that_is_none(project: Path) -> None:
    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[7]["visited"] = "soon after Easter"
        return rows

    rewrite(project, change)

    done = run("build", project)

    refused(done, project, says="visited")
    assert "Easter" not in done.err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("data: {table: visits}", "data: {table: vists}", "visits"),
        ("field: year", "field: yeer", "year"),
        ('year="2021"', 'year="1066"', "1066"),
        ('year="2021"', 'yeer="2021"', "year"),
        ("- town", "- toun", "town"),
        ("mark: bar", "mark: bar\ndatasets: {}", "datasets"),
        ("data: {table: visits}", "data: {table: visits, url: x}", "url"),
        ("There were", "<script>alert(1)</script> There were", "HTML"),
    ],
)
def test_a_page_that_names_what_is_not_there(project: Path, old: str, new: str, says: str) -> None:
    page = project / "dashboards" / "visits.md"
    page.write_text(page.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    done = run("build", project)

    refused(done, project, says=says)
    assert "dashboards/visits.md" in done.err


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    done = run("build", tmp_path)

    assert done.code == 2
    assert "clerestory new" in done.err


def test_a_source_that_is_not_there(project: Path) -> None:
    (project / "records" / "visits.csv").unlink()

    refused(run("build", project), project, says="records/visits.csv")


def test_check_lists_all_problems_at_once(project: Path, edit: Edit) -> None:
    edit("sources/visits.toml", 'visited = { role = "operational" }', 'visited = { role = "operatonal" }')
    edit("dashboards/visits.md", "field: sex", "field: sax")

    done = run("check", project)

    assert done.code == 2
    assert "operational" in done.err
