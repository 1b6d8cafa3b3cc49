"""A small project under each other method: built, accounted for, verified as far as is claimed."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.flow.gate import go_live
from tests.flow.small_project import SOURCE, TABLES, TOWNS, run, write_project, write_visits

ROUNDED = '\n[method]\nname = "rounding"\nbase = 10\n'
METHODS = {
    "controlled": ROUNDED,
    "random": '\n[method]\nname = "rounding"\nkind = "random"\nbase = 40\n',
    "conventional": '\n[method]\nname = "rounding"\nkind = "conventional"\nbase = 60\n',
    "consistent": '\n[method]\nname = "cell-key"\n',
    "additive": '\n[method]\nname = "cell-key"\nmode = "additive"\nkey = ["card", "visited"]\n',
    "gaussian": '\n[method]\nname = "differential-privacy"\nrho = 0.5\nbudget = 1\nrecords = 4\n',
    "laplace": (
        '\n[method]\nname = "differential-privacy"\nmechanism = "laplace"\nrho = 2\nbudget = 2\nrecords = 4\n'
    ),
}
PROMISES = {
    "controlled": ("parts still add up", "las partes siguen sumando"),
    "random": ("rounded at random to a multiple of 40", "se redondea al azar"),
    "conventional": ("within 30 of the true one", "30 como máximo"),
    "consistent": ("of at most 18", "de 18 como máximo"),
    "additive": ("made to add up", "se ajustan para que sumen"),
    "gaussian": ("rho 0.5 (epsilon", "rho 0.5 (épsilon"),
    "laplace": ("rho 2 (epsilon", "rho 2 (épsilon"),
}
DECLARED = TABLES.replace('last = "2022" }', 'last = "2022", missing = "Not known" }')
DECLARED = DECLARED.replace('hierarchy = "places" }', 'hierarchy = "places", missing = "Not known" }')
DECLARED = DECLARED.replace("sex = {}", 'sex = { missing = "Not known" }')
DECLARED = DECLARED.replace("bands = [20, 40, 60] }", 'bands = [20, 40, 60], missing = "Not known" }')


def project_with(root: Path, method: str) -> Path:
    write_project(root)
    (root / "sources" / "visits.toml").write_text(SOURCE + METHODS[method], encoding="utf-8")
    (root / "tables" / "visits.toml").write_text(DECLARED, encoding="utf-8")
    # Always the same draws: whether random rounding passes its audit depends on them.
    (root / "confidential").mkdir(mode=0o700)
    seed = root / "confidential" / "seed"
    seed.touch(mode=0o600)
    seed.write_text("5a" * 32 + "\n", encoding="ascii")
    return root


def numbers(root: Path) -> dict[tuple[str, ...], int]:
    with (root / "releases" / "staged" / "site" / "data" / "visits.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert all(row[-1] == "" for row in rows[1:]), "nothing is hidden"
    return {tuple(row[:-2]): int(row[-2]) for row in rows[1:]}


@pytest.mark.parametrize("method", METHODS)
def test_a_project_under_the_method_builds_and_verifies(tmp_path: Path, method: str) -> None:
    root = project_with(tmp_path / "p", method)
    done = run("build", root, "--date", "2024-02-03", "--format", "json")
    assert done.code == 0, done.out + done.err
    source = done.json["sources"]["visits"]
    assert source["hidden"]["total"] == 0
    assert source["utility"]["cells"] == source["cells"]
    assert {tuple(margin["margin"]) for margin in source["utility"]["margins"]} >= {(), ("town", "year")}
    assert done.json["proof"]["sources"] == []
    first = numbers(root)

    checked = run("verify", root, "--format", "json")
    assert checked.code == 0, checked.out
    (other,) = checked.json["proof"]["other_methods"]
    assert (other["source"], other["cells"]) == ("visits", source["cells"])
    assert checked.json["proof"]["sources"] == []
    assert "no proof is claimed" in run("verify", root).out

    # Again, on the same records: the same bytes, whatever was drawn.
    again = run("build", root, "--date", "2024-02-03", "--format", "json")
    assert again.json["release"] == done.json["release"]
    assert numbers(root) == first
    site = root / "releases" / "staged" / "site"
    words = PROMISES[method]
    assert words[0] in (site / "visits" / "index.html").read_text("utf-8")
    assert words[1] in (site / "es" / "methodology" / "index.html").read_text("utf-8")
    readme = " ".join((site / "data" / "visits.README.txt").read_text("utf-8").split())
    assert words[0] in readme and "are hidden" not in readme


def test_the_numbers_do_not_depend_on_the_order_of_records(tmp_path: Path) -> None:
    for method in ("random", "consistent"):
        root = project_with(tmp_path / method, method)
        assert run("build", root).code == 0
        before = numbers(root)
        records = root / "records" / "visits.csv"
        head, *rows = records.read_text(encoding="utf-8").splitlines()
        records.write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
        assert run("build", root).code == 0
        assert numbers(root) == before


def test_the_budget_is_kept_and_refused_when_it_is_spent(tmp_path: Path) -> None:
    root = project_with(tmp_path / "p", "gaussian")
    records = root / "records" / "visits.csv"
    for rows, code in ((900, 0), (901, 0), (902, 1)):
        write_visits(records, rows=rows)
        done = run("build", root)
        assert done.code == code, done.err
    assert "budget" in done.err
    lines = (root / "privacy-budget.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["rho"] for line in lines] == [0.5, 0.5]

    (root / "privacy-budget.jsonl").write_text(lines[1] + "\n", encoding="utf-8")
    done = run("build", root)
    assert done.code == 2 and "privacy-budget.jsonl:1" in done.err


def test_a_budget_that_lost_its_last_line_stops_the_build(tmp_path: Path) -> None:
    root = project_with(tmp_path / "p", "gaussian")
    file = root / "privacy-budget.jsonl"
    for rows in (900, 901):
        write_visits(root / "records" / "visits.csv", rows=rows)
        assert run("build", root).code == 0
        go_live(root)
    whole = file.read_text(encoding="utf-8")
    assert run("ledger", "verify", root).code == 0

    for rest in (whole.splitlines(keepends=True)[0], ""):
        file.write_text(rest, encoding="utf-8")
        done = run("build", root)
        assert done.code == 1 and "privacy budget are missing" in done.err
        assert run("ledger", "verify", root).code == 1
    file.unlink()
    assert run("build", root).code == 1
    file.write_text(whole, encoding="utf-8")
    assert run("build", root).code == 0


def test_numbers_that_were_drawn_and_never_written_down_are_not_published(tmp_path: Path) -> None:
    root = project_with(tmp_path / "p", "gaussian")
    assert run("build", root).code == 0
    (root / "privacy-budget.jsonl").unlink()
    (root / "ledger.jsonl").unlink(missing_ok=True)
    (root / "current").unlink(missing_ok=True)
    shutil.rmtree(root / "releases")
    done = run("build", root)
    assert done.code == 1 and "the privacy budget does not say so" in done.err


def test_a_source_keeps_its_method(tmp_path: Path) -> None:
    root = project_with(tmp_path / "p", "controlled")
    assert run("build", root).code == 0
    go_live(root)
    (root / "sources" / "visits.toml").write_text(SOURCE, encoding="utf-8")
    done = run("build", root)
    assert done.code == 1 and "rounding" in done.err


def test_verify_refuses_a_rounded_number_that_is_no_multiple(tmp_path: Path) -> None:
    from clerestory.errors import Refused
    from clerestory.methods import Rounding, RoundingKind
    from clerestory.release.altered import check_altered
    from clerestory.release.proof.verify_proof import source_cells
    from clerestory.release.verify import open_release

    root = project_with(tmp_path / "p", "controlled")
    assert run("build", root).code == 0
    found, public = source_cells(open_release((root / "releases" / "staged").resolve()), "visits")
    assert found.rule.method == Rounding(RoundingKind.CONTROLLED, 10)
    check_altered(public, found.rule)
    public.values[3] += 1
    with pytest.raises(Refused, match="no multiple of 10"):
        check_altered(public, found.rule)
    public.values[3] += 9
    with pytest.raises(Refused, match="do not add up"):
        check_altered(public, found.rule)


@pytest.mark.parametrize(
    ("method", "table", "key", "words"),
    [
        ('name = "rounding"\nbase = 5', "", "method.base", "base = 10 or more"),
        ('name = "rounding"\nkind = "conventional"\nbase = 10', "", "method.base", "base = 19 or more"),
        ('name = "rounding"\nkind = "controled"\nbase = 10', "", "method.kind", "controlled"),
        ('name = "roundin"\nbase = 10', "", "method", "rounding"),
        ('name = "cell-key"\nlargest = 4', "", "method.largest", "largest = 18"),
        ('name = "cell-key"\nkey = ["cart"]', "", "method.key[0]", "card"),
        ('name = "cell-key"\nkey = ["notes"]', "", "method.key[0]", "never read"),
        ('name = "differential-privacy"\nrho = 3\nbudget = 1\nrecords = 1', "", "method.rho", "budget"),
        (
            'name = "differential-privacy"\nrho = 1\nbudget = 1\nrecords = 1',
            "",
            "visits.dimensions.sex",
            "missing",
        ),
    ],
)
def test_a_method_that_does_not_fit_is_said_with_file_and_key(
    tmp_path: Path, method: str, table: str, key: str, words: str
) -> None:
    root = write_project(tmp_path / "p", rows=10)
    (root / "sources" / "visits.toml").write_text(f"{SOURCE}\n[method]\n{method}\n", encoding="utf-8")
    done = run("check", root, "--format", "json")
    assert done.code == 2
    said = {problem["where"].partition(", ")[2]: problem for problem in done.json["problems"]}
    assert key in said, said
    assert words in said[key]["what"] + said[key]["fix"]


def test_two_sources_of_the_same_records_have_one_method(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", rows=10)
    (root / "sources" / "again.toml").write_text(SOURCE + METHODS["gaussian"], encoding="utf-8")
    done = run("check", root, "--format", "json")
    assert done.code == 2
    assert any("break differential privacy" in problem["what"] for problem in done.json["problems"])


def test_towns_are_there_even_if_nobody_is(tmp_path: Path) -> None:
    """Categories under differential privacy come from the project, not from the records."""
    root = project_with(tmp_path / "p", "gaussian")
    write_visits(root / "records" / "visits.csv", rows=3)
    assert run("build", root).code == 0
    assert set(TOWNS) <= {row[0] for row in numbers(root)}
