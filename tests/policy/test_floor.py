from __future__ import annotations

from dataclasses import replace

import pytest

from clerestory.policy import (
    CALHHS_DDG_2_0,
    ONS,
    PROFILES,
    Dominance,
    Floor,
    Policy,
    PriorPosterior,
    floor_of,
    looser,
)


@pytest.mark.parametrize("policy", PROFILES.values(), ids=list(PROFILES))
def test_every_profile_reaches_its_own_floor(policy: Policy) -> None:
    assert looser(policy, floor_of(policy)) == ()
    assert looser(policy, Floor()) == ()


@pytest.mark.parametrize(
    ("policy", "floor"),
    [
        ({"minimum_count": 10}, {"minimum_count": 11}),
        ({"interval_width": 8}, {"interval_width": 9}),
        ({"audit_level": 1}, {"audit_level": 2}),
        ({"minimum_contributors": 0}, {"minimum_contributors": 3}),
        ({"p_percent": 5.0}, {"p_percent": 10.0}),
        ({"minimum_population": 19_999}, {"minimum_population": 20_000}),
        ({"dominance": None}, {"dominance": Dominance(2, 85.0)}),
        ({"dominance": Dominance(2, 90.0)}, {"dominance": Dominance(2, 85.0)}),
        ({"dominance": Dominance(1, 80.0)}, {"dominance": Dominance(2, 85.0)}),
        ({"prior_posterior": PriorPosterior(5, 50)}, {"prior_posterior": PriorPosterior(10, 50)}),
    ],
)
def test_what_lies_below_the_floor_is_named(policy: dict[str, object], floor: dict[str, object]) -> None:
    (name,) = policy
    found = looser(replace(CALHHS_DDG_2_0, **policy), Floor(**floor))  # type: ignore[arg-type]

    assert [one.name for one in found] == [name]


@pytest.mark.parametrize(
    ("policy", "floor"),
    [
        ({"minimum_count": 11}, {"minimum_count": 11}),
        ({"dominance": Dominance(2, 80.0)}, {"dominance": Dominance(2, 85.0)}),
        ({"dominance": Dominance(3, 85.0)}, {"dominance": Dominance(2, 85.0)}),
        ({"prior_posterior": PriorPosterior(20, 60)}, {"prior_posterior": PriorPosterior(10, 50)}),
        ({"p_percent": 10.0}, {"p_percent": 10.0}),
    ],
)
def test_what_reaches_it_is_not(policy: dict[str, object], floor: dict[str, object]) -> None:
    assert looser(replace(CALHHS_DDG_2_0, **policy), Floor(**floor)) == ()  # type: ignore[arg-type]


def test_the_words_say_both_numbers() -> None:
    found = {one.name: one for one in looser(CALHHS_DDG_2_0, floor_of(ONS))}

    assert set(found) == {"minimum_contributors", "p_percent", "attribute_minimum"}
    assert (found["p_percent"].asked, found["p_percent"].floor) == ("off", "10")
