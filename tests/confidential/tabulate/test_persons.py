"""Many records of few persons: the threshold counts persons, exactly where there may be few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.confidential.tabulate import persons as counting
from clerestory.confidential.tabulate import tabulate
from tests.confidential.tabulate.register import rows
from tests.confidential.tabulate.test_bad_records import project_with


@pytest.mark.parametrize("backend", ["parquet", "sqlite"])
def test_a_cell_with_many_records_of_two_persons(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "PAIRS_WRITTEN_OUT", 50)
    records = [
        replace(row, county="elm", race="W", person=f"p{place % 2}")
        if place < 700
        else replace(row, race="B", county="alder", person=f"q{place}")
        for place, row in enumerate(rows(4, 1500))
    ]
    dimensions = (
        'race = {}\ncounty = { hierarchy = "california" }\n'
        'month = { from = "applied", by = "month", first = "2019-01", last = "2021-12" }'
    )
    project = project_with(
        tmp_path, records, dimensions, margins='[["race", "county"], ["month"]]', backend=backend
    )
    original = tabulate(project, "applications")
    assert original.persons is not None
    few = original.persons[(original.records >= 11) & (original.persons < 11)]
    assert len(few) and set(few.tolist()) == {2}
    assert original.persons[original.records == 800].min() >= 11


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 5))
def test_the_sets_of_an_atom_are_all_found(sizes: list[int], seed: int) -> None:
    members = np.random.default_rng(seed).random((len(sizes), 5)) < 0.5
    found = np.zeros_like(members)
    for one in counting._sets_of_atoms(members):
        for atom, place in enumerate(one):
            if place >= 0:
                assert not found[place, atom]
                found[place, atom] = True
    assert (found == members).all()
