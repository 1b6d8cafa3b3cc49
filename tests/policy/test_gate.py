from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.errors import Problems
from clerestory.policy import GateRules, GateTightening, Question, gate_for

RULES = GateRules(
    reviewers=2,
    recount=True,
    review_minutes=60,
    approval_days=14,
    courses=("sdc-101",),
    checklist=(Question("aim", "Is it what was asked for?"),),
    report_hours=24,
    cache_seconds=60,
)


@pytest.mark.parametrize(
    ("asked", "changed"),
    [
        (GateTightening(reviewers=3), {"reviewers": 3}),
        (GateTightening(reproof=True), {"reproof": True}),
        (GateTightening(review_minutes=60), {}),
        (GateTightening(approval_days=7), {"approval_days": 7}),
        (GateTightening(report_hours=4, cache_seconds=0), {"report_hours": 4, "cache_seconds": 0}),
        (GateTightening(courses=("privacy",)), {"courses": ("sdc-101", "privacy")}),
        (GateTightening(courses=("sdc-101",)), {}),
        (GateTightening(courses=()), {}),
        (
            GateTightening(checklist=(Question("maps", "Do the maps hold?"),)),
            {"checklist": (*RULES.checklist, Question("maps", "Do the maps hold?"))},
        ),
    ],
)
def test_a_project_may_ask_for_more(asked: GateTightening, changed: dict[str, object]) -> None:
    from dataclasses import replace

    assert gate_for(RULES, asked) == replace(RULES, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked",
    [
        {"reviewers": 1},
        {"recount": False},
        {"review_minutes": 59},
        {"approval_days": 15},
        {"report_hours": 25},
        {"cache_seconds": 61},
        {"checklist": (Question("aim", "An easier question?"),)},
    ],
)
def test_a_project_may_not_ask_for_less(asked: dict[str, object]) -> None:
    (name,) = asked
    with pytest.raises(Problems, match=f"gate.{name}"):
        gate_for(RULES, GateTightening(**asked))  # type: ignore[arg-type]


def test_all_that_is_looser_is_said_at_once() -> None:
    with pytest.raises(Problems) as found:
        gate_for(RULES, GateTightening(reviewers=1, recount=False, cache_seconds=3600))

    assert len(found.value.problems) == 3


@given(
    st.integers(1, 20),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9999),
    st.integers(1, 99),
    st.integers(0, 99),
)
def test_what_passes_is_nowhere_looser(
    reviewers: int, recount: bool, reproof: bool, minutes: int, days: int, seconds: int
) -> None:
    asked = GateTightening(
        reviewers=reviewers,
        recount=recount,
        reproof=reproof,
        review_minutes=minutes,
        approval_days=days,
        cache_seconds=seconds,
    )
    try:
        found = gate_for(RULES, asked)
    except Problems:
        return
    assert found.reviewers >= RULES.reviewers and found.recount and found.review_minutes >= 60
    assert found.approval_days <= 14 and found.cache_seconds <= 60
