"""The CalHHS Publication Scoring Criteria, on examples worked by hand from the guidelines."""

from __future__ import annotations

import pytest

from clerestory.policy.scoring import PERIODS, Presented, Score, Variable, criteria, score

ALPINE = Presented(Variable.RESIDENCE, population=1_235)
STATE = Presented(Variable.RESIDENCE, population=39_237_836)
SEX = Presented(Variable.SEX, groups=2)
YEAR = Presented(Variable.TIME, detail="1 year")


def points(found: Score) -> list[int]:
    return [part.points for part in found.parts]


def test_sales_by_state_by_year_by_sex_are_released() -> None:
    found = score("2.0", 1_000, [STATE, YEAR, SEX])
    assert sorted(points(found)) == sorted([2, 1, 0, -5, 1])
    assert (found.total, found.passes) == (-1, True)


def test_licences_by_county_by_year_are_masked() -> None:
    found = score("2.0", 2, [ALPINE, YEAR])
    assert points(found) == [7, 7, 0, 0]
    assert (found.total, found.passes) == (14, False)


def test_five_years_pooled_pass_the_score_though_the_smallest_cell_is_small() -> None:
    found = score("2.0", 2, [ALPINE, Presented(Variable.TIME, detail="5 years aggregated")])
    assert (found.total, found.passes) == (9, True)


def test_licences_by_county_year_race_age_and_sex() -> None:
    race = Presented(Variable.RACE, groups=8, detail="all")
    age = Presented(Variable.AGE, years=10)
    found = score("2.0", 1, [ALPINE, YEAR, race, age, SEX])
    assert sorted(points(found)) == sorted([7, 0, 7, 3, 3, 1, 4])
    assert found.total == 25


def test_sales_by_county_by_month_by_manufacturer() -> None:
    month = Presented(Variable.TIME, detail="month or finer")
    maker = Presented(Variable.OTHER, groups=150)
    found = score("2.0", 1, [ALPINE, month, maker])
    assert sorted(points(found)) == sorted([7, 5, 7, 7, 1])
    assert found.total == 27


def test_the_age_range_of_the_guidelines_is_scored_by_its_narrowest_band() -> None:
    """Section 4.3: groups of 0 to 11, 12 to 14 and 15 to 18 score +5, for the three years of 12 to 14."""
    assert points(score("2.0", 50, [Presented(Variable.AGE, years=3)]))[1] == 5


@pytest.mark.parametrize(("smallest", "expected"), [(5, -5), (4, -3), (3, -3), (2, 0)])
def test_only_events_time_and_geography_take_points_off(smallest: int, expected: int) -> None:
    """Section 4.3: a smallest value of 5 scores -5, one of 2 scores 0."""
    assert points(score("2.0", smallest, [STATE, YEAR]))[-1] == expected


def test_three_crossed_variables_cost_more_in_the_second_edition() -> None:
    crossed = [SEX, Presented(Variable.AGE, years=40), Presented(Variable.OTHER, groups=4)]
    assert points(score("1.0", 1_000, crossed))[-1] == 3
    assert points(score("2.0", 1_000, crossed))[-1] == 4


def test_what_is_not_known_takes_the_highest_score() -> None:
    assert points(score("2.0", 11, [Presented(Variable.RESIDENCE)]))[1] == 7
    assert points(score("1.0", 11, [Presented(Variable.RESIDENCE)]))[1] == 5
    assert points(score("2.0", 11, [Presented(Variable.RACE, groups=40, detail="detailed")]))[1] == 7
    assert points(score("1.0", 11, [Presented(Variable.RACE, groups=40, detail="detailed")]))[1] == 4


def test_region_and_county_count_once_with_the_higher_score() -> None:
    region = Presented(Variable.RESIDENCE, population=600_000)
    assert score("2.0", 2, [region, ALPINE]).total == score("2.0", 2, [ALPINE]).total


@pytest.mark.parametrize("edition", ["1.0", "2.0"])
def test_every_variable_has_a_score_in_both_editions(edition: str) -> None:
    for variable in Variable:
        detail = PERIODS[0] if variable is Variable.TIME else ""
        assert score(edition, 11, [Presented(variable, groups=3, detail=detail)]).total


def test_the_periods_are_those_of_the_criteria() -> None:
    for edition in criteria()["editions"].values():
        assert tuple(row["period"] for row in edition["time"]) == PERIODS
