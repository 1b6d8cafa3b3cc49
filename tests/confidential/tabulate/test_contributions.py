"""Who is behind each cell: the same from every backend, equal to plain Python."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.tabulate import tabulate
from clerestory.project import Project
from tests.confidential.conftest import Server
from tests.confidential.tabulate.oracle import Behind, Place, Whose, behind
from tests.confidential.tabulate.register import BACKENDS, SOURCE, TABLES, Row, make_project, rows, store

FEES = TABLES[TABLES.index("[fees]") : TABLES.index("[people]")]
PLACES = TABLES[: TABLES.index("[by_age]")]
PERSON = 'person = ["person"]'


def company(number: int, row: Row) -> object:
    """A holding of two fields; without either a record does not say whose it is."""
    return None if row.county is None or row.race is None else (row.county, row.race)


HOLDINGS: dict[str, tuple[str, Whose]] = {
    "persons": (PERSON, lambda number, row: row.person),
    "each record": ("", lambda number, row: number),
    "holdings": (f'{PERSON}\nholding = ["county", "race"]', company),
}
POLICY = "\n[policy]\ndominance = { contributors = 3, share = 80 }\nminimum_contributors = 3\n"


def project_of(root: Path, backend: str, records: list[Row], said: str, tables: str, server=None) -> Project:
    location, table = store(root, backend, records, server)
    source = SOURCE.replace(PERSON, said)
    project = make_project(root, location, table=table, tables=tables, source=source)
    settings_ = root / "clerestory.toml"
    settings_.write_text(settings_.read_text() + POLICY)
    from clerestory.project import load

    return load(project.root)


def behind_cells(original: OriginalCells, table: str) -> dict[Place, Behind]:
    found = original.contributions
    assert found is not None
    layout = next(one for one in original.space.layouts if one.design.name == table)
    return {
        tuple(d.nodes[node].code for d, node in zip(layout.design.dimensions, coords, strict=True)): Behind(
            int(found.contributors[cell]), tuple(found.largest[cell].tolist()), int(found.total[cell])
        )
        for coords, cell in zip(layout.coords, layout.cells, strict=True)
    }


@pytest.mark.parametrize("holding", HOLDINGS)
@pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.postgres if name.startswith("postgresql") else ())
        for name in BACKENDS
    ],
)
def test_every_backend_finds_the_contributors_that_plain_python_finds(
    backend: str, holding: str, tmp_path: Path, request: pytest.FixtureRequest, password: str
) -> None:
    server: Server | None = request.getfixturevalue("server") if backend.startswith("postgresql") else None
    records = rows(seed=5, size=400)
    said, whose = HOLDINGS[holding]
    original = tabulate(project_of(tmp_path, backend, records, said, FEES, server), "applications")
    found = behind_cells(original, "fees")
    assert found == behind("fees", records, found, whose, top=3)


def test_counts_have_contributors_where_the_source_names_its_holdings(tmp_path: Path) -> None:
    records = rows(seed=8, size=300)
    said, whose = HOLDINGS["holdings"]
    original = tabulate(project_of(tmp_path, "parquet", records, said, PLACES), "applications")
    found = behind_cells(original, "by_place")
    assert found == behind("by_place", records, found, whose, top=3)


def test_counts_have_none_where_the_source_names_no_holdings(tmp_path: Path) -> None:
    records = rows(seed=8, size=60)
    original = tabulate(project_of(tmp_path, "parquet", records, PERSON, PLACES), "applications")
    assert original.contributions is None


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 60), holding=st.sampled_from(list(HOLDINGS)))
def test_the_order_of_records_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, holding: str
) -> None:
    records = rows(seed, size)
    found = []
    for order in (records, random.Random(seed).sample(records, len(records))):
        root = tmp_path_factory.mktemp("register")
        project = project_of(root, "parquet", order, HOLDINGS[holding][0], FEES)
        found.append(behind_cells(tabulate(project, "applications"), "fees"))
    assert found[0] == found[1]
