"""Many records of few persons: the threshold counts persons, exactly where there may be few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.confidential.tabulate import sampling, tabulate
from clerestory.confidential.tabulate.rollup import sets_of_atoms
from tests.confidential.tabulate.register import rows
from tests.confidential.tabulate.test_bad_records import project_with


@pytest.mark.parametrize("backend", ["parquet", "sqlite"])
def test_a_cell_with_many_records_of_two_persons(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "PAIRS_WRITTEN_OUT", 500)
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


@pytest.mark.parametrize("backend", ["parquet", "sqlite"])
def test_several_fields_together_tell_persons_apart(tmp_path: Path, backend: str) -> None:
    names = [("ab", "c"), ("a", "bc"), ("a", None), (None, "bc"), ("", "c"), ("ab", "c")]
    records = [
        replace(row, county=county, person=person, race="W")
        for row, (county, person) in zip(rows(1, 6), names, strict=True)
    ]
    project = project_with(
        tmp_path, records, "race = {}", what='count = "person"\nby = "applied"', backend=backend
    )
    source = project.sources["applications"]
    said = source.said.model_copy(update={"person": ("county", "person")})
    original = tabulate(
        replace(project, sources={"applications": replace(source, said=said)}), "applications"
    )
    assert original.persons is not None
    # Two who are known; each of the other three records counts as a person, but proves none.
    assert original.values.max() == 5 and original.persons.max() == 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 5))
def test_the_sets_of_an_atom_are_all_found(sizes: list[int], seed: int) -> None:
    members = np.random.default_rng(seed).random((len(sizes), 5)) < 0.5
    found = np.zeros_like(members)
    for one in sets_of_atoms(members):
        for atom, place in enumerate(one):
            if place >= 0:
                assert not found[place, atom]
                found[place, atom] = True
    assert (found == members).all()
