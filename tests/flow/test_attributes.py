"""A sensitive dimension the whole way: counted, protected, proven, verified from the release alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from clerestory.tables import TOTAL
from tests.flow.small_project import edit, run


def all_men_in(project: Path, town: str, how_many: int) -> None:
    """Everybody who came to a town is a man."""
    path = project / "records" / "visits.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    kept = [row for row in rows if row[2] != town]
    kept += [
        [f"Q{number:08d}", f"Name{number}", town, "2020-05-11", "M", "44", "3", "note"]
        for number in range(how_many)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(kept)


def numbers_of(release: Path, town: str) -> dict[str, str]:
    """The numbers of a town by sex, its total among them; empty where hidden."""
    with (release / "site" / "data" / "visits.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["sex"]: row["value"]
            for row in csv.DictReader(file)
            if (row["town"], row["year"], row["age"]) == (town, TOTAL, TOTAL)
        }


def test_a_town_of_men_only_is_not_told_and_the_proof_says_so(project: Path) -> None:
    all_men_in(project, "Fir", 15)
    built = run("build", project, "--format", "json")
    assert built.code == 0, built.err
    release = Path(built.json["folder"])
    told = numbers_of(release, "Fir")  # the default profile does not ask
    assert (told["M"], told["F"], told[TOTAL]) == ("15", "0", "15")

    edit(
        project,
        "tables/visits.toml",
        'count = "visit"',
        'count = "visit"\nattributes = [{ dimension = "sex", minimum = 3 }]',
    )
    built = run("build", project, "--format", "json")
    assert built.code == 0, built.err
    release = Path(built.json["folder"])
    told = numbers_of(release, "Fir")
    assert told["M"] == "" and list(told.values()).count("") > 1
    said = json.loads((release / "structure" / "visits.json").read_text(encoding="utf-8"))
    assert said["tables"][0]["attributes"] == [["sex", 3]] and said["tables"][0]["zeros_shown"] is False

    done = run("verify", release, "--format", "json")
    assert done.code == 0, done.err
    assert done.json["proof"]["sources"][0]["groups"] > 0
    assert "groups" in run("verify", release).out
