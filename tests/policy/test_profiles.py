"""Profiles are frozen, cited, and only ever tightened."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from clerestory.errors import InputError
from clerestory.policy import PROFILES, Dominance, Policy, PriorPosterior, Tightening, policy_for


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_a_profile_is_frozen_cited_and_keeps_as_many_values_as_small_counts(profile: Policy) -> None:
    assert profile.source
    assert profile.interval_width == profile.minimum_count - 2
    with pytest.raises(FrozenInstanceError):
        profile.minimum_count = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "minimum"),
    [("calhhs-ddg-2.0", 11), ("cms", 11), ("nces-ferpa", 10), ("cdc-wonder", 10), ("ons", 10)],
)
def test_the_thresholds_are_those_of_the_rule_makers(name: str, minimum: int) -> None:
    assert PROFILES[name].minimum_count == minimum


def test_the_default_profile_turns_on_nothing_that_a_project_does_not_ask_for() -> None:
    base = policy_for("calhhs-ddg-2.0")
    assert not base.asks_contributions
    assert base.attribute_minimum == 0


def test_every_number_of_a_tightening_is_one_of_the_policy() -> None:
    assert {f.name for f in fields(Tightening)} < {f.name for f in fields(Policy)}


@pytest.mark.parametrize(
    "asked",
    [
        Tightening(minimum_count=9),
        Tightening(interval_width=7),
        Tightening(minimum_contributors=2),
        Tightening(p_percent=5.0),
        Tightening(attribute_minimum=1),
        Tightening(unstable_below=10),
    ],
)
def test_looser_than_the_profile_is_refused(asked: Tightening) -> None:
    with pytest.raises(InputError, match="looser than the profile's"):
        policy_for("ons", asked)


def test_rules_that_the_profile_does_not_have_may_be_added() -> None:
    found = policy_for(
        "calhhs-ddg-2.0", Tightening(dominance=Dominance(2, 85), prior_posterior=PriorPosterior(10, 50))
    )
    assert found.dominance == Dominance(2, 85)
    assert found.largest_asked == 2
    assert found.minimum_count == 11


def test_an_unknown_edition_of_the_criteria_is_located() -> None:
    with pytest.raises(InputError) as caught:
        policy_for("cms", Tightening(scoring="3.0"))
    assert caught.value.where == "clerestory.toml, policy.scoring"


def test_every_profile_and_every_number_of_a_policy_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "profiles.md").read_text(encoding="utf-8")
    for word in (*PROFILES, *(f.name for f in fields(Tightening))):
        assert f"`{word}`" in page, word
    for profile in PROFILES.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{profile.profile}`"))
        assert f"1–{profile.minimum_count - 1} | {profile.interval_width} |" in row
