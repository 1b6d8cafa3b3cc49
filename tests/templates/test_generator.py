"""The records generator: what it promises about counts, people, identifiers, dirt and files."""

import csv
import gzip
import hashlib
import io
import re
import sqlite3
import stat
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.errors import InputError
from clerestory.templates.generator import calibration, dros, reference, world, write_records
from clerestory.templates.generator.dirt import Dirt, typos

SEED, SCALE, PEOPLE = 7, 0.002, 4_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("generator") / "records"
    write_records(made, seed=SEED, scale=SCALE, ccw_people=PEOPLE)
    return made


def read(path: Path) -> pa.Table:
    return pq.read_table(path)


def text(table: pa.Table, column: str) -> list[str | None]:
    return table[column].cast(pa.string()).to_pylist()


def all_dros(folder: Path) -> pa.Table:
    return pa.concat_tables(
        [read(path) for path in sorted((folder / "dros").glob("*.parquet"))], promote_options="none"
    )


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def by_hand(weights: dict[str, float], total: int) -> dict[str, int]:
    """Largest remainder, written the slow way."""
    whole = sum(weights.values())
    exact = {key: weight * (total / whole) for key, weight in weights.items()}
    counts = {key: int(value) for key, value in exact.items()}
    for key in sorted(exact, key=lambda name: counts[name] - exact[name])[: total - sum(counts.values())]:
        counts[key] += 1
    return counts


def shipped(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(reference.content(name).decode())))


# --- the same again -----------------------------------------------------------------------------------------


def test_the_same_seed_and_scale_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "again", seed=SEED, scale=SCALE, ccw_people=PEOPLE)
    assert digests(tmp_path / "again") == digests(folder)


def test_another_seed_gives_other_records_with_the_same_totals(folder: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "other", seed=SEED + 1, scale=SCALE, ccw_people=PEOPLE)
    here, there = read(folder / "ccw.parquet"), read(tmp_path / "other" / "ccw.parquet")
    assert text(here, "last_name")[:100] != text(there, "last_name")[:100]
    assert Counter(text(all_dros(folder), "buyer_county")) == Counter(
        text(all_dros(tmp_path / "other"), "buyer_county")
    )


def test_a_year_of_sales_does_not_depend_on_the_years_written_before_it(folder: Path) -> None:
    columns, _ = dros.records(world.build(SEED, SCALE, PEOPLE), 2018)
    written = read(folder / "dros" / "dros_2018.parquet")
    for name, column in columns.items():
        assert column.to_pylist() == written[name].to_pylist(), name


# --- counts -------------------------------------------------------------------------------------------------


def test_sales_by_year_month_and_county_meet_the_calibration_to_the_unit(folder: Path) -> None:
    sales = all_dros(folder)
    annual = {row["year"]: float(row["transactions"]) for row in shipped("dros_annual.csv")}
    years = by_hand(annual, round(sum(annual.values()) * SCALE))
    month_of = pc.strftime(sales["transaction_date"], format="%Y-%m").to_pylist()
    assert Counter(month[:4] for month in month_of) == years

    shares = shipped("dros_month_share.csv")
    for year, total in years.items():
        own = {
            f"{year}-{int(r['month']):02d}": float(r["share_of_year"]) for r in shares if r["year"] == year
        }
        assert {month: month_of.count(month) for month in own} == by_hand(own, total)

    weights = {row["county"]: float(row["dros_share"]) for row in shipped("county_weights.csv")}
    wanted = {county: n for county, n in by_hand(weights, sum(years.values())).items() if n}
    assert Counter(text(sales, "buyer_county")) == wanted


def test_certificates_and_weapons_by_county_meet_the_calibration_to_the_unit(folder: Path) -> None:
    for name, column, total in (("fsc", "fsc_share", 3_525_000), ("awr", "awr_share", 205_000)):
        weights = {row["county"]: float(row[column]) for row in shipped("county_weights.csv")}
        wanted = {county: n for county, n in by_hand(weights, round(total * SCALE)).items() if n}
        assert Counter(text(read(folder / f"{name}.parquet"), "county")) == wanted
    # HSC to 2014 and FSC from 2015, in thousands, as the domain notes model them
    annual = dict(zip(range(2012, 2022), (220, 260, 250, 430, 520, 300, 270, 265, 560, 450), strict=True))
    wanted_years = by_hand(
        {str(year): float(count) for year, count in annual.items()}, round(3_525_000 * SCALE)
    )
    assert (
        Counter(pc.strftime(read(folder / "fsc.parquet")["issue_date"], format="%Y").to_pylist())
        == wanted_years
    )


def test_the_whole_carry_licence_file_has_192_000_people_and_the_published_counties() -> None:
    built = world.build(SEED, SCALE, calibration.CCW_PEOPLE)
    rows = built.course.licences
    county = built.people.core.county[rows.person]
    issued = Counter(np.asarray(reference.counties())[county[rows.issue >= 0]].tolist())
    assert len(np.unique(rows.person)) == 192_000
    assert 240_000 < len(rows.person) < 400_000
    assert issued["Orange"] == 65_171
    assert issued["San Francisco"] == 11
    assert issued["Marin"] == 138
    assert issued["Fresno"] > 45_000
    assert issued["Sacramento"] > 45_000


def test_restraining_orders_meet_the_published_counts(folder: Path) -> None:
    with sqlite3.connect(folder / "gvro.sqlite") as database:

        def one(query: str) -> int:
            return int(database.execute(query).fetchone()[0])

        early = "FROM gvro WHERE parent_order_id IS NULL AND issued_date < '2020-01-01'"
        assert one(f"SELECT count(DISTINCT cii_number) {early}") == 1_076
        assert one(f"SELECT count(DISTINCT cii_number) {early} AND issued_date < '2017-01-01'") == 70
        assert one(f"SELECT count(DISTINCT cii_number) {early} AND respondent_sex = 'M'") == 985
        assert (
            one(f"SELECT count(DISTINCT cii_number) {early} AND petitioner_type = 'LAW_ENFORCEMENT'") == 1_038
        )
        assert one(f"SELECT count(DISTINCT cii_number) {early} AND county = 'San Diego'") == 354
        assert one(f"SELECT count(*) {early} AND respondent_age < 18") == 21
        assert one("SELECT count(*) FROM gvro WHERE issued_date LIKE '2021%'") == 1_384
        assert one("SELECT count(*) FROM gvro WHERE issued_date LIKE '2021%' AND county = 'San Diego'") == 435
        assert one("SELECT min(respondent_age) FROM gvro") == 14
    database.close()


def test_sales_peak_in_december_2016_and_march_2020(folder: Path) -> None:
    months = Counter(pc.strftime(all_dros(folder)["transaction_date"], format="%Y-%m").to_pylist())
    assert months.most_common(1)[0][0] == "2016-12"
    assert max((month for month in months if month.startswith("2020")), key=months.__getitem__) == "2020-03"


@pytest.mark.parametrize("scale", [1.0, 0.05, 1e-5])
def test_targets_hold_both_margins_at_every_scale(scale: float) -> None:
    wanted = calibration.targets(scale)
    assert wanted.dros.sum(axis=1).tolist() == wanted.dros_months.sum(axis=1).tolist()
    assert (wanted.dros >= 0).all()
    assert wanted.dros.sum() == round(9_268_274 * scale)
    if scale == 1.0:
        assert wanted.dros.sum(axis=1).tolist() == [
            int(row["transactions"]) for row in shipped("dros_annual.csv")
        ]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.integers(0, 50), min_size=1, max_size=6),
    weights=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8),
)
def test_controlled_rounding_keeps_both_margins(rows: list[int], weights: list[float]) -> None:
    columns = calibration.largest_remainder(weights, sum(rows))
    table = calibration.controlled_rounding(np.asarray(rows), columns)
    assert table.sum(axis=1).tolist() == rows
    assert table.sum(axis=0).tolist() == columns.tolist()
    assert (table >= 0).all()


def test_a_scale_that_leaves_next_to_nothing_still_writes_every_file(tmp_path: Path) -> None:
    written = write_records(tmp_path / "tiny", scale=1e-6, ccw_people=100)
    assert {"ccw", "fsc", "dros", "awr", "gvro", "roster", "deaths_in_custody", "truth"} == {
        f.dataset for f in written
    }


# --- people -------------------------------------------------------------------------------------------------


def test_the_same_people_appear_in_several_datasets(folder: Path) -> None:
    people = read(folder / "truth" / "people.parquet")

    def together(one: str, other: str) -> int:
        return int(pc.sum(pc.and_(people[one], people[other])).as_py())

    assert together("in_ccw", "in_dros") > 1_000
    assert together("in_ccw", "in_fsc") > 500
    assert together("in_dros", "in_awr") > 100
    assert together("in_gvro", "in_dros") > 500
    cards = set(text(read(folder / "ccw.parquet"), "driver_license_number")) - {None}
    buyers = set(text(all_dros(folder), "buyer_id_number"))
    assert len(cards & buyers) > 1_000


def test_a_record_belongs_to_the_person_whose_number_it_carries(folder: Path) -> None:
    people = read(folder / "truth" / "people.parquet")
    card = people["driver_license_number"].to_pylist()
    for year in (2012, 2021):
        sales, truth = read(folder / f"dros/dros_{year}.parquet"), read(folder / f"truth/dros_{year}.parquet")
        assert sales["dros_number"].to_pylist() == truth["dros_number"].to_pylist()
        assert [card[person] for person in truth["person_id"].to_pylist()] == text(sales, "buyer_id_number")


@pytest.mark.parametrize(
    ("name", "birth", "event"),
    [
        ("ccw.parquet", "date_of_birth", "application_date"),
        ("dros/dros_2016.parquet", "buyer_date_of_birth", "transaction_date"),
        ("fsc.parquet", "date_of_birth", "issue_date"),
    ],
)
def test_nobody_is_under_21(folder: Path, name: str, birth: str, event: str) -> None:
    table, truth = read(folder / name), read(folder / "truth" / Path(name).name)
    true_birth = read(folder / "truth" / "people.parquet")["date_of_birth"].take(truth["person_id"])
    years = pc.subtract(pc.year(table[event]), pc.year(true_birth))
    assert pc.min(years).as_py() >= 21
    assert pc.max(pc.subtract(pc.year(table[event]), pc.year(table[birth]))).as_py() < 105


def test_no_licence_ends_before_it_starts_and_none_is_applied_for_outside_the_decade(folder: Path) -> None:
    table = read(folder / "ccw.parquet")
    years = pc.year(table["application_date"])
    assert (pc.min(years).as_py(), pc.max(years).as_py()) == (2012, 2021)
    issued = table.filter(pc.is_valid(table["issue_date"]))
    assert pc.all(pc.less(issued["issue_date"], issued["expiry_date"])).as_py()
    assert pc.all(pc.less_equal(issued["application_date"], issued["issue_date"])).as_py()


def test_some_race_and_sex_are_missing_or_unknown(folder: Path) -> None:
    table = read(folder / "ccw.parquet")
    for column, unknown in (("race", "X"), ("sex", "U")):
        found = Counter(text(table, column))
        assert 0 < found[unknown] < 0.1 * len(table)
        assert 0 < found[None] < 0.05 * len(table)


# --- identifiers --------------------------------------------------------------------------------------------

FORMS = {
    "cii_number": r"Z\d{8}",
    "driver_license_number": r"Q0\d{6}",
    "buyer_id_number": r"Q0\d{6}",
    "registrant_id_number": r"Q0\d{6}",
    "ccw_license_number": r"[A-Z]{3}-(1[2-9]|2[01])-\d{6}",
    "application_id": r"SYN-APP-\d{7}",
    "fsc_number": r"SYN-FSC-\d{8}",
    "dros_number": r"SYN-DROS-\d{10}",
    "registration_number": r"SYN-AWR-\d{7}",
    "serial_number": r"SYN[A-Z2-9]{7}",
    "instructor_id": r"SYN-INS-\d{5}",
    "dealer_id": r"SYN-DLR-\d{5}",
}


@pytest.mark.parametrize("name", ["ccw", "fsc", "awr", "dros/dros_2016", "truth/people"])
def test_every_identifier_has_a_form_that_no_agency_issues(folder: Path, name: str) -> None:
    table = read(folder / f"{name}.parquet")
    checked = [column for column in table.column_names if column in FORMS]
    assert checked
    for column in checked:
        values = [value for value in text(table, column) if value is not None]
        assert all(re.fullmatch(FORMS[column], value) for value in values), column


def test_numbers_stay_different_past_a_million_people() -> None:
    from clerestory.templates.generator.identifiers import driver_license

    people = np.asarray([0, 1, 999_999, 1_000_000, 1_000_001, 3_500_000])
    numbers = driver_license(people).to_pylist()
    assert len(set(numbers)) == len(people)
    assert all(re.fullmatch(r"Q0\d{6}[A-Z]?", number) for number in numbers)
    assert [len(number) for number in numbers] == [8, 8, 8, 9, 9, 9]


@pytest.mark.parametrize("name", ["ccw", "fsc", "awr", "dros/dros_2020"])
def test_record_numbers_are_unique_and_counties_known(folder: Path, name: str) -> None:
    table = read(folder / f"{name}.parquet")
    key = table.column_names[0]
    assert len(set(text(table, key))) == len(table)
    county = "buyer_county" if name.startswith("dros") else "county"
    assert set(text(table, county)) <= set(reference.counties())


# --- dirt ---------------------------------------------------------------------------------------------------


def test_dirt_happens_as_often_as_it_should_and_the_truth_tells(folder: Path) -> None:
    truth = read(folder / "truth" / "ccw.parquet")
    soil = np.asarray(truth["dirt"])

    def share(flag: Dirt) -> float:
        return float(((soil & flag) != 0).mean())

    assert share(Dirt.TYPO_SURNAME) + share(Dirt.TYPO_FIRST_NAME) == pytest.approx(0.015, abs=0.005)
    assert share(Dirt.CII_MISSING) == pytest.approx(0.02, abs=0.006)
    assert share(Dirt.MIDDLE_NAME_MISSING) == pytest.approx(0.30 * 0.88, abs=0.03)
    assert 0.005 < share(Dirt.NICKNAME) < 0.03
    assert 0.001 < share(Dirt.BIRTH_DAY_AND_MONTH_SWAPPED) < 0.005
    assert 0 < share(Dirt.MOVED_COUNTY) < share(Dirt.MOVED) < 0.06
    assert 0 < share(Dirt.NAMES_REORDERED) < 0.01


def test_a_record_without_dirt_shows_the_person_as_he_is(folder: Path) -> None:
    table, truth = read(folder / "ccw.parquet"), read(folder / "truth" / "ccw.parquet")
    people = read(folder / "truth" / "people.parquet").take(truth["person_id"])
    clean = pa.array(np.asarray(truth["dirt"]) == 0)
    for mine, true in (
        ("last_name", "last_name"),
        ("first_name", "first_name"),
        ("middle_name", "middle_name"),
        ("suffix", "suffix"),
        ("date_of_birth", "date_of_birth"),
        ("residence_street", "street"),
        ("zip", "zip"),
        ("county", "county"),
        ("cii_number", "cii_number"),
        ("driver_license_number", "driver_license_number"),
    ):
        kind = pa.date32() if mine == "date_of_birth" else pa.string()
        left, right = table[mine].filter(clean).cast(kind), people[true].filter(clean).cast(kind)
        assert left.to_pylist() == right.to_pylist(), mine


def test_a_typing_slip_changes_a_word_a_little() -> None:
    words = np.asarray(["GARCIA", "O", "LI", "SMITH", "DE LA CRUZ", "WESTBROOK"] * 50)
    made = typos(np.random.default_rng(3), words)
    assert (made != words).mean() > 0.9
    assert all(abs(len(new) - len(old)) <= 1 and new for new, old in zip(made, words, strict=True))


def test_at_risk_flags_are_in_the_truth_alone(folder: Path) -> None:
    people = read(folder / "truth" / "people.parquet")
    flags = [name for name in people.column_names if name.startswith("at_risk_")]
    assert len(flags) == 5
    assert all(pc.sum(people[name]).as_py() > 0 for name in flags)
    for path in folder.glob("*.parquet"):
        assert not [name for name in read(path).column_names if "risk" in name or "person_id" in name]


# --- files --------------------------------------------------------------------------------------------------


def test_folders_and_files_are_private(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_every_file_of_invented_records_says_so(folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        assert pq.read_schema(path).metadata[b"stamp"] == b"SYNTHETIC"
    with sqlite3.connect(folder / "gvro.sqlite") as database:
        assert database.execute("SELECT value FROM about WHERE key = 'stamp'").fetchone() == ("SYNTHETIC",)
    database.close()
    assert "SYNTHETIC" in (folder / "SYNTHETIC.txt").read_text()


def test_progress_is_told_of_every_file(tmp_path: Path) -> None:
    seen = []
    written = write_records(tmp_path / "seen", scale=1e-4, ccw_people=200, progress=seen.append)
    assert seen == written
    assert all(file.path.is_file() and file.seconds >= 0 for file in written)
    assert next(file.rows for file in written if file.dataset == "deaths_in_custody") == 9_911


def test_deaths_in_custody_are_written_as_they_were_published(tmp_path: Path) -> None:
    write_records(tmp_path / "records", scale=1e-4, ccw_people=200)
    content = gzip.decompress((tmp_path / "records" / "deaths_in_custody.csv.gz").read_bytes())
    assert not content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"))))
    assert len(rows) == 9_912
    assert {len(row) for row in rows} == {18}
    assert rows[0][0] == "record_key_number"


@pytest.mark.parametrize(("scale", "seed"), [(0.0, 1), (-1.0, 1), (1.5, 1), (float("nan"), 1), (0.1, -1)])
def test_a_scale_or_seed_out_of_range_is_refused(tmp_path: Path, scale: float, seed: int) -> None:
    with pytest.raises(InputError):
        write_records(tmp_path / "never", seed=seed, scale=scale)
    assert not (tmp_path / "never").exists()
