from __future__ import annotations

import pytest

from clerestory.project import Project, band_codes, declare, period_code, period_codes, period_number


def test_periods_run_from_first_to_last() -> None:
    assert period_codes("year", "2012", "2014") == ("2012", "2013", "2014")
    assert period_codes("quarter", "2012-Q3", "2013-Q1") == ("2012-Q3", "2012-Q4", "2013-Q1")
    assert period_codes("month", "2012-11", "2013-02") == ("2012-11", "2012-12", "2013-01", "2013-02")


@pytest.mark.parametrize(("by", "code"), [("year", "1999"), ("quarter", "2012-Q4"), ("month", "2020-02")])
def test_a_period_s_number_gives_its_code_back(by: str, code: str) -> None:
    number = period_number(by, code)
    assert number is not None
    assert period_code(by, number) == code


@pytest.mark.parametrize(("by", "code"), [("year", "12"), ("quarter", "2012-Q5"), ("month", "2012-13")])
def test_what_is_no_period_has_no_number(by: str, code: str) -> None:
    assert period_number(by, code) is None
    with pytest.raises(ValueError, match="is written"):
        period_codes(by, code, code)


def test_bands_are_named_by_their_edges() -> None:
    assert band_codes([21]) == ("under-21", "21-and-over")
    assert band_codes([18, 19, 21]) == ("under-18", "18", "19-20", "21-and-over")


def test_what_the_files_decide_is_known_without_records(good: Project) -> None:
    table = good.tables["permits"]
    county = declare(good, table, "county")
    assert county.levels == ("region", "county")
    assert county.every_code() == ("north", "south", "alder", "birch", "cedar")
    assert declare(good, good.tables["fees"], "county").codes == {"region": ("north", "south")}
    assert declare(good, table, "decision").every_code() == ("granted", "denied")
    assert declare(good, table, "year").every_code()[-1] == "2021"
    assert declare(good, table, "gender").codes is None
    assert declare(good, table, "gender").has("anything")
    assert not county.has("dogwood")
    assert county.has("all") and county.has("missing")
