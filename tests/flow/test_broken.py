"""One test a flaw: a good release is broken on purpose, its digests made to fit, and `verify` catches it.

Where a liar would also make a new proof, there is none to be made: `prove` refuses too. A flaw that no reader
can see, because other true numbers would have given the same files, is told from the digests alone.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from clerestory.errors import ClerestoryError, Refused
from clerestory.release.check import verify_release
from clerestory.release.proof.prove import prove
from tests.attacker import files
from tests.attacker.brute import attack
from tests.flow.broken import Lines, carry_proof, copy_of, edit_proof, edit_table, put, rows_of, signed_again
from tests.flow.small_project import TABLES, TOWNS, run, write_project

ONE_MORE = """
[visitors]
source = "visits"
title = "Visitors"
count = "person"
by = "visited"

[visitors.dimensions]
town = { hierarchy = "places", spread = "latest" }

[visitors.publish]
margins = [["town"]]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of a small project that counts visits and visitors."""
    project = write_project(tmp_path_factory.mktemp("broken") / "project", rows=300)
    (project / "tables" / "visits.toml").write_text(TABLES + ONE_MORE, encoding="utf-8")
    done = run("build", project)
    assert done.code == 0, done.err
    return (project / "releases" / "staged").resolve()


@pytest.fixture
def release(built: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return copy_of(built, tmp_path / "releases")


def truth(built: Path, row: Mapping[str, str]) -> int:
    """The true number of visits in a row of the table, counted from the records by hand."""
    with (built.parents[1] / "records" / "visits.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    bands = {"all": (0, 200), "under-20": (0, 19), "20-39": (20, 39), "40-59": (40, 59)}

    def inside(record: dict[str, str]) -> bool:
        low, high = bands.get(row["age"], (60, 200))
        return (
            row["town"] in ("all", record["town"], TOWNS[record["town"]])
            and row["year"] in ("all", record["visited"][:4])
            and row["sex"] in ("all", record["sex"] or "missing")
            and low <= int(record["age"]) <= high
        )

    return sum(inside(record) for record in records)


def visitors_of(built: Path) -> dict[str, int]:
    """People by the town of their latest visit, where no two towns have an equal claim to somebody."""
    with (built.parents[1] / "records" / "visits.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    latest: dict[str, str] = {}
    for record in records:
        latest[record["card"]] = max(latest.get(record["card"], ""), record["visited"])
    claims: dict[str, set[str]] = {}
    for record in records:
        if record["visited"] == latest[record["card"]]:
            claims.setdefault(record["card"], set()).add(record["town"])
    unclear = {town for towns in claims.values() if len(towns) > 1 for town in towns}
    counts = Counter(town for towns in claims.values() for town in towns)
    return {town: count for town, count in counts.items() if town not in unclear}


def codes_of(row: Mapping[str, str]) -> dict[str, str]:
    return {name: row[name] for name in ("town", "year", "sex", "age")}


def shown(row: Mapping[str, str], value: int) -> Callable[[Lines], None]:
    """A change that shows the cell of a row."""
    return lambda lines: put(lines, codes_of(row), value)


def refused_twice(release: Path, whole: Path, match: str) -> None:
    """With the old proof, and with any new one that the release can be given."""
    carry_proof(whole, release)
    with pytest.raises(Refused):
        verify_release(release)
    with pytest.raises(ClerestoryError, match=match):
        prove(release)


def test_the_whole_release_is_accepted(release: Path, built: Path) -> None:
    proof = verify_release(release).proof
    assert proof is not None and proof.sources[0].hidden > 20
    for row in rows_of(built, "visits"):
        assert not row["value"] or int(row["value"]) == truth(built, row)


def test_a_secondary_that_is_shown(release: Path, built: Path) -> None:
    """Every one of them: the release is refused, or the second attacker gains nothing from it either."""
    hidden = [row for row in rows_of(built, "visits") if row["status"] == "hidden"]
    secondary = [row for row in hidden if truth(built, row) >= 11]
    assert secondary
    caught = 0
    for number, row in enumerate(secondary):
        broken = copy_of(built, release.parent / f"shown{number}")
        edit_table(broken, "visits", shown(row, truth(built, row)))
        with pytest.raises(Refused, match=r"site/data/visits\.csv"):
            verify_release(broken)
        broken = signed_again(broken)
        carry_proof(built, broken)
        with pytest.raises(Refused, match="other cells than the release hides"):
            verify_release(broken)
        try:
            prove(broken)
        except Refused:
            caught += 1
        else:
            assert not attack(files.read(broken)["visits"], search_nodes=0).broken
    assert caught >= len(secondary) / 2


def test_a_small_count_that_is_shown(release: Path, built: Path) -> None:
    hidden = [row for row in rows_of(built, "visits") if row["status"] == "hidden"]
    small = next(row for row in hidden if 0 < truth(built, row) < 11)
    edit_table(release, "visits", shown(small, truth(built, small)))
    refused_twice(signed_again(release), built, "visits")


def test_a_witness_that_was_altered(release: Path) -> None:
    def one_more(said: dict[str, list[int]]) -> None:
        said["base"][0] += 1

    edit_proof(release, "visits", one_more)
    with pytest.raises(Refused, match="first witness breaks"):
        verify_release(release)


def test_a_step_that_was_altered(release: Path) -> None:
    def doubled(said: dict[str, list[list[list[int]]]]) -> None:
        for step in said["steps"]:
            step[1] = [2 * change for change in step[1]]

    edit_proof(release, "visits", doubled)
    with pytest.raises(Refused, match="below what the policy tells"):
        verify_release(release)


def test_witnesses_that_are_not_far_enough_apart(release: Path) -> None:
    edit_proof(release, "visits", lambda said: said["steps"].clear())
    with pytest.raises(Refused, match="do not take hidden cells 9 apart"):
        verify_release(release)


def test_a_cell_that_was_changed(release: Path, built: Path) -> None:
    """A year's total, one more than it was: the years no longer add up to all."""
    row = next(r for r in rows_of(built, "visits") if r["year"] == "2020" and r["town"] == r["age"] == "all")
    edit_table(release, "visits", shown(row, int(row["value"]) + 1))
    with pytest.raises(Refused, match=r"site/data/visits\.csv"):
        verify_release(release)
    refused_twice(signed_again(release), built, "contradict each other")


def test_a_number_on_a_page_that_was_changed(release: Path) -> None:
    page = release / "site" / "visits" / "index.html"
    text = page.read_text(encoding="utf-8")
    assert 'value="' in text
    page.write_text(text.replace('value="', 'value="1', 1), encoding="utf-8")
    with pytest.raises(Refused, match="not those of the manifest"):
        verify_release(release)


def test_a_small_sum_that_is_implied(release: Path, built: Path) -> None:
    """Of a line only cells are hidden that come to less than 11 together: their sum is anybody's."""

    def leave_only_small(lines: list[dict[str, str]]) -> None:
        for line in lines:
            if line["status"] == "hidden" and (truth(built, line) >= 11):
                line["value"], line["status"] = str(truth(built, line)), ""

    edit_table(release, "visits", leave_only_small)
    broken = signed_again(release)
    assert attack(files.read(broken)["visits"], search_nodes=0).small_sums
    refused_twice(broken, built, "visits")


def test_a_unit_that_was_left_open(release: Path, built: Path) -> None:
    """The visits of a town are hidden, its visitors are shown."""
    places = {row["town"] for row in rows_of(built, "visitors") if row["status"] == "hidden"}
    visitors = visitors_of(built)
    town = min(place for place in places if place in visitors)
    edit_table(release, "visitors", lambda lines: put(lines, {"town": town}, visitors[town]))
    broken = signed_again(release)
    assert attack(files.read(broken)["visits"], search_nodes=0).open_units
    refused_twice(broken, built, "visitors")


def test_a_policy_that_was_loosened(release: Path, built: Path) -> None:
    path = release / "structure" / "visits.json"
    path.write_text(path.read_text().replace('"interval_width":9', '"interval_width":1'), encoding="utf-8")
    refused_twice(signed_again(release), built, "its policy is not that of table")


def test_a_table_that_the_structure_leaves_out(release: Path, built: Path) -> None:
    """Without the table of visitors in the structure, nobody would compare it with that of visits."""
    path = release / "structure" / "visits.json"
    said = path.read_text()
    head, tables = said.split('"tables":[\n')
    kept = tables.split('\n]},\n{"name":"visitors"')[0] + "\n]}\n]}\n"
    assert '"name":"visits"' in kept and "visitors" not in kept
    path.write_text(f'{head}"tables":[\n{kept}', encoding="utf-8")
    refused_twice(signed_again(release), built, "structure")


def test_a_proof_that_was_taken_away(release: Path) -> None:
    edit_table(release, "visits", lambda lines: None)
    verify_release(release)
    for file in (release / "proof").iterdir():
        file.unlink()
    (release / "proof").rmdir()
    with pytest.raises(Refused, match="no proof"):
        verify_release(release)
    done = run("verify", release)
    assert done.code == 1 and "no proof" in done.err
