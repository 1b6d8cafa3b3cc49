"""Records that do not hold what the project says: refused with numbers of rows, never with a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clerestory.confidential.tabulate import tabulate
from clerestory.errors import ClerestoryError, InputError
from clerestory.project import Project, Role
from tests.confidential.tabulate.register import Row, make_project, rows, store

SECRET = "Okonkwo"

ONE_TABLE = """
[t]
source = "applications"
title = "T"
{what}
{where}
[t.dimensions]
{dimensions}
[t.publish]
margins = {margins}
"""


def project_with(
    root: Path,
    records: list[Row],
    dimensions: str,
    *,
    what: str = 'count = "application"',
    where: str = "",
    margins: str | None = None,
    backend: str = "parquet",
) -> Project:
    names = [line.split("=")[0].strip() for line in dimensions.strip().splitlines()]
    location, table = store(root, backend, records)
    tables = ONE_TABLE.format(
        what=what,
        where=f'where = "{where}"' if where else "",
        dimensions=dimensions,
        margins=margins or str([names]).replace("'", '"'),
    )
    return make_project(root, location, table=table, tables=tables)


def refused(project: Project) -> str:
    with pytest.raises(InputError) as told:
        tabulate(project, "applications")
    assert SECRET not in str(told.value)
    return str(told.value)


def test_a_code_that_the_lookup_lacks(tmp_path: Path) -> None:
    records = [
        replace(row, county=SECRET if place < 3 else "fir" if place == 3 else row.county)
        for place, row in enumerate(rows(1, 100))
    ]
    message = refused(project_with(tmp_path, records, 'county = { hierarchy = "california" }'))
    assert "4 rows hold 2 different codes in 'county' that the lookup lacks" in message


@pytest.mark.parametrize("backend", ["parquet", "sqlite"])
def test_a_category_that_is_not_declared(tmp_path: Path, backend: str) -> None:
    records = [replace(row, race=SECRET if place < 3 else row.race) for place, row in enumerate(rows(1, 100))]
    message = refused(project_with(tmp_path, records, "race = {}", backend=backend))
    assert "3 rows hold one code in 'race' that the declared categories lack" in message


def test_odd_codes_that_the_where_shuts_out_do_not_matter(tmp_path: Path) -> None:
    records = [replace(row, race=SECRET if place < 3 else "W") for place, row in enumerate(rows(1, 100))]
    original = tabulate(project_with(tmp_path, records, "race = {}", where="race = 'W'"), "applications")
    assert original.values.max() == 97


def test_a_found_category_of_few_records_is_not_named(tmp_path: Path) -> None:
    records = [
        replace(row, county=SECRET if place < 10 else "alder") for place, row in enumerate(rows(1, 100))
    ]
    assert "1 of 2 categories found in 'county' have fewer than 11 records" in refused(
        project_with(tmp_path, records, "county = {}")
    )
    records = [replace(row, county=None if place < 3 else "alder") for place, row in enumerate(rows(1, 100))]
    original = tabulate(project_with(tmp_path / "b", records, "county = {}"), "applications")
    (dimension,) = original.space.layouts[0].design.dimensions
    assert [node.code for node in dimension.nodes] == ["all", "alder", "missing"]


def test_too_many_found_categories(tmp_path: Path) -> None:
    records = [replace(row, county=f"{SECRET}{place}") for place, row in enumerate(rows(1, 300))]
    assert "more than 100 different values" in refused(project_with(tmp_path, records, "county = {}"))


def test_dates_out_of_range(tmp_path: Path) -> None:
    records = [
        replace(row, applied=date(2011, 5, 5) if place < 2 else row.applied)
        for place, row in enumerate(rows(1, 80))
    ]
    years = 'year = { from = "applied", by = "year", first = "2019", last = "2021" }'
    message = refused(project_with(tmp_path, records, years))
    assert "2 rows have a date outside the first and last period" in message and "2011" not in message
    original = tabulate(
        project_with(tmp_path / "b", records, years, where="applied >= 2019-01-01"), "applications"
    )
    assert original.values.max() == 78


def test_a_first_year_that_only_few_records_tell(tmp_path: Path) -> None:
    records = [
        replace(row, applied=date(2011, 5, 5) if place < 2 else row.applied)
        for place, row in enumerate(rows(1, 80))
    ]
    message = refused(project_with(tmp_path, records, 'year = { from = "applied", by = "year" }'))
    assert "first or last year has fewer than 11 records" in message
    month = 'month = { from = "applied", by = "month" }'
    records = [
        replace(row, applied=date(1700, 1, 1)) if place == 0 else row for place, row in enumerate(records)
    ]
    assert "periods apart" in refused(project_with(tmp_path / "b", records, month))


def test_ages_that_nobody_has(tmp_path: Path) -> None:
    records = [
        replace(row, born=date(2030, 1, 1) if place < 4 else row.born)
        for place, row in enumerate(rows(1, 80))
    ]
    age = 'age = { from = "born", at = "applied", bands = [21, 65] }'
    assert "4 rows have an age below 0 or above 129" in refused(project_with(tmp_path, records, age))


def test_texts_that_are_no_dates_and_no_numbers(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        rows(1, 60),
        'year = { from = "applied", by = "year", first = "2019", last = "2021" }\nattempt = { top = 3 }',
        backend="csv",
    )
    path = tmp_path / "records/a.csv"
    lines = path.read_text("utf-8-sig").splitlines()
    header = lines[0].split(",")
    for place, (column, text) in enumerate(
        [("applied", "2021-02-29"), ("applied", SECRET), ("applied", "20210101"), ("attempt", f"4{SECRET}")],
        start=1,
    ):
        cells = lines[place].split(",")
        cells[header.index(column)] = text
        lines[place] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")
    message = refused(project)
    assert "3 rows hold something in 'applied' that is not a date" in message
    assert "1 row holds something in 'attempt' that is not a number" in message


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        ([None, None], "2 rows have no value"),
        ([1.5], "1 row has a value that is not"),
        ([-51, 100_001], "2 rows have a value outside"),
    ],
)
def test_a_measure_that_cannot_be_summed(tmp_path: Path, fees: list[float | None], expected: str) -> None:
    project = project_with(tmp_path, rows(1, 60), "race = {}", what='sum = "fee"')
    path = tmp_path / "records/a_1.parquet"
    table = pq.read_table(path)
    values = [*fees, *table["fee"].to_pylist()[len(fees) :]]
    other = pq.read_table(tmp_path / "records/a_2.parquet")
    for file, one, of in (
        (path, table, values),
        (tmp_path / "records/a_2.parquet", other, other["fee"].to_pylist()),
    ):
        place = one.schema.get_field_index("fee")
        pq.write_table(one.set_column(place, "fee", pa.array(of, pa.float64())), file)
    assert expected in refused(project)


def test_persons_with_several_values_where_one_is_declared(tmp_path: Path) -> None:
    records = [
        replace(row, person=f"p{place // 2}", race="W" if place > 5 else "WB"[place % 2])
        for place, row in enumerate(rows(1, 60))
    ]
    message = refused(
        project_with(tmp_path, records, 'race = { spread = "disjoint" }', what='count = "person"')
    )
    assert "3 persons have several values" in message
    one = [replace(row, race="W") for row in records]
    original = tabulate(
        project_with(tmp_path / "b", one, 'race = { spread = "disjoint" }', what='count = "person"'),
        "applications",
    )
    assert original.values.max() == 30 and original.records.max() == 60


def test_a_missing_column(tmp_path: Path) -> None:
    project = project_with(tmp_path, rows(1, 60), "race = {}")
    for file in (tmp_path / "records").glob("*.parquet"):
        table = pq.read_table(file)
        pq.write_table(
            table.rename_columns(["ethnicity" if n == "race" else n for n in table.column_names]), file
        )
    assert "no column 'race'" in refused(project)


@pytest.mark.parametrize("role", [Role.IDENTIFIER, Role.UNUSED])
def test_roles_are_checked_again_where_records_are_read(tmp_path: Path, role: Role) -> None:
    project = project_with(tmp_path, rows(1, 60), "race = {}", where="attempt < 3")
    source = project.sources["applications"]
    for name in ("race", "attempt"):
        fields = {**source.said.fields, name: source.said.fields[name].model_copy(update={"role": role})}
        said = source.said.model_copy(update={"fields": fields})
        changed = replace(project, sources={"applications": replace(source, said=said)})
        assert f"the field {name!r} is {role.value}" in refused(changed)


def test_an_empty_source(tmp_path: Path) -> None:
    dimensions = 'race = {}\nyear = { from = "applied", by = "year", first = "2019", last = "2021" }'
    project = project_with(tmp_path, [], dimensions, where="status = 'issued'")
    original = tabulate(project, "applications")
    assert len(original.space) == 16 and not original.values.any() and not original.records.any()
    assert "categories are unknown" in refused(project_with(tmp_path / "b", [], "county = {}"))
    message = refused(project_with(tmp_path / "c", [], 'year = { from = "applied", by = "year" }'))
    assert "no first and last year" in message


def test_every_cell_small(tmp_path: Path) -> None:
    original = tabulate(
        project_with(tmp_path, rows(1, 9), 'race = {}\ncounty = { hierarchy = "california" }'), "applications"
    )
    assert original.records.max() == 9
    assert original.persons is not None and original.persons.max() <= 9


def test_ten_dimensions_in_one_margin_are_too_many(tmp_path: Path) -> None:
    bands = ", ".join(str(edge) for edge in range(1, 9))
    dimensions = "\n".join(f'd{n} = {{ from = "attempt", bands = [{bands}] }}' for n in range(10))
    message = refused(project_with(tmp_path, rows(1, 60), dimensions))
    assert "the most for one source is 200,000" in message
    apart = project_with(
        tmp_path / "b", rows(1, 60), dimensions, margins=str([[f"d{n}"] for n in range(10)]).replace("'", '"')
    )
    assert tabulate(apart, "applications").values.max() == 60


def test_only_the_total(tmp_path: Path) -> None:
    project = project_with(tmp_path, rows(1, 60), "race = {}", margins="[[], ['race']]")
    assert tabulate(project, "applications").values.max() == 60


def test_errors_are_errors_of_clerestory() -> None:
    assert issubclass(InputError, ClerestoryError)
