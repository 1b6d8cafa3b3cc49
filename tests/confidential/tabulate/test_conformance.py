"""The same tables from every backend, equal to tables counted in plain Python."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.tabulate import tabulate
from tests.confidential.conftest import Server
from tests.confidential.tabulate.oracle import TABLES, Counted, Place, counted
from tests.confidential.tabulate.register import BACKENDS, Row, make_project, rows, store

MINIMUM = 11


def one_a_day(records: list[Row]) -> list[Row]:
    """Without a second record of a person on one day, on which plain Python would have no opinion."""
    seen: set[tuple[str | None, object]] = set()
    kept = []
    for row in records:
        key = (row.person, row.applied)
        if row.person is None or key not in seen:
            kept.append(row)
        seen.add(key)
    return kept


def cells_of(original: OriginalCells, table: str) -> dict[Place, Counted]:
    layout = next(one for one in original.space.layouts if one.design.name == table)
    found = {}
    assert original.persons is not None
    for coords, cell in zip(layout.coords, layout.cells, strict=True):
        place = tuple(
            dimension.nodes[node].code
            for dimension, node in zip(layout.design.dimensions, coords, strict=True)
        )
        found[place] = Counted(
            int(original.values[cell]), int(original.records[cell]), int(original.persons[cell])
        )
    return found


def assert_agrees(original: OriginalCells, records: list[Row]) -> None:
    for table in TABLES:
        found = cells_of(original, table)
        expected = counted(table, records, found)
        for place, cell in found.items():
            true = expected[place]
            assert (cell.value, cell.records) == (true.value, true.records), (table, place)
            if true.persons < MINIMUM:
                assert cell.persons == true.persons, (table, place)
            else:
                assert MINIMUM <= cell.persons <= true.persons, (table, place)


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.postgres if name.startswith("postgresql") else ())
        for name in BACKENDS
    ],
)
def test_every_backend_gives_the_tables_that_plain_python_gives(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest, password: str
) -> None:
    server: Server | None = request.getfixturevalue("server") if backend.startswith("postgresql") else None
    records = one_a_day(rows(seed=5, size=900))
    location, table = store(tmp_path, backend, records, server)
    project = make_project(tmp_path, location, table=table)
    assert_agrees(tabulate(project, "applications"), records)


def test_the_order_of_records_and_copies_of_files_do_not_matter(tmp_path: Path) -> None:
    records = rows(seed=6, size=300)
    shuffled = random.Random(1).sample(records, len(records))
    found = []
    for name, order in (("a", records), ("b", shuffled)):
        location, _ = store(tmp_path / name, "parquet", order)
        project = make_project(tmp_path / name, location)
        found.append(tabulate(project, "applications"))
    copy = tmp_path / "b" / "records"
    (copy / "a_9.parquet").write_bytes((copy / "a_1.parquet").read_bytes())
    (copy / "a_0.parquet").symlink_to(copy / "a_2.parquet")
    found.append(tabulate(make_project(tmp_path / "b", "records/a_*.parquet"), "applications"))
    for other in found[1:]:
        assert (other.values == found[0].values).all()
        assert (other.records == found[0].records).all()
        assert found[0].persons is not None and other.persons is not None
        assert (other.persons == found[0].persons).all()


def test_several_records_of_a_person_on_one_day_are_taken_alike_everywhere(tmp_path: Path) -> None:
    days = [row.applied for row in rows(seed=9, size=6)]
    records = [replace(row, applied=days[place % 6]) for place, row in enumerate(rows(seed=9, size=400))]
    found = []
    for backend in ("parquet", "csv", "sqlite", "duckdb"):
        location, table = store(tmp_path / backend, backend, records)
        project = make_project(tmp_path / backend, location, table=table)
        found.append(tabulate(project, "applications"))
    for other in found[1:]:
        assert (other.values == found[0].values).all()
        assert (other.records == found[0].records).all()


PEOPLE = st.one_of(st.none(), st.sampled_from([f"p{number}" for number in range(40)]))


@st.composite
def registers(draw: st.DrawFn) -> list[Row]:
    base = rows(seed=draw(st.integers(0, 10_000)), size=draw(st.integers(1, 120)))
    alike = draw(st.booleans())
    if alike:  # few groups with many records of few persons
        county, day = base[0].county, base[0].applied
        base = [replace(row, county=county, status="issued", race="W", attempt=0) for row in base]
        base = [replace(row, born=base[0].born, person=draw(PEOPLE)) for row in base]
        del day
    return one_a_day(base)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(records=registers(), backend=st.sampled_from(["parquet", "csv", "sqlite"]))
def test_small_random_registers_agree_with_plain_python(
    tmp_path_factory: pytest.TempPathFactory, records: list[Row], backend: str
) -> None:
    root = tmp_path_factory.mktemp("register")
    location, table = store(root, backend, records)
    project = make_project(root, location, table=table)
    assert_agrees(tabulate(project, "applications"), records)
