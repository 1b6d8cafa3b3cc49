"""How many records each dataset holds, by year, month and county, at a given scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clerestory.templates.generator import reference
from clerestory.templates.generator.draws import Floats, Ints

CCW_PEOPLE = 192_000  # persons; DOJ notice oag.ca.gov/dataexposure

# No public count was found: DROS transactions / 1.44 firearms per buyer times the share of buyers who need
# a new certificate. 2012 to 2021; HSC to 2014, FSC from 2015.
FSC_ANNUAL = (220_000, 260_000, 250_000, 430_000, 520_000, 300_000, 270_000, 265_000, 560_000, 450_000)

# 145,253 registered in 2015 (records request printed by Guns.com) and 59,747 more from the 2017-18 window
# make the 205,000 that is modelled as the final size; the split of the older ones by category is modelled.
AWR_CATEGORIES = {"CAT1": 34_000, "CAT2": 29_253, "CAT3": 66_000, "BMG50": 16_000, "BBAW": 59_747}

# Los Angeles: 2,891 people with standard licences (Concealed Coalition, July 2022) of whom 93 % of all are.
LOS_ANGELES_CCW_PEOPLE = 3_109


def largest_remainder(weights: ArrayLike, total: int) -> Ints:
    """Whole numbers that add up to `total`, each within 1 of its exact share; ties go to the first."""
    exact = np.asarray(weights, dtype=np.float64)
    exact = exact * (total / exact.sum())
    whole: Ints = np.floor(exact).astype(np.int64)
    for_remainder = np.argsort(-(exact - whole), kind="stable")
    whole[for_remainder[: total - int(whole.sum())]] += 1
    return whole


def controlled_rounding(rows: Ints, columns: Ints) -> Ints:
    """A whole-number table with exactly these row and column totals, close to rows x columns / total.

    Cells start at the floor of their expectation; the units left over go, row by row, to the columns that
    still lack most, which is the Gale-Ryser construction.
    """
    total = int(rows.sum())
    if not total:
        return np.zeros((len(rows), len(columns)), dtype=np.int64)
    table = (np.outer(rows, columns) // total).astype(np.int64)
    lacking = columns - table.sum(axis=0)
    for row in np.argsort(-(rows - table.sum(axis=1)), kind="stable"):
        left = int(rows[row] - table[row].sum())
        while left > 0:
            chosen = np.argsort(-lacking, kind="stable")[:left]
            chosen = chosen[lacking[chosen] > 0]
            table[row, chosen] += 1
            lacking[chosen] -= 1
            left -= len(chosen)
    return table


def year_totals(annual: ArrayLike, scale: float) -> Ints:
    """Annual totals after scaling, rounded so that they add up to the rounded grand total."""
    exact = np.asarray(annual, dtype=np.float64)
    return largest_remainder(exact, round(float(exact.sum()) * scale))


@dataclass(frozen=True)
class Targets:
    """The counts that the generated records meet to the unit."""

    ccw_people: Ints  # (58,) persons
    ccw_issuances: Ints  # (58,) licences issued or renewed, 2012 to 2021
    dros: Ints  # (10, 58) transactions by year and county of the buyer
    dros_months: Ints  # (10, 12) transactions by month
    fsc: Ints  # (10, 58) certificates by year of issue and county
    awr: Ints  # (58,) weapons
    awr_categories: Ints  # weapons, in the order of AWR_CATEGORIES


def targets(scale: float, ccw_people: int = CCW_PEOPLE) -> Targets:
    """Every target at this scale; carry licences follow `ccw_people` alone."""
    licences = reference.county_weights("ccw_issuances_2012_2021")
    dros_years = year_totals(reference.dros_annual(), scale)
    fsc_years = year_totals(FSC_ANNUAL, scale)
    awr_total = round(sum(AWR_CATEGORIES.values()) * scale)
    return Targets(
        ccw_people=_ccw_people(licences, ccw_people),
        ccw_issuances=largest_remainder(licences, round(licences.sum() * ccw_people / CCW_PEOPLE)),
        dros=_by_year_and_county(dros_years, "dros_share"),
        dros_months=np.stack(
            [
                largest_remainder(shares, int(total))
                for shares, total in zip(reference.dros_month_share(), dros_years, strict=True)
            ]
        ),
        fsc=_by_year_and_county(fsc_years, "fsc_share"),
        awr=largest_remainder(reference.county_weights("awr_share"), awr_total),
        awr_categories=largest_remainder(tuple(AWR_CATEGORIES.values()), awr_total),
    )


def _by_year_and_county(years: Ints, column: str) -> Ints:
    return controlled_rounding(years, largest_remainder(reference.county_weights(column), int(years.sum())))


def _ccw_people(licences: Floats, people: int) -> Ints:
    los_angeles = reference.counties().index("Los Angeles")
    fixed = round(LOS_ANGELES_CCW_PEOPLE * people / CCW_PEOPLE)
    others = licences.copy()
    others[los_angeles] = 0
    counts = largest_remainder(others, people - fixed)
    counts[los_angeles] = fixed
    return counts
