"""Record keys are the same in every database, and what a person gives is bounded before it is counted."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from clerestory.confidential.keyed import derived
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.tabulate import tabulate
from clerestory.errors import InputError
from clerestory.project import load
from tests.flow.small_project import SOURCE, TABLES, write_project

SECRET = b"a secret of the project's own 32"
PERSONS = """
[people]
source = "visits"
title = "People"
count = "person"
by = "visited"

[people.dimensions]
sex = {}

[people.publish]
margins = [["sex"]]
"""
CELL_KEY = '\n[method]\nname = "cell-key"\nkey = ["card", "visited"]\n'
NOISE = '\n[method]\nname = "differential-privacy"\nrho = 1\nbudget = 1\nrecords = 2\n'


def project_of(root: Path, method: str, *, sqlite: bool = False, tables: str = TABLES + PERSONS) -> Path:
    write_project(root, rows=400)
    source = SOURCE + method
    if sqlite:
        with (root / "records" / "visits.csv").open(encoding="utf-8") as file:
            head, *rows = list(csv.reader(file))
        con = sqlite3.connect(root / "records" / "visits.db")
        con.execute(f"CREATE TABLE v ({', '.join(f'{name} TEXT' for name in head)})")
        con.executemany(f"INSERT INTO v VALUES ({', '.join('?' * len(head))})", reversed(rows))
        con.commit()
        con.close()
        source = source.replace('"records/visits.csv"', '"records/visits.db"\ntable = "v"')
    (root / "sources" / "visits.toml").write_text(source, encoding="utf-8")
    (root / "tables" / "visits.toml").write_text(tables, encoding="utf-8")
    return root


def counted(root: Path) -> OriginalCells:
    return tabulate(load(root), "visits", secret=SECRET)


def rows_of(root: Path) -> list[dict[str, str]]:
    with (root / "records" / "visits.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def key_of(*texts: str) -> int:
    whole = derived(SECRET, "record keys").hex() + ";" + "".join(f"{len(t)}:{t};" for t in texts)
    return int(hashlib.sha256(whole.encode()).hexdigest()[:8], 16) % 4096


def test_a_cells_key_is_the_sum_of_its_records_keys_in_every_database(tmp_path: Path) -> None:
    root = project_of(tmp_path / "csv", CELL_KEY)
    found = counted(root)
    visits = found.space.layouts[[layout.design.name for layout in found.space.layouts].index("visits")]
    total = visits.cells[(visits.coords == 0).all(axis=1)][0]
    assert found.keys[total] == sum(key_of(row["card"], row["visited"]) for row in rows_of(root))

    other = counted(project_of(tmp_path / "sqlite", CELL_KEY, sqlite=True))
    assert np.array_equal(found.values, other.values)
    assert np.array_equal(found.keys, other.keys)


def test_persons_have_keys_of_their_own(tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", CELL_KEY)
    found = counted(root)
    people = found.space.layouts[[layout.design.name for layout in found.space.layouts].index("people")]
    total = people.cells[(people.coords == 0).all(axis=1)][0]
    head = derived(SECRET, "record keys").hex() + ";"
    persons = {row["card"] for row in rows_of(root)}
    keys = [int(hashlib.sha256((head + card).encode()).hexdigest()[:8], 16) % 4096 for card in persons]
    assert (found.values[total], found.keys[total]) == (len(persons), sum(keys))


def test_without_a_secret_there_are_no_keys(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="secret"):
        tabulate(load(project_of(tmp_path / "p", CELL_KEY)), "visits")


@pytest.mark.parametrize("sqlite", [False, True])
def test_of_each_person_so_many_records_count(tmp_path: Path, sqlite: bool) -> None:
    from tests.flow.test_methods import DECLARED

    root = project_of(tmp_path / "p", NOISE, sqlite=sqlite, tables=DECLARED)
    found = counted(root)
    (layout,) = found.space.layouts
    total = layout.cells[(layout.coords == 0).all(axis=1)][0]
    by_person = Counter(row["card"] for row in rows_of(root))
    assert max(by_person.values()) > 2
    assert found.values[total] == sum(min(2, records) for records in by_person.values())
