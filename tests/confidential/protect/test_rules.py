"""The rules of primary suppression together: what is hidden for its own sake, and why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.confidential.original import Contributions, OriginalCells
from clerestory.confidential.protect.rules import Primary, Reason, primary_suppressions
from clerestory.errors import Refused
from clerestory.policy import Dominance, Policy, PriorPosterior
from clerestory.tables import RECORDS, Attribute, TableDesign, Unit, link_tables, text
from clerestory.tables import Axis as _Axis

FEE = Unit("sum", "fee", (0, 10**6))
PERSONS = Unit("persons")


def counts(space, values: list[int], **more) -> OriginalCells:
    found = np.array(values, dtype=np.int64)
    return OriginalCells(space, found, found, None, **more)


def test_one_to_ten_are_hidden_and_zero_and_eleven_are_not(made) -> None:
    space = made.space({"a": (4, 0)}, [("a",)])
    found = primary_suppressions(counts(space, [22, 0, 1, 10, 11]), made.policy())
    assert found.hidden.tolist() == [False, False, True, True, False]
    assert found.reasons.tolist() == [0, 0, Reason.RECORDS, Reason.RECORDS, 0]
    assert not found.upper.any() and not found.lower.any()


def test_few_persons_hide_many_records_in_every_unit(made) -> None:
    space = made.space({"a": (1, 0)}, [("a",)], (RECORDS, PERSONS))
    values = np.where(space.units == 0, 40, 3).astype(np.int64)
    original = OriginalCells(space, values, np.full(2, 40), np.full(2, 3))
    assert primary_suppressions(original, made.policy()).hidden.all()


def test_a_zero_stays_though_its_box_is_hidden_in_another_unit(made) -> None:
    """Nobody has his first record here, though a few have some record."""
    space = made.space({"a": (1, 0)}, [("a",)], (RECORDS, PERSONS))
    values = np.where(space.units == 0, 4, 0).astype(np.int64)
    original = OriginalCells(space, values, np.full(2, 4), np.full(2, 2))
    assert primary_suppressions(original, made.policy()).hidden.tolist() == (space.units == 0).tolist()


def test_the_ten_students_of_the_education_brief_are_shown_and_nine_are_not(made) -> None:
    from clerestory.policy import NCES_FERPA

    space = made.space({"a": (2, 0)}, [("a",)])
    assert primary_suppressions(counts(space, [19, 10, 9]), NCES_FERPA).hidden.tolist() == [
        False,
        False,
        True,
    ]


def test_a_sum_that_is_hidden_for_its_contributors_hides_the_count_of_its_box(made) -> None:
    space = made.space({"a": (1, 0)}, [("a",)], (RECORDS, FEE))
    sums = space.units == 1
    original = OriginalCells(
        space,
        np.where(sums, 900, 40).astype(np.int64),
        np.full(2, 40),
        None,
        Contributions(np.where(sums, 2, -1), np.full((2, 2), 450) * sums[:, None], np.where(sums, 900, 0)),
    )
    policy = Policy("test", "none", 11, 9, minimum_contributors=3)
    found = primary_suppressions(original, policy)
    assert found.hidden.all()
    assert found.reasons.tolist() == np.where(sums, Reason.CONTRIBUTORS, Reason.UNIT).tolist()


def test_a_policy_about_contributors_is_not_applied_without_them(made) -> None:
    space = made.space({"a": (1, 0)}, [("a",)], (FEE,))
    with pytest.raises(Refused, match="who contributes"):
        primary_suppressions(counts(space, [40]), Policy("test", "none", 11, 9, p_percent=10))


def denials(made, *, zeros_shown: bool = False, minimum: int = 3):
    """One dimension of two places, one sensitive of outcomes: issued, denied."""
    place, outcome = made.dimension("place", 2), made.dimension("outcome", 2)
    design = TableDesign(
        "outcomes",
        text("t"),
        RECORDS,
        (place, outcome),
        (("place", "outcome"),),
        {},
        attributes=(Attribute("outcome", minimum),),
        zeros_shown=zeros_shown,
    )
    axes = [_Axis(name, ("0", "1")) for name in ("place", "outcome")]
    return link_tables("made", axes, [design], maximum_cells=1000)


def at(space, values: dict[tuple[int, int], int]) -> np.ndarray:
    (layout,) = space.layouts
    found = np.zeros(len(space), dtype=np.int64)
    for coords, cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True):
        found[cell] = values[tuple(coords)]
    return found


TABLE = {
    (0, 0): 75,
    (0, 1): 40,
    (0, 2): 35,
    (1, 0): 15,
    (1, 1): 0,
    (1, 2): 15,
    (2, 0): 60,
    (2, 1): 40,
    (2, 2): 20,
}
"""15 of 15 denied in the first place."""


def test_fifteen_of_fifteen_denied_tells_about_each(made) -> None:
    space = denials(made)
    found = primary_suppressions(counts(space, at(space, TABLE).tolist()), made.policy())
    expected = at(space, {key: int(key == (1, 2)) for key in TABLE})
    assert found.hidden.tolist() == expected.astype(bool).tolist()
    assert set(found.reasons[found.hidden].tolist()) == {Reason.ATTRIBUTE}


@pytest.mark.parametrize(("elsewhere", "told"), [(2, True), (3, False)])
def test_all_but_a_few_is_told_and_all_but_three_is_not(made, elsewhere: int, told: bool) -> None:
    space = denials(made)
    table = {
        **TABLE,
        (1, 0): 15 + elsewhere,
        (1, 1): elsewhere,
        (0, 1): 40 + elsewhere,
        (0, 0): 75 + elsewhere,
    }
    found = primary_suppressions(counts(space, at(space, table).tolist()), Policy("test", "none", 2, 1))
    part = at(space, {key: int(key == (1, 2)) for key in table}).astype(bool)
    assert bool(found.hidden[part].all()) is told


def test_a_number_about_few_people_is_hidden_and_a_zero_is_not(made) -> None:
    """Step 2 of the guidelines: the denominator is at least 20,000."""
    space = made.space({"a": (4, 0)}, [("a",)])
    about = np.array([60_000, 19_999, 20_000, 19_999, -1])
    found = primary_suppressions(
        counts(space, [90, 40, 30, 0, 20], populations=about),
        Policy("test", "none", 11, 9, minimum_population=20_000),
    )
    assert found.hidden.tolist() == [False, True, False, False, False]
    assert found.reasons[1] == Reason.POPULATION


def test_a_sum_of_nothing_over_a_few_tells_each_of_them_where_zeros_may_be_hidden(made) -> None:
    place = made.dimension("a", 2)
    for zeros_shown in (True, False):
        design = TableDesign("t", text("t"), FEE, (place,), (("a",),), {}, zeros_shown=zeros_shown)
        space = link_tables("made", [_Axis("a", ("0", "1"))], [design], maximum_cells=10)
        original = OriginalCells(space, np.array([90, 0, 90]), np.array([33, 3, 30]), None)
        assert primary_suppressions(original, made.policy()).hidden.tolist() == [
            False,
            not zeros_shown,
            False,
        ]


def test_no_reason_is_written_down(made) -> None:
    import pickle

    space = made.space({"a": (1, 0)}, [("a",)])
    found = primary_suppressions(counts(space, [3]), made.policy())
    assert "3" not in repr(found).replace("cells=", "")
    for secret in (found, Contributions(*(np.zeros(1, dtype=np.int64),) * 3)):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


@st.composite
def magnitudes(draw: st.DrawFn) -> tuple[OriginalCells, Policy]:
    """Counts and sums of the same few boxes, and a policy with some of the rules on."""
    from tests.confidential.protect.conftest import Made

    space = Made.space({"a": (3, 0), "b": (2, 0)}, [("a", "b")], (RECORDS, FEE))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    sums = space.units == 1
    largest = np.sort(rng.integers(0, 60, (len(space), 3)), axis=1)[:, ::-1]
    total = largest.sum(axis=1) + rng.integers(0, 60, len(space))
    contributors = np.where(sums, rng.integers(1, 6, len(space)), -1)
    records = np.maximum(contributors, rng.integers(0, 30, len(space)))
    values = np.where(sums, total, records)
    policy = Policy(
        "test",
        "none",
        draw(st.integers(2, 12)),
        9,
        minimum_contributors=draw(st.integers(0, 4)),
        dominance=draw(
            st.none()
            | st.builds(Dominance, st.integers(1, 3), st.floats(50, 99.5).map(lambda k: round(k, 1)))
        ),
        p_percent=draw(st.sampled_from([0.0, 5.0, 12.5, 30.0])),
        prior_posterior=draw(st.none() | st.just(PriorPosterior(10, 50))),
        minimum_population=draw(st.integers(0, 40)),
    )
    contributions = Contributions(contributors, largest * sums[:, None], np.where(sums, total, 0))
    populations = rng.integers(-1, 60, len(space))
    return OriginalCells(space, values, records, None, contributions, populations), policy


def tighter(policy: Policy, by: int) -> Policy:
    from dataclasses import replace

    dominance = policy.dominance
    return replace(
        policy,
        minimum_count=policy.minimum_count + by,
        minimum_contributors=policy.minimum_contributors + by,
        dominance=dominance and Dominance(dominance.contributors, round(dominance.share - by, 1)),
        p_percent=policy.p_percent + by,
        prior_posterior=PriorPosterior(10 + by, 50),
        minimum_population=policy.minimum_population + by,
    )


@settings(max_examples=150, deadline=None)
@given(made_up=magnitudes(), by=st.integers(1, 8))
def test_tightening_never_shows_more_and_never_protects_less(made_up, by: int) -> None:
    original, policy = made_up
    before, after = (
        primary_suppressions(original, policy),
        primary_suppressions(original, tighter(policy, by)),
    )
    assert not (before.hidden & ~after.hidden).any()
    assert (before.upper <= after.upper).all() and (before.lower <= after.lower).all()
    rules = ~np.uint16(Reason.UNIT)
    assert not (before.reasons & ~after.reasons & rules).any()


@settings(max_examples=100, deadline=None)
@given(made_up=magnitudes())
def test_reasons_and_levels_stand_at_hidden_cells_alone(made_up) -> None:
    original, policy = made_up
    found: Primary = primary_suppressions(original, policy)
    assert ((found.reasons > 0) == found.hidden).all()
    assert not found.upper[~found.hidden].any()
    assert (found.lower <= original.values).all() and (found.lower <= found.upper).all()
    assert not (found.single & ~found.hidden).any()
